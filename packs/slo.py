"""Service-level objectives: error ratios, error budgets, and alerts on how quickly a budget is being spent.

After https://sre.google/workbook/alerting-on-slos/ (multi-window, multi-burn-rate alerts). An objective adds five
short rules of its own: what it sees, what it can judge, what fails, its budget and its target. Everything that follows
from them is the same rule for all objectives. Long windows are derived from short recordings, weighted by traffic:
failed over judged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from model.base import parse_duration
from model.dashboard_spec import DashboardSpec, Panel, Row, build_uid
from model.system import ServiceLevelObjective, System
from model.telemetry import RecordingRule, RuleGroup
from packs.base import ANSWERING, BY, Subject, build_panel, build_thresholds, get_limit
from packs.slo_alerts import ON, PAGE, SLOW_INTERVAL, TICKET, UNJUDGED, build_alerts, build_latest_query
from packs.slo_counts import build_counts

FAST_INTERVAL = "30s"
SHORT_WINDOWS = ("30m", "1h", "2h", "6h")
"""Derived from rates recorded every `FAST_INTERVAL`: 720 samples at most for each."""
LONG_WINDOWS = ("1d", "3d")
"""Derived from rates sampled every `SLOW_INTERVAL`: 864 samples at most; a window of 30 days takes 8640.

The interval is as long as the windows of these rates: they touch and hardly overlap, so their sum is the counters'.
"""
NONE: Mapping[str, str] = {}


# -- documents -------------------------------------------------------------------------------------------------------


def build_groups(system: System, environment: str) -> tuple[RuleGroup, ...]:
    """The rules of all objectives of a system: recorded quickly, recorded slowly, and the alerts."""
    if not system.objectives:
        return ()
    labels = {"system": system.name, "environment": environment}
    base = [rule for item in system.objectives for rule in build_own_rules(system, item, labels)]
    windows = sorted({item.window for item in system.objectives}, key=parse_duration)
    quick = (*base, *build_short_recordings(), build_unknown_recording())
    return (
        RuleGroup(
            name=f"{system.name}-slo", interval=FAST_INTERVAL, recordings=quick, alerts=build_alerts(system.tune)
        ),
        RuleGroup(
            name=f"{system.name}-slo-long",
            interval=SLOW_INTERVAL,
            recordings=(*build_sampled_recordings(), *build_long_recordings(windows)),
        ),
    )


def build_own_rules(system: System, item: ServiceLevelObjective, labels: dict[str, str]) -> list[RecordingRule]:
    """What counts, what fails, and the budget of one objective; the only rules that know of its metrics."""
    count = build_counts(Subject(system, item.service), item)
    mark = {"slo": item.key, "window": item.window}
    everything = {**mark, **labels, "service": item.service}
    return [
        RecordingRule(record="slo:requests_seen:rate5m", expr=count.seen, labels=mark),
        RecordingRule(record="slo:requests:rate5m", expr=count.judged, labels=mark),
        RecordingRule(record="slo:requests_failed:rate5m", expr=count.failed, labels=mark),
        RecordingRule(record="slo:error_budget:ratio", expr=f"vector({1 - item.target:.10g})", labels=everything),
        RecordingRule(record="slo:objective:ratio", expr=f"vector({item.target:.10g})", labels=everything),
    ]


def build_short_recordings() -> list[RecordingRule]:
    """Error ratios over minutes and hours, and the numbers of failures, for all objectives at once."""
    failed, every = "slo:requests_failed:rate5m", "slo:requests:rate5m"
    return [
        RecordingRule(record="slo:error_ratio:rate5m", expr=f"{failed} / ({every} > 0)"),
        *(_build_ratio_recording(window, failed, every) for window in SHORT_WINDOWS),
        *(_build_failure_recording(long, failed, FAST_INTERVAL) for _, long, _ in PAGE),
    ]


def build_unknown_recording() -> RecordingRule:
    """The share of the last hour's requests that no objective could judge; all of it where none was for a day."""
    seen, judged = (f"sum_over_time(slo:requests{what}:rate5m[1h])" for what in ("_seen", ""))
    share = f"1 - ({judged} or 0 * {seen}) / ({seen} > 0)"
    # a counter without labels is there before the first request; of a target that is down TargetDown is told
    recent = "(slo:requests:rate5m or present_over_time(slo:requests:rate5m_sampled[1d]))"
    answers = f"on ({BY}) (max by ({BY}) ({ANSWERING}) == 1)"
    none = f"0 * slo:objective:ratio + 1 unless {ON} {recent} and {answers}"
    return RecordingRule(record="slo:requests_unknown:ratio_rate1h", expr=f"{share} or {ON} ({none})")


def build_sampled_recordings() -> list[RecordingRule]:
    """The rates again, every `SLOW_INTERVAL` only: what long windows are summed up from."""
    return [
        RecordingRule(record="slo:requests:rate5m_sampled", expr="slo:requests:rate5m"),
        RecordingRule(record="slo:requests_failed:rate5m_sampled", expr="slo:requests_failed:rate5m"),
    ]


def build_long_recordings(windows: Sequence[str]) -> list[RecordingRule]:
    """Error ratios over days and over each objective's own window, and what is left of its budget."""
    failed, every = "slo:requests_failed:rate5m_sampled", "slo:requests:rate5m_sampled"
    own = [
        _build_ratio_recording(w, f'{failed}{{window="{w}"}}', f'{every}{{window="{w}"}}', "window", {"window": w})
        for w in windows
    ]
    left = f"1 - slo:error_ratio:window / {ON} group_left () slo:error_budget:ratio"
    return [
        *(_build_ratio_recording(window, failed, every) for window in LONG_WINDOWS),
        *(_build_failure_recording(long, failed, SLOW_INTERVAL) for _, long, _ in TICKET),
        *own,
        RecordingRule(record="slo:error_budget_remaining:ratio", expr=left),
    ]


def _build_ratio_recording(
    over: str, failed: str, every: str, name: str = "", labels: Mapping[str, str] = NONE
) -> RecordingRule:
    """The error ratio over some time, weighted by traffic; none where there was no traffic."""
    expr = f"sum_over_time({failed}[{over}]) / (sum_over_time({every}[{over}]) > 0)"
    return RecordingRule(record=f"slo:error_ratio:{name or f'rate{over}'}", expr=expr, labels=labels)


def _build_failure_recording(over: str, failed: str, every: str) -> RecordingRule:
    """How many requests failed within some time: each sample stands for the time since the one before.

    What was not recorded is not counted, so the number is right for a stack that is younger than the window as well.
    """
    expr = f"sum_over_time({failed}[{over}]) * {parse_duration(every):g}"
    return RecordingRule(record=f"slo:requests_failed:increase{over}", expr=expr)


# -- dashboards ------------------------------------------------------------------------------------------------------


def panels(system: System) -> tuple[Panel, ...]:
    """A figure for each objective in its own colours, then the table, budgets and burn rates."""
    if not system.objectives:
        return ()
    chosen = f'system="{system.name}", environment=~"$environment", service=~"$service"'
    width = max(4, 24 // min(len(system.objectives), 6))
    budget_left = build_latest_query(f"slo:error_budget_remaining:ratio{{{chosen}}}")
    table = {
        "objective": f"slo:objective:ratio{{{chosen}}}",
        "achieved": f"1 - {build_latest_query(f'slo:error_ratio:window{{{chosen}}}')}",
        "without data (1h)": f"slo:requests_unknown:ratio_rate1h{{{chosen}}}",
        "budget left": budget_left,
        "burn rate (1h)": f"slo:error_ratio:rate1h{{{chosen}}} / {ON} group_left () slo:error_budget:ratio",
    }
    left = {"{{slo}}": budget_left}
    burn = {"{{slo}}": f"slo:error_ratio:rate1h{{{chosen}}} / {ON} group_left () slo:error_budget:ratio"}
    fast, slow = PAGE[0][0], TICKET[1][0]
    unjudged = get_limit(system.tune, "SLOWithoutData", UNJUDGED)
    return (
        *(build_status_panel(item, width, unjudged) for item in system.objectives),
        build_panel("SLOs", table, "percentunit", "Promised, achieved, and what is left.", kind="table", width=24),
        build_panel(
            "Error budget left",
            left,
            "percentunit",
            "At zero the promise is broken.",
            thresholds=build_thresholds((0.5, "green")),
        ),
        build_panel(
            "Burn rate",
            burn,
            "short",
            f"1 spends exactly the budget; people are called at {fast:g}, told in the morning at {slow:g}.",
            thresholds=build_thresholds((slow, "yellow"), (fast, "red")),
        ),
    )


def build_status_panel(item: ServiceLevelObjective, width: int = 6, unjudged: float = UNJUDGED) -> Panel:
    """What an objective has achieved: green where it is kept, yellow down to its floor, red below.

    It shows no data where a larger share of the last hour's requests than `unjudged` could not be judged.
    """
    chosen = f'{{slo="{item.key}", environment=~"$environment"}}'
    blind = f"slo:requests_unknown:ratio_rate1h{chosen} > {unjudged:g}"
    queries = {item.key: f"1 - {build_latest_query(f'slo:error_ratio:window{chosen}')} unless {ON} {blind}"}
    floor = item.floor if item.floor is not None else max(0.0, round(2 * item.target - 1, 12))
    text = f"Over {item.window}: green from {item.target * 100:g}%, yellow from {floor * 100:g}%, red below; no data"
    text += " where requests come whose outcome is not known."
    steps = build_thresholds((floor, "yellow"), (item.target, "green"))
    title = item.title or item.key
    return build_panel(title, queries, "percentunit", text, kind="stat", width=width, height=5, thresholds=steps)


def derive_board_uid(system: System) -> str:
    """The uid of the SLO dashboard."""
    return build_uid(system.name, "-slo")


def board(system: System) -> DashboardSpec:
    """The SLO dashboard of a system."""
    return DashboardSpec(
        uid=derive_board_uid(system),
        title=f"{system.title} SLO",
        description="Are the promises kept, how much may still fail, and how quickly is that being spent?",
        refresh="1m",
        rows=(Row(title="SLOs", panels=panels(system)),),
    )
