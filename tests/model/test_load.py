"""The loader reads YAML as it looks, and says where and how a document is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import pytest
from pydantic import Field, model_validator

from model.base import Duration, Name, Strict
from model.errors import ConfigError, Inconsistent, Problem
from model.load import parse_model, read_yaml


def document(folder: Path, text: str) -> Any:
    """What the loader makes of a text."""
    path = folder / "x.yaml"
    path.write_text(text, encoding="utf-8")
    return read_yaml(path, folder)


def said(folder: Path, text: str) -> str:
    """The one problem of a text that is no document."""
    with pytest.raises(ConfigError) as caught:
        document(folder, text)
    assert len(caught.value.problems) == 1
    return str(caught.value.problems[0])


# -- YAML ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("false", False),
        ("yes", "yes"),
        ("no", "no"),
        ("on", "on"),
        ("NO", "NO"),
        ("True", "True"),
        ("12", 12),
        ("-3", -3),
        ("007", "007"),
        ("0o17", "0o17"),
        ("0x1F", "0x1F"),
        ("1_000", "1_000"),
        ("12:30:45", "12:30:45"),
        ("22:22", "22:22"),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        ("1e-3", 0.001),
        (".inf", ".inf"),
        (".nan", ".nan"),
        ("1.", "1."),
        ("1.2.3", "1.2.3"),
        ("2024-01-01", "2024-01-01"),
        ("null", None),
        ("~", None),
        ("'12'", "12"),
    ],
)
def test_plain_values_are_what_they_look_like(text: str, value: Any, tmp_path: Path) -> None:
    """The traps of YAML 1.1 are closed: only true and false are booleans, only decimal numbers are numbers."""
    read = document(tmp_path, f"a: {text}")["a"]
    assert read == value
    assert type(read) is type(value)


def test_anchors_and_merge_keys_work(tmp_path: Path) -> None:
    """What is written once can be used twice, and a merged key may be overridden."""
    text = "base: &b {port: 1, path: /a}\nuse:\n  <<: *b\n  port: 2\nsame: *b\n"
    assert document(tmp_path, text)["use"] == {"port": 2, "path": "/a"}
    assert document(tmp_path, text)["same"] == {"port": 1, "path": "/a"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", "x.yaml: line 3: key 'a' stands twice (lines 1 and 3)"),
        ("a:\n  b: 1\n  b: 1\n", "x.yaml: line 3: key 'b' stands twice (lines 2 and 3)"),
        ("a: [{b: 1, b: 2}]\n", "x.yaml: line 1: key 'b' stands twice (lines 1 and 1)"),
        ("? [a]\n: b\n", "x.yaml: line 1: a key must be plain text"),
        ("a: *b\n", "x.yaml: line 1: found undefined alias 'b'"),
        ("a: !!python/object:os.system x\n", "x.yaml: line 1: could not determine a constructor"),
        ("a: 'b\n", "x.yaml: line 2: found unexpected end of stream"),
        ("a: 1\n  b: 2\n", "x.yaml: line 2: mapping values are not allowed here"),
        ("a\x00b", "x.yaml: is not UTF-8 text"),
    ],
)
def test_what_is_no_document_is_refused_with_its_line(text: str, message: str, tmp_path: Path) -> None:
    """Duplicate keys, wrong syntax and foreign tags are named with the line they stand in."""
    assert said(tmp_path, text).startswith(message)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    """A missing file names its nearest neighbour; a directory and other encodings are said to be what they are."""
    (tmp_path / "plue.yaml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match=r"plu.yaml: there is no such file; did you mean 'plue'\?"):
        read_yaml(tmp_path / "plu.yaml", tmp_path)
    with pytest.raises(ConfigError, match=r"plue.yaml: is not UTF-8 text"):
        read_yaml(tmp_path / "plue.yaml")
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        read_yaml(tmp_path)


# -- models ----------------------------------------------------------------------------------------------------------


class Inner(Strict):
    """An inner model."""

    size: int
    """How large it is."""
    kind: Literal["one", "two"] = "one"
    """What it is."""
    every: Duration | None = None
    """How often."""


class Outer(Strict):
    """An outer model."""

    first: Inner | None = None
    """An inner model."""
    by_name: Mapping[Name, Inner] = Field(default_factory=dict)
    """Inner models by name."""
    listed: tuple[Inner, ...] = Field(default=(), min_length=1)
    """Inner models in a list."""
    flag: bool = False
    """A flag."""
    text: str = ""
    """A text."""

    @model_validator(mode="after")
    def _sizes(self) -> Outer:
        found = [Problem(f"byName.{key}.size", "is too large") for key, i in self.by_name.items() if i.size > 9]
        if found:
            raise Inconsistent(found)
        return self


class Holder(Strict):
    """A model that holds one with a check of its own."""

    outer: Outer
    """The outer model."""


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"frist": {}}, "f: frist: unknown key 'frist'; did you mean 'first'?"),
        ({"by_name": {}}, "f: by_name: unknown key 'by_name'; did you mean 'byName'?"),
        ({"first": {"siz": 1, "size": 1}}, "f: first.siz: unknown key 'siz'; did you mean 'size'?"),
        ({"byName": {"a": {"size": 1, "kin": 1}}}, "f: byName.a.kin: unknown key 'kin'; did you mean 'kind'?"),
        ({"listed": [{"size": 1, "x": 1}]}, "f: listed[0].x: unknown key 'x'; valid are: every, kind, size"),
        ({"first": {}}, "f: first.size: is required: How large it is."),
        ({"listed": [{"size": 1}, {}]}, "f: listed[1].size: is required: How large it is."),
        ({"listed": []}, "f: listed: []: must have at least 1 entry"),
        ({"byName": {"A": {"size": 1}}}, 'f: byName.A: "A": must be lower-case words of letters and digits'),
        ({"byName": []}, "f: byName: []: must be a mapping of keys to values"),
        ({"first": 1}, "f: first: 1: must be a mapping of keys to values"),
        ({"listed": {}}, "f: listed: {}: must be a list"),
        ({"flag": "yes"}, 'f: flag: "yes": must be true or false'),
        ({"flag": None}, "f: flag: null: must be true or false"),
        ({"text": 1.5}, 'f: text: 1.5: must be text; put it in "quotes"'),
        ({"text": ["a"]}, 'f: text: ["a"]: must be text'),
        ({"first": {"size": "1"}}, 'f: first.size: "1": must be a whole number'),
        ({"first": {"size": 1.5}}, "f: first.size: 1.5: must be a whole number"),
        ({"first": {"size": 1, "kind": "tow"}}, "f: first.kind: \"tow\" is not known; did you mean 'two'?"),
        ({"first": {"size": 1, "every": "x"}}, "the longest unit first, for example 30s"),
        ({"first": {"size": 1, "every": "0s"}}, 'f: first.every: "0s": must be longer than zero'),
        ({"byName": {"a": {"size": 10}}}, "f: byName.a.size: is too large"),
        ([], "f: must be a mapping of keys to values, not []"),
        (None, "f: must be a mapping of keys to values, not null"),
        ("x" * 100, 'f: must be a mapping of keys to values, not "xxxx'),
    ],
)
def test_one_problem_with_place_value_and_remedy(data: Any, message: str) -> None:
    """Each mistake is one problem: its path, the value, and what would be right."""
    with pytest.raises(ConfigError) as caught:
        parse_model(Outer, data, "f")
    assert len(caught.value.problems) == 1, str(caught.value)
    assert message in str(caught.value.problems[0])


def test_all_problems_at_once() -> None:
    """Nothing hides behind the first mistake."""
    with pytest.raises(ConfigError) as caught:
        parse_model(Outer, {"flag": 1, "text": 1, "first": {"size": "x", "kind": "y"}, "z": 0}, "f")
    assert [p.where for p in caught.value.problems] == ["f: first.size", "f: first.kind", "f: flag", "f: text", "f: z"]


def test_problems_of_an_inner_check_have_the_full_path() -> None:
    """A model's own check speaks of its own keys; the report puts the way to the model before them."""
    with pytest.raises(ConfigError) as caught:
        parse_model(Holder, {"outer": {"byName": {"a": {"size": 10}, "b": {"size": 11}}}}, "f")
    assert [p.where for p in caught.value.problems] == ["f: outer.byName.a.size", "f: outer.byName.b.size"]


def test_long_values_are_cut() -> None:
    """A value that fills the screen is shown by its beginning."""
    with pytest.raises(ConfigError) as caught:
        parse_model(Outer, {"flag": "x" * 1000}, "f")
    assert len(str(caught.value.problems[0])) < 120


def test_a_document_inside_itself_is_refused() -> None:
    """An alias to its own parent is an error and not an endless loop."""
    data: dict[str, Any] = {}
    data["first"] = data
    with pytest.raises(ConfigError, match="an alias refers to what contains it"):
        parse_model(Outer, data, "f")


def test_good_data_becomes_a_model() -> None:
    """Lists become tuples and mappings keep their order."""
    outer = parse_model(
        Outer, {"byName": {"b": {"size": 1}, "a": {"size": 2, "every": "5m"}}, "listed": [{"size": 3}]}, "f"
    )
    assert list(outer.by_name) == ["b", "a"]
    assert outer.listed == (Inner(size=3),)
