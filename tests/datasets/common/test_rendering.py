"""Tables in each output form: names from data stay names, and numbers stay numbers."""

import csv
import io

import pandas as pd
import pytest
from rich.console import Console

from xadbench.datasets.common.errors import printable
from xadbench.datasets.common.rendering import as_csv, as_latex, as_markdown, as_rich, code, escaped, plain

HOSTILE = "<b>a|b`c\\|d*\n\x1b[31m[/red]\x00"


def shown(table, width=80, **options):
    console = Console(width=width, file=io.StringIO())
    console.print(as_rich(table, **options))
    return console.file.getvalue()


def cells_of(line):
    """Return the cells of a row of Markdown; a pipe behind an odd number of backslashes ends none."""
    text = line.replace("\\\\", "").replace("\\|", "")
    return text.strip().strip("|").split("|")


@pytest.mark.parametrize("markup", [(), ("name",)])
def test_every_row_of_markdown_has_as_many_cells_as_its_heading(markup):
    table = pd.DataFrame({"name": [HOSTILE, "a"], "|z|": [HOSTILE, "b"], HOSTILE: ["", "c"]})
    table["name"] = table["name"].map(code) if markup else table["name"]
    lines = as_markdown(table, markup).splitlines()
    assert [len(cells_of(line)) for line in lines] == [3] * 4
    outside_code = "".join(as_markdown(table, markup).split("``")[::2])
    assert "<b>" not in outside_code
    assert "\x1b" not in "".join(lines)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("z_score", "z_score"),  # no markup within a word
        ("_a_ a__b", r"\_a\_ a\_\_b"),
        ("*a* [b](c) ~d~ $e$ `f`", r"\*a\* \[b\](c) \~d\~ \$e\$ \`f\`"),
        ("a\n# b", "a # b"),
        ("# b", r"\# b"),  # no heading
        ("<b> & @x #1 http://y", "&lt;b&gt; &amp; @&#8203;x #&#8203;1 http:&#8203;//y"),
    ],
)
def test_markdown_shows_text_as_it_is(text, expected):
    assert escaped(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"), [("a", "`a`"), ("`", "`` ` ``"), ("a``b\n", "``` a``b\\n ```")]
)
def test_code_in_markdown_ends_where_it_should(text, expected):
    assert code(text) == expected


@pytest.mark.parametrize("start", [*"=+-@＝＋－＠", " =", "  @"])  # noqa: RUF001  # of full width too
def test_no_text_of_a_csv_is_a_formula(start):
    formula = f'{start}cmd|"x"!A1'
    table = pd.DataFrame({"name": [formula, "a", None], formula: ["b", f"c{formula}", formula]})
    rows = list(csv.reader(io.StringIO(as_csv(table))))
    quoted = f"'{formula}"
    assert rows == [["name", quoted], [quoted, "b"], ["a", f"c{formula}"], ["", quoted]]


def test_a_csv_has_its_numbers_to_the_last_digit_and_a_row_a_line():
    table = pd.DataFrame(
        {
            "float": [-0.1, 1 / 3, float("nan")],
            "int": [-1, 2, 3],
            "mixed": pd.Series([-0.5, "a\nb\t\x1b", None], dtype=object),
            "kind": pd.Categorical(["-x", "y", "-x"]),
            "is": [True, False, True],
        }
    )
    assert as_csv(table).splitlines() == [
        "float,int,mixed,kind,is",
        "-0.1,-1,-0.5,'-x,True",
        f"{1 / 3!r},2,a\\nb\\t\\x1b,y,False",
        ",3,,'-x,True",
    ]


def test_latex_escapes_what_it_would_run_and_keeps_a_cell_in_its_line():
    text = as_latex(pd.DataFrame({"a_b": ["\\input{x} & 5 %\n\n$", "\x1b"]}))
    assert r"\textbackslash input\{x\} \& 5 \% \$ \\" in text
    assert r"a\_b" in text
    assert r"\textbackslash x1b" in text


@pytest.mark.parametrize("start", ["[2cm]", "*"])
def test_no_cell_of_latex_is_an_argument_of_the_line_break_before_it(start):
    text = as_latex(pd.DataFrame({"a": ["b", start]}))
    assert [line for line in text.splitlines() if start in line] == [f"{{}}{start} \\\\"]


def test_a_terminal_shows_markup_and_control_characters_as_text():
    text = shown(pd.DataFrame({"name": ["[b]x[/b]\x1b[2J"], "[/t]": ["1"]}), title="[/c]", names=["name"])
    assert all(part in text for part in (r"[b]x[/b]\x1b[2J", "[/t]", "[/c]"))
    assert all(char.isprintable() or char == "\n" for char in text)


def test_where_the_terminal_is_narrow_names_are_folded_and_no_figure_is_cut():
    text = shown(pd.DataFrame({"name": ["n" * 30], "adj. score": ["0.123456"]}), width=24, names=["name"])
    assert "…" not in text
    assert text.count("n") == 30 + len("n")  # the heading has one
    assert "0.123456" in text


def test_a_heading_is_broken_only_where_it_is_wider_than_its_figures():
    lines = shown(pd.DataFrame({"matmul-normalised time": ["1"], "95 %": ["0.1 to 0.2"]})).splitlines()
    assert [line.split() for line in lines if line.strip()][:2] == [
        ["matmul-normalised"],
        ["time", "95", "%"],
    ]


@pytest.mark.parametrize("edge", [True, False])
def test_sections_have_a_line_between_them(edge):
    table = pd.DataFrame({"set": ["a", "a", "b"], "n": ["1", "2", "3"]})
    rows = [line.strip() for line in shown(table, names=["set"], sections=[2], edge=edge).splitlines()]
    assert (
        rows.index(next(row for row in rows if row.startswith("b")))
        == rows.index(next(row for row in rows if row.endswith("2"))) + 2
    )


def test_text_is_shown_as_it_is():
    assert plain("[b]ä[/b]").plain == "[b]ä[/b]"
    assert plain("[b]").spans == []
    assert plain("a\x1b[31m\nb").plain == r"a\x1b[31m\nb"


def test_what_steers_a_terminal_is_spelled_out():
    assert printable("a\x1b[31m\u202e\r\né") == r"a\x1b[31m\u202e\r\né"
