"""What a part needs has to be offered by another one; what is switched off is named with all that stands on it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from model.checks import needs
from model.telemetry import (
    DOCKER_API,
    DRAWING,
    EVALUATION,
    LOG_FILES,
    Dashboard,
    Datasource,
    Need,
    ScrapeJob,
    Telemetry,
    name_series_offer,
)
from tests.model.checks.contexts import context

PLAIN: dict[str, Any] = {"services.api.health": []}
ASKS = Telemetry(needs=(Need(what=DOCKER_API, why="a asks it"), Need(what=DOCKER_API, why="b asks it")))
BOARD = Dashboard(uid="b", title="B", folder="f", model={"panels": [{"datasource": {"type": "loki", "uid": "loki"}}]})


def test_a_need_that_is_met_is_no_problem() -> None:
    """Whoever offers it, nothing is said."""
    assert needs.check_needs(context(PLAIN), replace(ASKS, offers=(DOCKER_API,)), {}) == []


def test_what_is_switched_off_is_named_once_with_all_reasons() -> None:
    """One problem at the key that would help, however many stand on it."""
    (problem,) = needs.check_needs(context(PLAIN), ASKS, {"socket-proxy": Telemetry(offers=(DOCKER_API,))})
    assert problem.where == "Pulumi.dev.yaml: socketProxy.enabled"
    assert problem.message == "false, but a asks it and b asks it; leave it out, or what stands on it too"


def test_what_nobody_could_offer_is_said_where_it_is_wanted() -> None:
    """Nothing could be switched on, so the key that causes the need is named."""
    need = Need(what="a moon", why="x draws it", where="configs/systems/shop.yaml: dashboards[0]")
    (problem,) = needs.check_needs(context(PLAIN), Telemetry(needs=(need,)), {})
    assert str(problem) == "configs/systems/shop.yaml: dashboards[0]: x draws it, but nothing here offers a moon"


def test_scrape_jobs_and_panels_are_needs_of_themselves() -> None:
    """Jobs need whoever scrapes, and panels the data source that they ask, where they are drawn."""
    collected = Telemetry(scrape=(ScrapeJob(name="a"),), dashboards=(BOARD,), offers=(DRAWING,))
    idle = {
        "prometheus": Telemetry(offers=(EVALUATION,)),
        "loki": Telemetry(datasources=(Datasource(uid="loki", name="L", kind="loki", url="http://l"),)),
    }
    problems = needs.check_needs(context(PLAIN), collected, idle)
    assert [p.where for p in problems] == ["Pulumi.dev.yaml: prometheus.enabled", "Pulumi.dev.yaml: loki.enabled"]
    assert "the dashboards b ask it" in problems[1].message
    undrawn = replace(collected, offers=())
    assert [p.where for p in needs.check_needs(context(PLAIN), undrawn, idle)] == [
        "Pulumi.dev.yaml: prometheus.enabled"
    ]


def test_what_a_system_describes_needs_who_watches_it() -> None:
    """Databases need their exporter, health endpoints who asks them, log files who reads them; and nobody else."""
    assert list(needs.list_implied_needs(context(PLAIN), Telemetry())) == []
    cache = {"kind": "redis", "address": "cache:6379"}
    described = {"databases": {"cache": cache}, "hostLogs": [{"path": "/var/log/a.log", "job": "a"}]}
    expected = [need.what for need in needs.list_implied_needs(context(described), Telemetry())]
    assert expected == [name_series_offer("redis"), name_series_offer("probes"), LOG_FILES]


def test_long_lists_are_shortened() -> None:
    """Three names are enough to know what is meant."""
    assert needs.shorten_names(["a", "b"]) == "a, b" and needs.shorten_names(list("abcde")) == "a, b, c and 2 more"
