"""Contributions are put together in order, and clashes between them are found."""

from __future__ import annotations

import pytest

from model.errors import Problem
from model.route import Route
from model.telemetry import AlertRule, Dashboard, Datasource, RuleGroup, ScrapeJob, Telemetry


def alert(name: str) -> AlertRule:
    """An alert by name."""
    return AlertRule(name=name, expr="up", severity="info", summary="s", description="d")


def everything(suffix: str) -> Telemetry:
    """One of each, named with a suffix."""
    return Telemetry(
        scrape=(ScrapeJob(name=f"job{suffix}", targets=()),),
        rules=(RuleGroup(name=f"group{suffix}", alerts=(alert(f"Alert{suffix}"),)),),
        datasources=(Datasource(uid=f"source{suffix}", name="s", kind="loki", url="http://x"),),
        dashboards=(Dashboard(uid=f"board{suffix}", title="t", folder="f", model={}),),
        routes=(Route(name=f"route{suffix}", prefix=f"/{suffix}", url="http://x"),),
    )


def test_merging_keeps_everything_in_order() -> None:
    """Nothing is lost, and what was contributed first stands first."""
    merged = Telemetry.merge(iter([everything("1"), Telemetry(), everything("2")]))
    assert [job.name for job in merged.scrape] == ["job1", "job2"]
    assert [route.prefix for route in merged.routes] == ["/1", "/2"]
    assert merged.check_names() == []
    assert Telemetry.merge([]) == Telemetry()


@pytest.mark.parametrize(
    "what",
    [
        "scrape job 'job1'",
        "rule group 'group1'",
        "alert 'Alert1'",
        "dashboard uid 'board1'",
        "data source uid 'source1'",
        "route 'route1'",
        "route prefix '/1'",
    ],
)
def test_two_of_one_name_are_found(what: str) -> None:
    """Everything that must be unique across contributors is checked, once for each name."""
    merged = Telemetry.merge([everything("1")] * 3)
    assert [str(each) for each in merged.check_names()].count(f"{what} is declared more than once") == 1
    assert len(merged.check_names()) == 7


def test_one_alert_name_in_two_groups_is_found() -> None:
    """Alerts are unique across groups, so that a silence means one thing."""
    groups = tuple(RuleGroup(name=name, alerts=(alert("Same"),)) for name in ("a", "b"))
    assert Telemetry(rules=groups).check_names() == [Problem("", "alert 'Same' is declared more than once")]
