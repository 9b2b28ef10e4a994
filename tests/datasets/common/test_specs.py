import time
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, Field, PositiveInt

from xadbench.datasets import InputError
from xadbench.datasets.common.specs import parse_yaml, read_spec


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
        ("name: a\nparts: [{size: 3, colour: red}]\n", r"parts\.0\.colour: unknown key; known: size$"),
        (
            "name: a\nparts: [{sizs: 3}]\n",
            r"parts\.0\.sizs: unknown key \(did you mean size\?\); known: size$",
        ),
        ("name: a\nparts: [{size: 0}]\n", r"parts\.0\.size: expected a number above 0 \(given: 0\)"),
        ("parts: []\n", "name: required, but not given$"),
        (
            "name: a\nparts: [{}]\ncolour: red\n",
            r"parts\.0\.size: required, but not given; colour: unknown key; known: name, parts$",
        ),
        (
            f"{{{', '.join(f'k{i}: 1' for i in range(9))}}}",
            "name: .*; parts: .*; k0: .*known: name, parts; k1: unknown key; k2: .*; and 6 more$",
        ),
        ("name: [\n", "not valid YAML"),
        ("name: a\nname: b\nparts: []\n", "key 'name' given twice"),
        ("", "the whole file: expected keys with their values"),
        ("name: !!python/object/apply:os.getcwd []\n", "not valid YAML"),
    ],
)
def test_a_bad_file_gives_one_line_with_file_and_key(tmp_path, text, message):
    (tmp_path / "s.yaml").write_text(text)
    with pytest.raises(InputError, match=rf"s\.yaml: .*{message}") as error:
        read_spec(tmp_path / "s.yaml", Outer)
    assert "\n" not in str(error.value)


def test_what_a_further_check_finds_stands_in_the_same_line(tmp_path):
    def check(outer):
        raise InputError(f"{outer.name} is taken, beside {len(outer.parts)} part")

    (tmp_path / "s.yaml").write_text("name: a\nparts: [{size: 3, colour: red}]\nshape: round\n")
    with pytest.raises(InputError, match=r"colour: .*; shape: .*; a is taken, beside 1 part$"):
        read_spec(tmp_path / "s.yaml", Outer, check)
    (tmp_path / "s.yaml").write_text("parts: []\n")  # too little is left
    with pytest.raises(InputError, match=r"name: required, but not given$"):
        read_spec(tmp_path / "s.yaml", Outer, check)


def test_a_key_of_a_union_lists_those_of_the_model_that_its_tag_chooses(tmp_path):
    """As in recipes, whose anomalies are distinguished by their kind."""

    class Cat(BaseModel, extra="forbid"):
        kind: Literal["cat"] = "cat"
        lives: int = 9

    class Dog(BaseModel, extra="forbid"):
        kind: Literal["dog"] = "dog"
        tricks: int = 0

    class Owner(BaseModel, extra="forbid"):
        pets: list[Annotated[Cat | Dog, Field(discriminator="kind")]]

    (tmp_path / "s.yaml").write_text("pets: [{kind: cat, tricks: 1}]")
    with pytest.raises(InputError, match=r"tricks: unknown key; known: kind, lives$"):
        read_spec(tmp_path / "s.yaml", Owner)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"gone\.yaml: cannot be read"):
        read_spec(tmp_path / "gone.yaml", Outer)


HASH_PERIOD = 2**61 - 1  # integers that differ by it have one hash


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1" + ":59" * 300_000, "integer of .*256 bits"),
        ("a: 0x" + "f" * 1_000_000, "integer of .*256 bits"),
        (f"{{{', '.join(f'{i * HASH_PERIOD}: 1' for i in range(20_000))}}}", "key that is an integer of "),
        ("[" * 1_000_000, "nested more than 100 deep"),
        ("a: *" + "x" * 1_000_000, "undefined alias"),
        ("name: a\nparts: [" + "{x: 1}, " * 20_000 + "]", "parts.0.size: .*; and 39995 more"),
    ],
    ids=["base 60", "hexadecimal", "keys", "depth", "alias", "faults"],
)
def test_a_megabyte_of_bad_yaml_is_refused_in_a_short_line_and_linear_time(tmp_path, text, message):
    (tmp_path / "s.yaml").write_text(text)
    start = time.process_time()
    with pytest.raises(InputError, match=message) as error:
        read_spec(tmp_path / "s.yaml", Outer)
    assert time.process_time() - start < 6
    assert len(str(error.value)) < 1000


def test_a_long_text_under_many_aliases_is_checked_once():
    start = time.process_time()
    values = parse_yaml(f"[&a '{'é' * 250_000}'{', *a' * 100_000}]", "s.yaml")
    assert len(values) == 100_001
    assert time.process_time() - start < 6
