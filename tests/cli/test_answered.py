"""What two stacks answer about the same moment, compared."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from cli.answered import QUESTIONS, ask_lines, ask_metrics, ask_silences, choose_evenly, list_differences

AT = 1_780_000_000.0


class Past:
    """A host that knows samples, lines and silences."""

    def __init__(
        self, samples: Mapping[str, str] | None = None, lines: Mapping[str, str] | None = None, silences: Any = None
    ) -> None:
        self.samples, self.lines, self.silences = samples or {}, lines or {}, silences
        self.queries: list[dict[str, str]] = []

    def ask_prometheus(self, path: str) -> Any:
        """Names of metrics, or a value of each that a query names."""
        where, query = urlsplit(path).path, {key: values[0] for key, values in parse_qs(urlsplit(path).query).items()}
        if where.startswith("label/"):
            return list(self.samples)
        self.queries.append(query)
        chosen = query["query"].split('"')[1].split("|")
        found = [{"metric": {"__name__": name}, "value": [AT, self.samples[name]]} for name in chosen]
        return {"result": found}

    def ask_loki(self, path: str) -> Any:
        """Numbers of lines by service."""
        self.queries.append({key: values[0] for key, values in parse_qs(urlsplit(path).query).items()})
        return {"result": [{"metric": {"service": key}, "value": [AT, value]} for key, value in self.lines.items()]}

    def list_alertmanagers(self) -> list[Any]:
        """One that knows the silences; none where they are not known."""
        return [] if self.silences is None else [SimpleNamespace(ask=lambda _: json.dumps(self.silences))]


def silence(name: str, updated: float, state: str = "active") -> dict[str, Any]:
    """A silence as Alertmanager's API describes it."""
    then = (datetime.fromtimestamp(AT, UTC) + timedelta(seconds=updated)).isoformat()
    return {"id": name, "comment": "c", "endsAt": "later", "updatedAt": then, "status": {"state": state}}


def test_metrics_are_asked_about_that_moment() -> None:
    """Sum and number of series of each, in few questions."""
    host: Any = Past({f"m{number}": f"{number}.5" for number in range(120)})
    found = ask_metrics(host, AT)
    assert found["sum of m7"] == found["count of m7"] == '"7.5"' and len(found) == 240
    assert len(host.queries) == 6 and {query["time"] for query in host.queries} == {"1780000000.000"}


def test_another_is_asked_about_the_same_metrics() -> None:
    """Whatever else it has: of another list others would be chosen."""
    known = {"sum of b": '"1"', "count of b": '"1"', "sum of d": '"1"'}
    host: Any = Past({name: "1" for name in "abcde"})
    assert ask_metrics(host, AT, known).keys() == {"sum of b", "count of b", "sum of d", "count of d"}


def test_of_many_metrics_some_are_asked() -> None:
    """From all over the alphabet, and never more than so many."""
    assert choose_evenly("abcdef", 3) == ["a", "c", "e"] and choose_evenly("ab", 3) == ["a", "b"]
    assert len(choose_evenly([str(number) for number in range(1001)], 200)) <= 200


def test_lines_are_counted_by_service() -> None:
    """Over the ten minutes before."""
    host: Any = Past(lines={"api": "12"})
    assert ask_lines(host, AT) == {"lines of api": "12"} and "[10m]" in host.queries[0]["query"]


def test_silences_of_then_are_listed() -> None:
    """Not those that came or were changed later, an early end included; there may be none."""
    host: Any = Past(silences=[silence("a", -60), silence("b", 60), silence("c", -60, "expired")])
    assert ask_silences(host, AT) == {"silence a": "c, until later", "silence c": "c, until later"}
    none: Any = Past(silences=[])
    assert ask_silences(none, AT) == {}


@pytest.mark.parametrize(("ask", "what"), [(ask_metrics, "samples"), (ask_lines, "lines"), (ask_silences, "no Alert")])
def test_nothing_to_compare_is_an_error(ask: Callable[..., Any], what: str) -> None:
    """Two stacks that know nothing are not the same."""
    with pytest.raises(RuntimeError, match=what):
        ask(Past(), AT)
    assert ask in QUESTIONS.values()


@pytest.mark.parametrize(
    ("known", "found", "differences"),
    [
        ({"a": '"1"'}, {"a": '"1"'}, []),
        ({"a": '"1.0000000000001"'}, {"a": '"1"'}, []),
        ({"a": '"1.001"'}, {"a": '"1"'}, ['a: "1.001", and restored "1"']),
        ({"a": "1"}, {}, ["a: 1, and restored nothing"]),
        ({}, {"a": "1"}, ["a: nothing, and restored 1"]),
        ({"a": "x"}, {"a": "y"}, ["a: x, and restored y"]),
    ],
)
def test_what_is_not_the_same_is_named(known: dict[str, str], found: dict[str, str], differences: list[str]) -> None:
    """Sums of floats may be added in another order; anything else is a difference, and so is what is missing."""
    assert list_differences(known, found) == differences
