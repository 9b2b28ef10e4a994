import pytest
from pydantic import BaseModel, PositiveInt

from xadbench.datasets import InputError
from xadbench.datasets.common.specs import read_spec


class Inner(BaseModel, frozen=True, extra="forbid"):
    size: PositiveInt


class Outer(BaseModel, frozen=True, extra="forbid"):
    name: str
    parts: list[Inner]


def test_a_good_file_is_read(tmp_path):
    (tmp_path / "s.yaml").write_text("name: a\nparts: [{size: 3}]\n")
    assert read_spec(tmp_path / "s.yaml", Outer) == Outer(name="a", parts=[Inner(size=3)])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: a\nparts: []\ncolour: red\n", "colour: unknown key; known: name, parts$"),
        ("name: a\nparts: [{size: 3, colour: red}]\n", r"parts\.0\.colour: unknown key$"),
        ("name: a\nparts: [{size: 0}]\n", r"parts\.0\.size: .*greater than 0 \(given: 0\)"),
        ("parts: []\n", "name: Field required$"),
        ("name: a\nparts: [{}]\ncolour: red\n", r"parts\.0\.size: Field required; also wrong: colour$"),
        (f"{{{', '.join(f'k{i}: 1' for i in range(9))}}}", "also wrong: parts, k0, k1, k2, k3 and 5 more$"),
        ("name: [\n", "not valid YAML"),
        ("name: a\nname: b\nparts: []\n", "key 'name' given twice"),
        ("", "the whole file: Input should be a valid dictionary"),
        ("name: !!python/object/apply:os.getcwd []\n", "not valid YAML"),
    ],
)
def test_a_bad_file_gives_one_line_with_file_and_key(tmp_path, text, message):
    (tmp_path / "s.yaml").write_text(text)
    with pytest.raises(InputError, match=rf"s\.yaml: .*{message}") as error:
        read_spec(tmp_path / "s.yaml", Outer)
    assert "\n" not in str(error.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"gone\.yaml: cannot be read"):
        read_spec(tmp_path / "gone.yaml", Outer)
