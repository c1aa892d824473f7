"""LogQL."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from mcp_server.text import estimate_tokens
from tests.support.agents import FakeSources, build_document, call, faking, read

STATS, RANGE = "/loki/api/v1/index/stats", "/loki/api/v1/query_range"


@pytest.fixture
def fake() -> Iterator[FakeSources]:
    """Sources whose Loki has three lines and says that a query is cheap."""
    with faking() as started:
        started.answers[STATS] = lambda _: b'{"bytes": 5000}'
        started.answers[RANGE] = lambda _: build_streams(["one", "two", "three"])
        yield started


def build_streams(lines: list[str]) -> dict[str, Any]:
    """Lines of a stream, a second between them."""
    values = [[f"{number}000000000", line] for number, line in enumerate(lines, 1)]
    return {"resultType": "streams", "result": [{"stream": {"job": "containerlogs"}, "values": values}]}


def test_lines_have_a_cost(fake: FakeSources) -> None:
    """The index is read before the lines; the newest line is the first, unless it is to be the last."""
    document = build_document(fake)
    data = read(document, "loki_query", query='{job="containerlogs"} |= "error"')
    assert [request[1] for request in fake.requests] == [STATS, RANGE] and data["bytes_read"] == 5000
    assert fake.requests[0][2]["query"] == ['{job="containerlogs"}']
    assert [line["line"] for line in data["lines"]] == ["three", "two", "one"] and data["complete"]
    forward = read(document, "loki_query", query='{job="a"}', direction="forward")
    assert [line["line"] for line in forward["lines"]] == ["one", "two", "three"]


def test_a_week_of_lines_is_refused_before_it_is_read(fake: FakeSources) -> None:
    """Too many bytes: the refusal says how many, and a time that would do."""
    fake.answers[STATS] = lambda _: b'{"bytes": 700000000000}'
    answered = call(build_document(fake), "loki_query", query='{job="containerlogs"}', start="now-7d")
    assert answered.result == "refused" and "667572 MiB" in answered.text and "about 927 s" in answered.text
    assert [request[1] for request in fake.requests] == [STATS]


def test_a_query_needs_a_selector(fake: FakeSources) -> None:
    """Without one nothing can be costed, and nothing is sent."""
    assert "begins with a selector" in call(build_document(fake), "loki_query", query='|= "x"').text
    assert not fake.requests


def test_more_lines_than_wanted(fake: FakeSources) -> None:
    """One line more is read than is wanted, to know whether there are more."""
    data = read(build_document(fake), "loki_query", query="{}", limit=2)
    assert not data["complete"] and len(data["lines"]) == 2 and "more lines" in data["hint"]
    assert fake.requests[1][2]["limit"] == ["3"]


def test_long_and_hostile_lines(fake: FakeSources) -> None:
    """A line of a megabyte is cut, control characters are gone, and the answer has its length."""
    fake.answers[RANGE] = lambda _: build_streams(["\x1b[2J" + "A" * 1_000_000, *["B" * 390] * 99])
    answered = call(build_document(fake), "loki_query", query="{}", limit=100)
    assert answered.data and "\x1b" not in answered.text and estimate_tokens(answered.text) <= 10_000
    assert not answered.data["complete"] and answered.data["omitted"] == 100 - len(answered.data["lines"])


def test_an_answer_that_is_too_long_to_read(fake: FakeSources) -> None:
    """That is a refusal with what to do."""
    document = build_document(fake, bounds={"source_bytes": 100})
    answered = call(document, "loki_query", query="{}")
    assert answered.result == "refused" and "fewer lines by limit" in answered.text


def test_numbers_made_of_lines(fake: FakeSources) -> None:
    """A metric query gives series, of which only so many are shown."""
    result = [{"metric": {"n": str(n)}, "values": [[0, "1"], [60, "3"]]} for n in range(201)]
    fake.answers[RANGE] = lambda _: {"resultType": "matrix", "result": result}
    data = read(build_document(fake), "loki_query", query='sum by (n) (rate({job="a"}[5m]))')
    assert data["series"][0]["mean"] == "2" and len(data["series"]) + data["omitted"] == 201 and not data["complete"]
