"""Errors and durations."""

from __future__ import annotations

from typing import Any

from tests.support.agents import FakeSources, Parameters, build_document, call, faking, read

SERVICES = {
    "api": {
        "queries": {
            "requests": "requests[$duration]",
            "errors": "errors[$duration]",
            "errors_by_endpoint": "paths[$duration]",
            "requests_by_status": "statuses[$duration]",
            "p50": "p50[$duration]",
            "p95": "p95[$duration]",
            "p99": "p99[$duration]",
            "p95_by_endpoint": "slow[$duration]",
        }
    },
    "calm": {"queries": {"requests": "c[$duration]", "errors": "ce[$duration]"}},
    "bare": {},
}


def fill(fake: FakeSources) -> None:
    """An api of which a tenth fails."""
    fake.vectors = {
        "requests[15m]": [({}, 200)],
        "errors[15m]": [({}, 20)],
        "paths[15m]": [({"path": "/b"}, 15), ({"path": "/a"}, 5)],
        "statuses[15m]": [({"status": "200"}, 180), ({"status": "500"}, 20)],
        "c[15m]": [({}, 10)],
        "ce[15m]": [({}, 0)],
        "p50[15m]": [({}, 0.1)],
        "p95[15m]": [({}, 2.0)],
        "p99[15m]": [({}, float("nan"))],
        "slow[15m]": [({"path": "/a"}, 1), ({"path": "/b"}, 3)],
    }
    fake.answers["/loki/api/v1/index/stats"] = lambda _: b'{"bytes": 1000}'
    lines = [["1000000000", "an old error"], ["3000000000", "error: out of memory"]]
    fake.answers["/loki/api/v1/query_range"] = lambda _: {
        "resultType": "streams",
        "result": [{"stream": {"service": "api"}, "values": lines}],
    }


def test_errors_lead_to_endpoint_and_lines() -> None:
    """The worst service first: its share, endpoints, statuses, and its newest error lines."""
    with faking() as fake:
        fill(fake)
        data = read(build_document(fake, services=SERVICES), "error_analysis", duration="15m")
        assert [each["service"] for each in data["services"]] == ["api", "calm"] and data["not_measured"] == ["bare"]
        api = data["services"][0]
        assert (api["requests"], api["errors"], api["error_ratio"]) == (200, 20, 0.1)
        assert api["by_endpoint"] == [{"name": "/b", "value": 15}, {"name": "/a", "value": 5}]
        assert data["services"][1]["error_ratio"] == 0
        assert data["lines_of"] == "api" and [line["line"] for line in data["lines"]] == [
            "error: out of memory",
            "an old error",
        ]
        sent = [given for _, path, given in fake.requests if path == "/loki/api/v1/query_range"]
        assert sent[0]["query"][0].startswith('{service="api"} |~ "(?i)(error|')


def test_a_service_without_counts_has_lines() -> None:
    """Where nothing is counted, lines still say what is wrong."""
    with faking() as fake:
        fill(fake)
        data = read(build_document(fake, services=SERVICES), "error_analysis", duration="15m", service="bare")
    assert data["not_measured"] == ["bare"] and data["lines_of"] == "bare" and len(data["lines"]) == 2


def test_loki_away_leaves_numbers() -> None:
    """An answer without lines says that it is not complete."""

    def fail(_: Parameters) -> Any:
        return b"not json"

    with faking() as fake:
        fill(fake)
        fake.answers["/loki/api/v1/index/stats"] = fail
        data = read(build_document(fake, services=SERVICES), "error_analysis", duration="15m")
    assert not data["complete"] and data["services"] and data["hint"].startswith("Without log lines: loki answers 200")


def test_slow_requests() -> None:
    """Quantiles in seconds and the slowest endpoints; what is not measured is null."""
    with faking() as fake:
        fill(fake)
        data = read(build_document(fake, services=SERVICES), "latency_analysis", duration="15m")
    (api,) = data["services"]
    assert (api["p50"], api["p95"], api["p99"]) == (0.1, 2, None)
    assert api["slowest_endpoints"] == [{"name": "/b", "value": 3}, {"name": "/a", "value": 1}]
    assert data["not_measured"] == ["bare", "calm"]


def test_a_duration_is_nothing_else() -> None:
    """It stands in queries: nothing but a duration gets there."""
    with faking() as fake:
        document = build_document(fake, services=SERVICES)
        for wrong in ("5m])) or vector(1) #", "0s", "99d"):
            assert call(document, "error_analysis", duration=wrong).result == "refused"
        assert not fake.requests
