"""Objectives: their arithmetic against raw samples, their alerts at their exact speeds, their dashboard."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from model.telemetry import RuleGroup
from packs import slo, slo_alerts
from packs.base import MIN_FAILURES
from tests.support.objectives import AVAILABILITY, IDS, LATENCY, RATIO, judged, system

DAY = 24 * 60
"""Minutes."""


def counter(increments: Sequence[tuple[int, float]]) -> tuple[str, float]:
    """A counter in promtool's notation from (minutes, growth per minute), and its total growth."""
    total, parts = 0.0, []
    for minutes, rate in increments:
        parts.append(f"{total:.6f}+{rate:.6f}x{minutes - 1}")
        total += minutes * rate
    return " ".join(parts), total


@pytest.mark.exhaustive
@pytest.mark.parametrize("kind", ["availability", "latency", "ratio"])
def test_thirty_days_equal_the_raw_samples(kind: str, tmp_path: Path) -> None:
    """Over 30 days of uneven traffic and errors the recorded ratio is that of the raw counters, within 0.1%."""
    dice = random.Random(kind)  # noqa: S311 - the same traffic on every run
    hours = [(60, dice.uniform(200, 3000), dice.choice([0.0, 0.001, 0.002, 0.05])) for _ in range(30 * 24)]
    bad, failed = counter([(minutes, rate * share) for minutes, rate, share in hours])
    good, passed = counter([(minutes, rate * (1 - share)) for minutes, rate, share in hours])
    every, _ = counter([(minutes, rate) for minutes, rate, _ in hours])
    objective, series = {
        "availability": (
            AVAILABILITY,
            {f'http_requests_total{{{IDS}, status="500"}}': bad, f'http_requests_total{{{IDS}, status="200"}}': good},
        ),
        "latency": (
            LATENCY,
            {
                f'http_request_duration_seconds_bucket{{{IDS}, le="0.5"}}': good,
                f"http_request_duration_seconds_count{{{IDS}}}": every,
            },
        ),
        "ratio": (
            RATIO,
            {
                f'worker_jobs_processed_total{{{IDS}, status="failed"}}': bad,
                f'worker_jobs_processed_total{{{IDS}, status="success"}}': good,
            },
        ),
    }[kind]
    exact = failed / (failed + passed)
    budget = 1 - float(objective["target"])  # type: ignore[arg-type]
    short, long = slo.build_groups(system(objective), "test")
    derived = {rule.record: f"({rule.expr})" for rule in long.recordings}
    # both are asked for once, at the end, instead of every five minutes: it is the same query and takes seconds
    ratio = derived["slo:error_ratio:window"]
    left = derived["slo:error_budget_remaining:ratio"].replace("slo:error_ratio:window", ratio)
    near = [
        f"abs({ratio} / {exact:.12f} - 1) < bool 0.001",
        f"abs({left} - {1 - exact / budget:.12f}) < bool {0.001 * exact / budget:.12f}",
    ]
    checks = [
        {"expr": f"sum({expr})", "eval_time": "30d", "exp_samples": [{"labels": "{}", "value": 1}]} for expr in near
    ]
    test = {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": checks,
    }
    sampled = tuple(rule for rule in long.recordings if "_sampled" in rule.record)
    base = tuple(rule for rule in short.recordings if not rule.record.startswith("slo:error_ratio"))
    groups = [RuleGroup(name="base", recordings=base), RuleGroup(name="long", recordings=sampled)]
    judged(tmp_path, groups, [test], slo_alerts.SLOW_INTERVAL)


@pytest.mark.exhaustive  # days, minute by minute
@pytest.mark.parametrize(
    ("speed", "minutes", "alert"),
    [
        (14.4, 60, "ErrorBudgetBurnFast"),
        (6.0, 6 * 60, "ErrorBudgetBurnFast"),
        (3.0, DAY, "ErrorBudgetBurnSlow"),
        (1.0, 3 * DAY, "ErrorBudgetBurnSlow"),
    ],
)
def test_alerts_fire_at_their_speed_and_not_below(speed: float, minutes: int, alert: str, tmp_path: Path) -> None:
    """Raw errors at a hundredth above the speed fire once they last as long as the window; a hundredth below never."""
    groups = slo.build_groups(system(AVAILABILITY), "test")
    tests = []
    for factor, fires in ((1.01, 1), (0.99, 0)):
        share = 0.001 * speed * factor
        bad, _ = counter([(minutes + 40, 100000 * share)])
        good, _ = counter([(minutes + 40, 100000 * (1 - share))])
        firing = f'ALERTS{{alertname="{alert}", alertstate="firing"}}'
        tests.append(
            {
                "interval": "1m",
                "input_series": [
                    {"series": f'http_requests_total{{{IDS}, status="500"}}', "values": bad},
                    {"series": f'http_requests_total{{{IDS}, status="200"}}', "values": good},
                ],
                "promql_expr_test": [
                    {
                        "expr": f"(count({firing}) or vector(0)) > bool 0",
                        "eval_time": f"{minutes + 30}m",
                        "exp_samples": [{"labels": "{}", "value": fires}],
                    }
                ],
            }
        )
    pair = {"ErrorBudgetBurnFast": slo_alerts.PAGE, "ErrorBudgetBurnSlow": slo_alerts.TICKET}[alert]
    # only the pair of this speed: the other pair of the alert would fire at a lower one
    only = [each for each in pair if each[0] == speed]
    alerts = tuple(
        replace(item, expr=slo_alerts.build_burn_condition(only, MIN_FAILURES))
        for item in slo_alerts.build_alerts({})
        if item.name == alert
    )
    short = RuleGroup(name="short", recordings=groups[0].recordings)
    watching = RuleGroup(name="alerts", alerts=alerts)
    judged(tmp_path, [short, groups[1], watching], tests, slo_alerts.SLOW_INTERVAL)


def test_rules_are_shared_by_all_objectives() -> None:
    """A further objective costs five rules, whatever follows from it."""
    one = sum(len(group.recordings) for group in slo.build_groups(system(AVAILABILITY), "test"))
    three = sum(len(group.recordings) for group in slo.build_groups(system(AVAILABILITY, LATENCY, RATIO), "test"))
    assert three - one == 2 * 5


def test_a_system_without_objectives_has_no_rules() -> None:
    """Nothing is recorded where nothing is promised."""
    assert slo.build_groups(system(), "test") == ()
    assert slo.panels(system()) == ()


def test_colours_are_the_objectives_own() -> None:
    """Green from the target, yellow down to the floor, red below; the floor is twice the budget unless it is said."""
    steps = {step.colour: step.value for step in slo.build_status_panel(system(AVAILABILITY).objectives[0]).thresholds}
    assert steps["green"] == 0.999
    assert steps["yellow"] == pytest.approx(0.998)
    declared = system({**AVAILABILITY, "floor": 0.995}).objectives[0]
    assert {step.colour: step.value for step in slo.build_status_panel(declared).thresholds}["yellow"] == 0.995


def test_panels_explain_themselves(explains: Any) -> None:
    """Each objective has its figure, and the table shows target, achievement, budget and burn rate."""
    panels = slo.panels(system(AVAILABILITY, RATIO))
    explains(panels)
    (table,) = [panel for panel in panels if panel.kind == "table"]
    assert [query.legend for query in table.queries] == [
        "objective",
        "achieved",
        "without data (1h)",
        "budget left",
        "burn rate (1h)",
    ]
