"""Traces."""

from __future__ import annotations

from typing import Any

from tests.support.agents import build_document, call, faking, read

ID = "0123456789abcdef"


def build_span(key: str, parent: str, begin: int, length: int, **tags: Any) -> dict[str, Any]:
    """A span as Jaeger has it, times in microseconds."""
    return {
        "spanID": key,
        "processID": "p1",
        "operationName": f"op {key}",
        "startTime": begin,
        "duration": length,
        "references": [{"refType": "CHILD_OF", "spanID": parent}] if parent else [],
        "tags": [{"key": name, "value": value} for name, value in tags.items()],
        "logs": [{"fields": [{"key": "message", "value": "boom\x00"}]}],
    }


def test_spans_in_their_order() -> None:
    """Each after the one that it is within; what failed has its events, and a missing parent is none."""
    spans = [
        build_span("b", "a", 2000, 500, error=True),
        build_span("a", "", 1000, 9000, **{"http.url": "/x"}),
        build_span("c", "b", 2100, 100),
        build_span("d", "gone", 5000, 100),
        build_span("e", "a", 6000, 100),
    ]
    with faking() as fake:
        fake.answers[f"/api/traces/{ID}"] = lambda _: [{"spans": spans, "processes": {"p1": {"serviceName": "api"}}}]
        data = read(build_document(fake), "trace", trace_id=ID)
    shown = [(span["operation"], span["depth"]) for span in data["spans"]]
    assert shown == [("op a", 0), ("op b", 1), ("op c", 2), ("op e", 1), ("op d", 0)]
    assert data["duration_ms"] == 9 and data["failed"] == 1 and data["services"] == ["api"]
    assert data["spans"][1]["fields"] == {"error": "True", "event.message": "boom"}
    assert data["spans"][1]["starts_ms"] == 1 and data["spans"][0]["fields"] == {"http.url": "/x"}


def test_spans_that_are_within_each_other_end() -> None:
    """A circle of parents is foreign data like any other: it is not followed for ever."""
    spans = [build_span("a", "b", 1, 1), build_span("b", "a", 2, 1), build_span("c", "", 3, 1)]
    with faking() as fake:
        fake.answers[f"/api/traces/{ID}"] = lambda _: [{"spans": spans, "processes": {}}]
        assert [span["operation"] for span in read(build_document(fake), "trace", trace_id=ID)["spans"]] == ["op c"]


def test_a_trace_that_is_not_there() -> None:
    """That is said in words, and an id is hexadecimal digits alone."""
    with faking() as fake:
        fake.answers[f"/api/traces/{ID}"] = lambda _: []
        assert "was not sampled" in call(build_document(fake), "trace", trace_id=ID).text
        assert call(build_document(fake), "trace", trace_id="../services").result == "refused"
        assert len(fake.requests) == 1


def test_a_long_trace_is_cut() -> None:
    """Thousands of spans: fields go first, then spans."""
    spans = [build_span(str(n), "", n, 1, text="x" * 300) for n in range(3000)]
    with faking() as fake:
        fake.answers[f"/api/traces/{ID}"] = lambda _: [{"spans": spans, "processes": {}}]
        data = read(build_document(fake), "trace", trace_id=ID)
    assert not data["complete"] and not data["spans"][0]["fields"] and data["omitted"] == 3000 - len(data["spans"])
