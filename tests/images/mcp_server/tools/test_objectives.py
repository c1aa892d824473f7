"""Objectives."""

from __future__ import annotations

from mcp_server.tools.objectives import QUERIES
from packs.slo_alerts import build_latest_query
from tests.support.agents import build_document, call, faking, read


def test_the_least_budget_comes_first() -> None:
    """Promised, achieved, what is left, how quickly it is spent, and for how long it lasts."""
    good, bad, new = (
        {"slo": name, "service": "api", "window": "30d", "environment": "dev"} for name in ("good", "bad", "new")
    )
    with faking() as fake:
        fake.vectors = {
            QUERIES["objective"]: [(good, 0.999), (bad, 0.99), (new, 0.9)],
            QUERIES["achieved"]: [(good, 0.9995), (bad, 0.98)],
            QUERIES["left"]: [(good, 0.5), (bad, -1)],
            QUERIES["burn_1h"]: [(good, 2), (bad, 0)],
            QUERIES["burn_6h"]: [(good, 3)],
        }
        document = build_document(fake)
        data = read(document, "slo_status")
        assert [(each["slo"], each["status"]) for each in data["objectives"]] == [
            ("bad", "missed"),
            ("good", "spending"),
            ("new", "unknown"),
        ]
        first = read(document, "slo_status", slo="good")["objectives"][0]
        assert (first["objective"], first["budget_left"], first["burn_rate_6h"]) == (0.999, 0.5, 3)
        assert first["days_until_spent"] == 5 and first["window"] == "30d"
        assert "the objectives are: bad, good, new" in call(document, "slo_status", slo="x").text


def test_a_system_without_objectives() -> None:
    """An empty answer says why it is empty."""
    with faking() as fake:
        assert read(build_document(fake), "slo_status")["hint"] == "This system has no objectives."


def test_what_is_recorded_seldom_is_read_as_the_rules_do() -> None:
    """The image knows nothing of the packs, and its queries look as far back as those of alerts and panels."""
    assert QUERIES["achieved"] == f"1 - {build_latest_query('slo:error_ratio:window')}"
    assert QUERIES["left"] == build_latest_query("slo:error_budget_remaining:ratio")
