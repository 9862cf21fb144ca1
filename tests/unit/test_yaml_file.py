"""Mistakes in YAML files, told by file and line with what would be right."""

from pathlib import Path
from typing import Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, field_validator

from lakehouse.errors import ConfigurationError
from lakehouse.yaml_file import read, validate


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Cat(_Strict):
    kind: Literal["cat"]
    lives: int = 9


class Dog(_Strict):
    kind: Literal["dog"]
    tricks: tuple[str, ...] = ()


class House(_Strict):
    street: str
    rooms: int = 1
    pets: dict[str, Cat | Dog] = Field(default={})
    doors: list[Cat] = []
    built: int | None = None
    owner: Cat | None = None

    @field_validator("rooms")
    @classmethod
    def _has_some(cls, value: int) -> int:
        if value < 1:
            raise ValueError("a house has a room at least.")
        return value


def refused(folder: Path, text: str) -> str:
    """What is said of a file of that text, its folder left out."""
    path = folder / "house.yml"
    path.write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        validate(House, read(path), path)
    return str(caught.value).replace(f"{folder}/", "")


def content(folder: Path, text: str) -> dict[str, Any]:
    path = folder / "house.yml"
    path.write_text(text)
    return read(path)


def test_a_file_is_a_mapping_and_an_empty_one_is_an_empty_mapping(tmp_path: Path) -> None:
    assert content(tmp_path, "street: a\nrooms: 2\n") == {"street": "a", "rooms": 2}
    assert content(tmp_path, "# nothing yet\n") == {}
    assert validate(House, {"street": "a"}, tmp_path / "nowhere.yml").rooms == 1


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"none\.yml: there is no such file"):
        read(tmp_path / "none.yml")


@pytest.mark.parametrize(("text", "found"), [("- a\n", "list"), ("word\n", "str"), ("5\n", "int")])
def test_what_is_no_mapping_is_refused_with_what_is_expected(tmp_path: Path, text: str, found: str) -> None:
    assert refused(tmp_path, text) == f"house.yml:1: found a {found}, expected a mapping (`key: value` lines)."


def test_yaml_that_does_not_parse_is_told_with_its_line(tmp_path: Path) -> None:
    assert refused(tmp_path, "street: a\nrooms: [1, 2\n").startswith("house.yml:3: not valid YAML: ")


def test_a_key_that_stands_twice_is_told_with_its_line(tmp_path: Path) -> None:
    assert refused(tmp_path, "street: a\nrooms: 1\nstreet: b\n") == (
        'house.yml:3: found duplicate key "street". Keep one of the two.'
    )


def test_an_unknown_key_is_told_with_the_one_that_was_meant(tmp_path: Path) -> None:
    assert refused(tmp_path, "street: a\nromos: 1\n") == "house.yml:2: unknown key 'romos'. Did you mean 'rooms'?"


def test_an_unknown_key_that_resembles_none_is_told_with_all_of_them(tmp_path: Path) -> None:
    assert refused(tmp_path, "street: a\nzzz: 1\n") == (
        "house.yml:2: unknown key 'zzz'. Known keys: built, doors, owner, pets, rooms, street."
    )


def test_the_keys_of_a_model_inside_are_suggested_there(tmp_path: Path) -> None:
    text = "street: a\ndoors:\n  - kind: cat\n  - kind: cat\n    livs: 3\n"
    assert refused(tmp_path, text) == "house.yml:5: unknown key 'livs'. Did you mean 'lives'?"
    text = "street: a\nowner:\n  kind: cat\n  livs: 3\n"
    assert refused(tmp_path, text) == "house.yml:4: unknown key 'livs'. Did you mean 'lives'?"


def test_a_key_that_is_missing_is_told_where_it_should_stand(tmp_path: Path) -> None:
    assert refused(tmp_path, "rooms: 1\n") == "house.yml:1: key 'street' is missing."
    assert refused(tmp_path, "street: a\ndoors:\n  - kind: cat\n  - lives: 1\n") == (
        "house.yml:4: key 'doors.1.kind' is missing."
    )


def test_a_value_of_a_wrong_type_is_shown(tmp_path: Path) -> None:
    message = refused(tmp_path, "street: a\n\nrooms: many\n")
    assert message.startswith("house.yml:3: rooms: Input should be a valid integer")
    assert message.endswith("(found 'many').")


def test_what_a_rule_of_the_model_says_is_told_in_its_words(tmp_path: Path) -> None:
    assert refused(tmp_path, "street: a\nrooms: 0\n") == "house.yml:2: rooms: a house has a room at least."


def test_a_mistake_in_one_of_several_kinds_is_told_by_its_line(tmp_path: Path) -> None:
    text = "street: a\npets:\n  tom: {kind: cat}\n  rex:\n    kind: dog\n    tricks: 5\n"
    assert any(line.startswith("house.yml:6: ") for line in refused(tmp_path, text).splitlines())


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    lines = refused(tmp_path, "romos: 1\nbuilt: long ago\n").splitlines()
    assert sorted(line.split(": ")[0] for line in lines) == ["house.yml:1", "house.yml:1", "house.yml:2"]
