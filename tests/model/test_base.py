"""The small types that settings are made of accept and refuse the right texts."""

from __future__ import annotations

import re
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from model.base import (
    PATTERN_TEXTS,
    Duration,
    LabelName,
    MetricName,
    Name,
    PortNumber,
    Size,
    Strict,
    escape_dollars,
    format_go_duration,
    is_dns_name,
    parse_duration,
    parse_size,
)
from model.descriptions import list_descriptions

GOOD: list[tuple[Any, list[Any]]] = [
    (Name, ["a", "node-exporter", "a1-b2", "a" * 40]),
    (Duration, ["30s", "1h30m", "15d", "500ms", "1y2w3d4h5m6s7ms", "292y"]),
    (Size, ["1B", "512MiB", "10GiB", "8TiB"]),
    (PortNumber, [1, 65535]),
    (MetricName, ["up", "job:http:rate5m", "_x", "A1"]),
    (LabelName, ["service", "_x", "status_code", "A1"]),
]
BAD: list[tuple[Any, list[Any]]] = [
    (Name, ["", "A", "a_b", "1a", "a-", "-a", "a--b", "a b", "a\n", "a" * 41, "ä", 1, None]),
    (
        Duration,
        ["", "0s", "0h0m", "30", "s", "1.5h", "-1s", "1s1h", "1h1h", "1 h", "30s\n", "293y", "9" * 30 + "d", 30],
    ),
    (Size, ["", "0MiB", "512", "512MB", "1.5GiB", "-1B", "512MiB\n", "9999999999TiB", 512]),
    (PortNumber, [0, -1, 65536, "80", 80.0, True]),
    (MetricName, ["", "1a", "a-b", "a b", "a\n", "é"]),
    (LabelName, ["", "1a", "a-b", "a:b", "__name__", "_", "a\n"]),
]


@pytest.mark.parametrize(("kind", "value"), [(kind, value) for kind, values in GOOD for value in values])
def test_good_values_are_accepted(kind: Any, value: Any) -> None:
    """What the type is for passes unchanged."""
    assert TypeAdapter(kind).validate_python(value, strict=True) == value


@pytest.mark.parametrize(("kind", "value"), [(kind, value) for kind, values in BAD for value in values])
def test_bad_values_are_refused(kind: Any, value: Any) -> None:
    """What a tool would refuse, or silently read as something else, does not pass."""
    with pytest.raises(ValidationError):
        TypeAdapter(kind).validate_python(value, strict=True)


@pytest.mark.parametrize(
    ("text", "length"), [("30s", 30), ("1h30m", 5400), ("15d", 1_296_000), ("500ms", 0.5), ("1w", 604_800), ("1m", 60)]
)
def test_durations_in_seconds(text: str, length: float) -> None:
    """Each unit counts as Prometheus counts it; m is minutes and ms is milliseconds."""
    assert parse_duration(text) == length


@pytest.mark.parametrize(("text", "size"), [("1B", 1), ("1KiB", 1024), ("512MiB", 536_870_912), ("1TiB", 2**40)])
def test_sizes_in_bytes(text: str, size: int) -> None:
    """Units are powers of two."""
    assert parse_size(text) == size


def test_a_size_without_unit_is_an_error() -> None:
    """Bytes are never guessed."""
    with pytest.raises(ValueError, match="such as 512MiB"):
        parse_size("512")


def test_patterns_with_words_are_valid() -> None:
    """Every pattern that is explained in words can be compiled."""
    assert all(re.compile(pattern) and words for pattern, words in PATTERN_TEXTS.items())


class Example(Strict):
    """An example."""

    some_number: int = 1
    """A number."""


@pytest.mark.parametrize("data", [{"some_number": 1}, {"someNumber": "1"}, {"someNumber": 1.0}, {"other": 1}])
def test_strict_models_are_closed_and_do_not_convert(data: dict[str, Any]) -> None:
    """Keys are camelCase and known; texts and fractions are no whole numbers."""
    with pytest.raises(ValidationError):
        Example.model_validate(data)


def test_strict_models_are_frozen_and_described() -> None:
    """Nothing can be changed afterwards, and the docstring of a field is its description."""
    example = Example.model_validate({"someNumber": 2})
    with pytest.raises(ValidationError):
        example.some_number = 3  # type: ignore[misc]
    assert list_descriptions(Example) == {"some_number": "A number."}


@pytest.mark.parametrize(
    ("host", "named"),
    [
        ("m.example.com", True),
        ("a", True),
        ("10.0.0.1", False),
        ("[::1]", False),
        ("M.example.com", False),
        ("", False),
    ],
)
def test_names_are_told_from_addresses(host: str, named: bool) -> None:
    """What DNS has, not what a network has."""
    assert is_dns_name(host) is named


@pytest.mark.parametrize(
    ("duration", "text"), [("1w1d", "192h"), ("1d12h30m", "36h30m"), ("10s", "10s"), ("1500ms", "1s500ms")]
)
def test_go_reads_no_days(duration: str, text: str) -> None:
    """Days, weeks and years become hours; what Go's parser knows stays."""
    assert format_go_duration(duration) == text


def test_a_dollar_sign_is_no_variable() -> None:
    """Expressions end with one, and a collector or compose would look for a variable behind it."""
    assert escape_dollars({"a": ["^x$", {"b": "${c}"}], "d": 1}) == {"a": ["^x$$", {"b": "$${c}"}], "d": 1}
