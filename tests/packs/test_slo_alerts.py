"""Burn-rate alerts where there is little traffic: one failed request calls nobody, an outage does."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from model.system import System
from model.telemetry import RuleGroup
from packs import http, slo
from packs.base import MIN_FAILURES, Subject
from packs.slo_alerts import TICKET, build_alerts
from tests.support.objectives import AVAILABILITY, IDS, case, counted, fired, judged, near, silent, system

BAD, GOOD = (f'http_requests_total{{{IDS}, status="{status}"}}' for status in ("500", "200"))
HOURS = 60
PAGES = ("ErrorBudgetBurnFast", "HighErrorRatio")
ONE = {name: {"minFailures": 1} for name in PAGES}


def groups(of: System) -> tuple[RuleGroup, ...]:
    """The rules of its objectives and of its HTTP service."""
    result = http.rules(Subject(of, "api"))
    return (*slo.build_groups(of, "test"), RuleGroup(name="api", recordings=result.recordings, alerts=result.alerts))


def steady(every: int, minutes: int, failures: tuple[int, ...]) -> dict[str, str]:
    """A request each `every` minutes; those of the minutes `failures` fail."""
    return {
        GOOD: counted(lambda now: now // every - sum(now >= minute for minute in failures), minutes),
        BAD: counted(lambda now: sum(now >= minute for minute in failures), minutes),
    }


QUIET = {
    "20 an hour, 8 h of history, one failure": (steady(3, 9 * HOURS, (8 * HOURS,)), "9h", "ErrorBudgetBurnFast"),
    "60 an hour, 90 min of history, one failure": (steady(1, 150, (90,)), "150m", "ErrorBudgetBurnFast"),
    "three in 8 minutes, all failed": (
        {GOOD: "5+0x180", BAD: counted(lambda now: sum(now >= minute for minute in (60, 64, 68)), 180)},
        "2h",
        "HighErrorRatio",
    ),
}


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", QUIET)
def test_a_failure_or_two_in_a_quiet_hour_calls_nobody(name: str, tmp_path: Path) -> None:
    """Neither page fires in the hour after it; one that needed a single failure would."""
    series, at, alert = QUIET[name]
    judged(tmp_path, groups(system(AVAILABILITY)), [case(series, at, *map(silent, PAGES))], slo.FAST_INTERVAL)
    judged(tmp_path, groups(system(AVAILABILITY, tune=ONE)), [case(series, at, fired(alert))], slo.FAST_INTERVAL)


@pytest.mark.exhaustive
def test_two_failures_at_sixty_an_hour_call_nobody(tmp_path: Path) -> None:
    """With 8 h of history, two failures a few minutes apart are no page."""
    series = steady(1, 9 * HOURS, (8 * HOURS, 8 * HOURS + 4))
    judged(tmp_path, groups(system(AVAILABILITY)), [case(series, "9h", *map(silent, PAGES))], slo.FAST_INTERVAL)


@pytest.mark.exhaustive  # hours, minute by minute
@pytest.mark.parametrize(
    ("every", "minutes", "alerts"), [(3, 25, PAGES), (1, 12, ("HighErrorRatio",)), (20, 110, ("ErrorBudgetBurnFast",))]
)
def test_an_outage_at_low_traffic_pages(every: int, minutes: int, alerts: Sequence[str], tmp_path: Path) -> None:
    """When every request fails, at 60, 20 and 3 an hour, people are called as soon as five have failed and held."""
    begins = 8 * HOURS
    outage = tuple(range(begins, begins + 2 * HOURS, every))
    series = steady(every, begins + 2 * HOURS, outage)
    early = (MIN_FAILURES - 1) * every - 1
    tests = [
        case(series, f"{begins + early}m", *map(silent, alerts)),
        case(series, f"{begins + minutes}m", *map(fired, alerts)),
    ]
    judged(tmp_path, groups(system(AVAILABILITY)), tests, slo.FAST_INTERVAL)


def test_failures_are_counted_right_on_a_young_stack(tmp_path: Path) -> None:
    """After 90 minutes, seven failures are seven in the last six hours, and three in the last one."""
    series = steady(1, 100, (5, 12, 18, 22, 40, 60, 80))
    facts = (near("slo:requests_failed:increase6h", 7, 0.03), near("slo:requests_failed:increase1h", 3, 0.03))
    judged(tmp_path, groups(system(AVAILABILITY)), [case(series, "90m", *facts)], slo.FAST_INTERVAL)


@pytest.mark.exhaustive
def test_the_number_of_failures_can_be_tuned(tmp_path: Path) -> None:
    """A system that wants twenty failures before a page gets no page for ten, where others get one."""
    outage = tuple(range(8 * HOURS, 8 * HOURS + 10))
    series = steady(1, 9 * HOURS, outage)
    more = {name: {"minFailures": 20} for name in PAGES}
    judged(tmp_path, groups(system(AVAILABILITY)), [case(series, "9h", *map(fired, PAGES))], slo.FAST_INTERVAL)
    judged(
        tmp_path, groups(system(AVAILABILITY, tune=more)), [case(series, "9h", *map(silent, PAGES))], slo.FAST_INTERVAL
    )


def test_one_evaluation_of_days_may_be_missed(tmp_path: Path) -> None:
    """Samples of the long windows are five minutes apart, and once ten: what waits for a quarter of an hour fires."""
    _, long, quick = TICKET[0]
    marks = f'{{slo="api-availability", {IDS}, window="30d"}}'
    seldom = " ".join("0.01" if minute in (0, 5, 15, 20, 25) else "_" for minute in range(29))
    series = {
        f"slo:error_ratio:rate{long}{marks}": seldom,
        f"slo:requests_failed:increase{long}{marks}": seldom.replace("0.01", "100"),
        f"slo:error_ratio:rate{quick}{marks}": "0.01+0x29",
        f"slo:error_budget:ratio{marks}": "0.001+0x29",
    }
    watching = RuleGroup(name="watching", alerts=build_alerts({}))
    judged(tmp_path, [watching], [case(series, "28m", fired("ErrorBudgetBurnSlow"))], "30s")
