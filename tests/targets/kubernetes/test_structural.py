"""Objects judged by the schemas of their definitions."""

from __future__ import annotations

from typing import Any

import pytest

from targets.kubernetes.structural import check_value

DURATION = {"type": "string", "pattern": r"^(0|(([0-9]+)m)?(([0-9]+)s)?)$"}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["interval"],
    "properties": {
        "interval": DURATION,
        "scheme": {"type": "string", "enum": ["http", "https"]},
        "port": {"x-kubernetes-int-or-string": True, "anyOf": [{"type": "integer"}, {"type": "string"}]},
        "limit": {"type": "integer", "minimum": 1, "maximum": 9},
        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
        "targets": {"type": "array", "minItems": 1, "maxItems": 2, "items": {"type": "string", "minLength": 1}},
        "groups": {
            "type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"],
            "items": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        },
        "ratio": {"type": "number"},
        "flag": {"type": "boolean", "nullable": True},
        "any": {"x-kubernetes-preserve-unknown-fields": True},
        "one": {
            "type": "object", "properties": {"a": {}, "b": {}}, "oneOf": [{"required": ["a"]}, {"required": ["b"]}],
        },
        "not": {"type": "string", "not": {"enum": ["x"]}},
    },
}  # fmt: skip


def said(**given: Any) -> list[str]:
    """What is wrong with an object that is right in all else."""
    return [*check_value({"interval": "15s", **given}, SCHEMA, "spec")]


@pytest.mark.parametrize(
    "given",
    [
        {}, {"interval": "1m15s"}, {"scheme": "https"}, {"port": 80}, {"port": "http"}, {"limit": 9}, {"flag": True},
        {"labels": {"any": "thing"}}, {"targets": ["a", "b"]}, {"groups": [{"name": "a"}, {"name": "b", "x": 1}]},
        {"ratio": 1}, {"ratio": 0.5}, {"flag": None}, {"any": {"a": [1]}}, {"one": {"a": 1}}, {"not": "y"},
    ],
    ids=str,
)  # fmt: skip
def test_what_fits_is_taken(given: dict[str, Any]) -> None:
    """Nothing is said of a good object."""
    assert said(**given) == []


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"interval": "15 s"}, 'spec.interval: "15 s" must match'),
        ({"interval": "15s\n"}, 'spec.interval: "15s\\n" must match'),
        ({"interval": 15}, "spec.interval: 15 must be of type string"),
        ({"intervall": "1s"}, "spec.intervall: unknown field 'intervall'; did you mean 'interval'?"),
        ({"scheme": "htp"}, "spec.scheme: \"htp\" is not known; did you mean 'http'?"),
        ({"port": True}, "spec.port: true must be a number or text"),
        ({"port": 1.5}, "spec.port: 1.5 must be a number or text"),
        ({"limit": 0}, "spec.limit: 0, but 1 at least"),
        ({"limit": 10}, "spec.limit: 10, but 9 at most"),
        ({"limit": True}, "spec.limit: true must be of type integer"),
        ({"labels": {"a": 1}}, "spec.labels.a: 1 must be of type string"),
        ({"targets": []}, "spec.targets: 0 entries, but 1 at least"),
        ({"targets": ["a", ""]}, "spec.targets[1]: 0 characters, but 1 at least"),
        ({"targets": ["a", "b", "c"]}, "spec.targets: 3 entries, but 2 at most"),
        ({"groups": [{"name": "a"}, {"name": "a"}]}, 'spec.groups[1]: {"name": "a"} stands there twice'),
        ({"flag": "true"}, 'spec.flag: "true" must be of type boolean'),
        ({"one": {}}, "spec.one: {} must fit exactly one part of"),
        ({"one": {"a": 1, "b": 1}}, "must fit exactly one part of"),
        ({"not": "x"}, 'spec.not: "x" must not fit'),
    ],
    ids=str,
)
def test_what_does_not_fit_is_told(given: dict[str, Any], text: str) -> None:
    """One message, with the path, the bad value and what would be right."""
    (found,) = said(**given)
    assert text in found


def test_what_is_needed_is_asked_for() -> None:
    """A required field has its path, and every problem of an object is told."""
    assert [*check_value({"limit": 0, "x": 1}, SCHEMA)] == [
        "interval: is required", "limit: 0, but 1 at least", "x: unknown field 'x'; valid are: any, flag, groups,"
        " interval, labels, limit, not, one, port, ratio, scheme, targets",
    ]  # fmt: skip


@pytest.mark.parametrize(("text", "fits"), [("Monday:friday", True), ("MONday", True), ("monday:Friday", False)])
def test_patterns_are_written_for_go(text: str, fits: bool) -> None:
    """A flag that holds to the end of its group, as in the operator's weekdays."""
    pattern = "^((?i)mon|fri)day(?:((:(mon|fri)day)$)|$)"
    found = [*check_value(text, {"type": "string", "pattern": pattern}, "spec")]
    assert bool(found) is not fits
