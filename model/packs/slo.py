"""Service-level objectives: error ratios, error budgets, and alerts on how quickly a budget is being spent.

After https://sre.google/workbook/alerting-on-slos/ (multi-window, multi-burn-rate alerts). An objective adds four
short rules of its own: what counts, what fails, its budget and its target. Everything that follows from them is the
same rule for all objectives. Long windows are derived from short recordings, weighted by traffic: failed over all.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from model.base import seconds
from model.packs.base import BY, PER_SECOND, SERVICE, Subject, colours, panel
from model.system import DashboardSpec, Metric, Objective, Panel, Row, System
from model.telemetry import AlertRule, Example, Mute, RecordingRule, RuleGroup

FAST_INTERVAL = "30s"
SLOW_INTERVAL = "5m"
"""As long as the windows of the sampled rates: they touch and hardly overlap, so their sum is that of the counters."""
SHORT_WINDOWS = ("30m", "1h", "2h", "6h")
"""Derived from rates recorded every `FAST_INTERVAL`: 720 samples at most for each."""
LONG_WINDOWS = ("1d", "3d")
"""Derived from rates sampled every `SLOW_INTERVAL`: 864 samples at most; a window of 30 days takes 8640."""
ON = f"on (slo, {BY})"
NONE: Mapping[str, str] = {}
PAGE = ((14.4, "1h", "5m"), (6.0, "6h", "30m"))
"""How many times too quickly the budget is spent, over the long and the short window. At 14.4 two hundredths of a
30-day budget go in an hour; the short window ends the alert soon after the errors end."""
TICKET = ((3.0, "1d", "2h"), (1.0, "3d", "6h"))
"""A tenth of a 30-day budget in a day, or in three: no reason to wake somebody."""


# -- documents -------------------------------------------------------------------------------------------------------


def groups(system: System, environment: str) -> tuple[RuleGroup, ...]:
    """The rules of all objectives of a system: recorded quickly, recorded slowly, and the alerts."""
    if not system.objectives:
        return ()
    labels = {"system": system.name, "environment": environment}
    base = [rule for item in system.objectives for rule in own_rules(system, item, labels)]
    windows = sorted({item.window for item in system.objectives}, key=seconds)
    return (
        RuleGroup(name=f"{system.name}-slo", interval=FAST_INTERVAL, recordings=(*base, *short()), alerts=alerts()),
        RuleGroup(name=f"{system.name}-slo-long", interval=SLOW_INTERVAL, recordings=(*sampled(), *long(windows))),
    )


def own_rules(system: System, item: Objective, labels: dict[str, str]) -> list[RecordingRule]:
    """What counts, what fails, and the budget of one objective; the only rules that know of its metrics."""
    failed, every = counts(Subject(system, item.service), item)
    mark = {"slo": item.key, "window": item.window}
    everything = {**mark, **labels, "service": item.service}
    return [
        RecordingRule(record="slo:requests:rate5m", expr=every, labels=mark),
        # a counter of failures that never failed has no series: that is zero failures
        RecordingRule(record="slo:requests_failed:rate5m", expr=f"{failed} or 0 * {every}", labels=mark),
        RecordingRule(record="slo:error_budget:ratio", expr=f"vector({1 - item.target:.10g})", labels=everything),
        RecordingRule(record="slo:objective:ratio", expr=f"vector({item.target:.10g})", labels=everything),
    ]


def counts(subject: Subject, item: Objective) -> tuple[str, str]:
    """Two queries: failures per second and requests per second of an objective, over five minutes."""

    def rate(name: str, *matchers: str) -> str:
        return f"sum by ({BY}) (rate({name}{subject.selector(*matchers)}[5m]))"

    if item.kind == "ratio":
        bad, total = _split(str(item.bad)), _split(str(item.total))
        return rate(bad[0], *bad[1]), rate(total[0], *total[1])
    if item.kind == "availability":
        name, _ = _needed(subject, "requests")
        return rate(name, f'{subject.service.status_label}=~"5.."'), rate(name)
    name, metric = _needed(subject, "duration")
    # Prometheus 3 writes whole bounds as 1.0, earlier versions and other tools as 1
    bound = f"{float(item.threshold or 0) * PER_SECOND[metric.unit]:g}"
    le = re.escape(bound).replace("\\", "\\\\") + ("" if "." in bound else "(\\\\.0)?")
    every = rate(f"{name}_count")
    quick = rate(f"{name}_bucket", f'le=~"{le}"')
    return f"clamp_min({every} - {quick}, 0)", every


def _split(selector: str) -> tuple[str, list[str]]:
    """A metric with matchers in its two parts: `a{b="c"}` gives a and [b="c"]."""
    name, _, inside = selector.strip().rstrip("}").partition("{")
    return name.strip(), [inside.strip()] if inside.strip() else []


def _needed(subject: Subject, role: str) -> tuple[str, Metric]:
    found = subject.metric("requests" if role == "requests" else "duration")
    if found is None:
        raise LookupError(f"{subject.key} has no metric of role {role}")
    return found


def short() -> list[RecordingRule]:
    """Error ratios over minutes and hours, for all objectives at once."""
    now = "slo:requests_failed:rate5m / (slo:requests:rate5m > 0)"
    return [
        RecordingRule(record="slo:error_ratio:rate5m", expr=now),
        *(_derived(window, "slo:requests_failed:rate5m", "slo:requests:rate5m") for window in SHORT_WINDOWS),
    ]


def sampled() -> list[RecordingRule]:
    """The rates again, every `SLOW_INTERVAL` only: what long windows are summed up from."""
    return [
        RecordingRule(record="slo:requests:rate5m_sampled", expr="slo:requests:rate5m"),
        RecordingRule(record="slo:requests_failed:rate5m_sampled", expr="slo:requests_failed:rate5m"),
    ]


def long(windows: Sequence[str]) -> list[RecordingRule]:
    """Error ratios over days and over each objective's own window, and what is left of its budget."""
    failed, every = "slo:requests_failed:rate5m_sampled", "slo:requests:rate5m_sampled"
    own = [
        _derived(w, f'{failed}{{window="{w}"}}', f'{every}{{window="{w}"}}', "window", {"window": w}) for w in windows
    ]
    left = f"1 - slo:error_ratio:window / {ON} group_left () slo:error_budget:ratio"
    return [
        *(_derived(window, failed, every) for window in LONG_WINDOWS),
        *own,
        RecordingRule(record="slo:error_budget_remaining:ratio", expr=left),
    ]


def _derived(over: str, failed: str, every: str, name: str = "", labels: Mapping[str, str] = NONE) -> RecordingRule:
    """The error ratio over some time, weighted by traffic; none where there was no traffic."""
    expr = f"sum_over_time({failed}[{over}]) / (sum_over_time({every}[{over}]) > 0)"
    return RecordingRule(record=f"slo:error_ratio:{name or f'rate{over}'}", expr=expr, labels=labels)


# -- alerts ----------------------------------------------------------------------------------------------------------


def alerts() -> tuple[AlertRule, ...]:
    """How quickly budgets are spent; one rule each for all objectives."""
    steps = (
        "Open the SLO dashboard: which objective, since when, how much of the budget is left?",
        "Open the service's dashboard and find the endpoint or dependency that fails or is slow.",
        "Stop what spends the budget first (roll back, shed load), look for the cause afterwards.",
    )
    return (
        AlertRule(
            name="ErrorBudgetBurnFast",
            expr=burning(PAGE),
            hold="2m",  # two evaluations of the short window: no single scrape decides
            severity="critical",
            mutes=(Mute(alerts=("ErrorBudgetBurnSlow",), on=(*SERVICE, "slo")),),
            summary="{{ $labels.slo }} spends its error budget {{ $value | humanize }} times too quickly",
            description="At this pace the error budget of the whole window is spent within days, or hours.",
            steps=steps,
            example=_example(PAGE[0]),
        ),
        AlertRule(
            name="ErrorBudgetBurnSlow",
            expr=burning(TICKET),
            hold="15m",  # nothing is lost by waiting: the windows are hours and days
            severity="warning",
            summary="{{ $labels.slo }} spends its error budget {{ $value | humanize }} times too quickly",
            description="If nothing changes, the error budget is spent before its window ends.",
            steps=steps,
            example=_example(TICKET[0]),
        ),
    )


def burning(pairs: Sequence[tuple[float, str, str]]) -> str:
    """How many times too quickly a budget is spent over the long window, where the short window says so as well."""

    def speed(window: str) -> str:
        return f"slo:error_ratio:rate{window} / {ON} group_left () slo:error_budget:ratio"

    return " or ".join(f"({speed(long)} > {n:g} and {speed(quick)} > {n:g})" for n, long, quick in pairs)


def _example(pair: tuple[float, str, str]) -> Example:
    times, long_window, quick = pair
    ids = 'slo="x-availability", service="x", system="x", environment="test", window="30d"'
    budget = {f"slo:error_budget:ratio{{{ids}}}": "0.001+0x120"}

    def series(ratio: float) -> dict[str, str]:
        names = (f"slo:error_ratio:rate{window}{{{ids}}}" for window in (long_window, quick))
        return {**budget, **{name: f"{ratio * 0.001:.8f}+0x120" for name in names}}

    return Example(fires=series(times * 1.01), silent=series(times * 0.99))


# -- dashboards ------------------------------------------------------------------------------------------------------


def panels(system: System) -> tuple[Panel, ...]:
    """A figure for each objective in its own colours, then the table, budgets and burn rates."""
    if not system.objectives:
        return ()
    chosen = f'system="{system.name}", environment=~"$environment", service=~"$service"'
    width = max(4, 24 // min(len(system.objectives), 6))
    table = {
        "objective": f"slo:objective:ratio{{{chosen}}}",
        "achieved": f"1 - slo:error_ratio:window{{{chosen}}}",
        "budget left": f"slo:error_budget_remaining:ratio{{{chosen}}}",
        "burn rate (1h)": f"slo:error_ratio:rate1h{{{chosen}}} / {ON} group_left () slo:error_budget:ratio",
    }
    left = {"{{slo}}": f"slo:error_budget_remaining:ratio{{{chosen}}}"}
    burn = {"{{slo}}": f"slo:error_ratio:rate1h{{{chosen}}} / {ON} group_left () slo:error_budget:ratio"}
    fast, slow = PAGE[0][0], TICKET[1][0]
    return (
        *(status(item, width) for item in system.objectives),
        panel("Objectives", table, "percentunit", "Promised, achieved, and what is left.", kind="table", width=24),
        panel(
            "Error budget left",
            left,
            "percentunit",
            "At zero the promise is broken.",
            thresholds=colours((0.5, "green")),
        ),
        panel(
            "Burn rate",
            burn,
            "short",
            f"1 spends exactly the budget; people are called at {fast:g}, told in the morning at {slow:g}.",
            thresholds=colours((slow, "yellow"), (fast, "red")),
        ),
    )


def status(item: Objective, width: int = 6) -> Panel:
    """What an objective has achieved: green where it is kept, yellow down to its floor, red below."""
    kept = {item.key: f'1 - slo:error_ratio:window{{slo="{item.key}", environment=~"$environment"}}'}
    floor = item.floor if item.floor is not None else max(0.0, item.target - (1 - item.target))
    text = f"Over {item.window}: green from {item.target * 100:g}%, yellow from {floor * 100:g}%, red below."
    steps = colours((floor, "yellow"), (item.target, "green"))
    title = item.title or item.key
    return panel(title, kept, "percentunit", text, kind="stat", width=width, height=5, thresholds=steps)


def board(system: System) -> DashboardSpec:
    """The SLO dashboard of a system."""
    return DashboardSpec(
        uid=f"{system.name}-slo",
        title=f"{system.title} SLO",
        description="Are the promises kept, how much may still fail, and how quickly is that being spent?",
        refresh="1m",
        rows=(Row(title="Objectives", panels=panels(system)),),
    )
