"""Ready queries on services' own metrics."""

from __future__ import annotations

import promql_parser
import pytest

from components.mcp.queries import RECORDED, build_queries
from tests.support.golden import plan_as

KINDS = {"requests", "errors", "errors_by_endpoint", "requests_by_status", "p50", "p95", "p99", "p95_by_endpoint"}


@pytest.mark.parametrize("stack", ["dev", "pluggedin", "agenttrace", "devops-mcp", "execora"])
def test_every_query_of_every_system_is_promql(stack: str) -> None:
    """Of known kinds, and parsed by Prometheus' grammar once a duration stands in them."""
    system = plan_as(stack, stack).system
    kinds: set[str] = set()
    for key in system.services:
        queries = build_queries(system, key)
        kinds |= queries.keys()
        for query in queries.values():
            assert "[$duration]" in query
            promql_parser.parse(query.replace("$duration", "15m"))
    assert kinds <= KINDS and "requests" in kinds


def test_queries_follow_what_a_service_declares() -> None:
    """plue's api: its own names, its own labels, milliseconds as seconds."""
    queries = build_queries(plan_as("dev", "dev").system, "api")
    assert queries.keys() == KINDS
    assert queries["errors_by_endpoint"].startswith("topk(10, sum by (path) (increase(plue_http_requests_total{")
    assert 'status=~"5.."' in queries["errors"] and " or 0 * sum (" in queries["errors"]
    assert queries["p95_by_endpoint"].startswith("topk(10, histogram_quantile(0.95, sum by (le, path) (rate(plue_http")
    assert queries["p95"].endswith(" / 1000")


def test_recorded_series_are_recorded() -> None:
    """What the server reads as recorded is recorded by the stack's own rules."""
    records = {rule.record for group in plan_as("dev", "dev").telemetry.rules for rule in group.recordings}
    assert set(RECORDED.values()) <= records
