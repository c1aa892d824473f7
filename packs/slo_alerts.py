"""When the budgets of objectives are spent too quickly, and when nobody can tell whether they are.

Speeds and windows: https://sre.google/workbook/alerting-on-slos/. The same rules for all objectives of a system.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from model.limits import Share
from model.telemetry import AlertRule, Example, Inhibition
from packs.base import BY, SERVICE, Tune, format_percent, get_limit, get_min_failures

ON = f"on (slo, {BY})"
PAGE = ((14.4, "1h", "5m"), (6.0, "6h", "30m"))
"""How many times too quickly the budget is spent, over the long and the short window. At 14.4 two hundredths of a
30-day budget go in an hour; the short window ends the alert soon after the errors end."""
TICKET = ((3.0, "1d", "2h"), (1.0, "3d", "6h"))
"""A tenth of a 30-day budget in a day, or in three: no reason to wake somebody."""
SLOW_INTERVAL = "5m"
"""How often the windows of days are recorded."""
LATEST = "12m"
"""How old a series may be that is recorded every `SLOW_INTERVAL`: one evaluation may be missed, and each takes time."""
ROUNDING = 0.5
"""Half a failure: numbers that are summed up from rates are right within a few percent."""
UNJUDGED = 0.05
"""Of an hour's requests: what is unknown beyond that can hide more failures than any usual budget allows."""


def build_alerts(tune: Tune) -> tuple[AlertRule, ...]:
    """How quickly budgets are spent, and whether there is anything to judge; one rule each for all objectives."""
    fast, slow = get_min_failures(tune, "ErrorBudgetBurnFast"), get_min_failures(tune, "ErrorBudgetBurnSlow")
    steps = (
        "Open the SLO dashboard: which objective, since when, how much of the budget is left?",
        "Open the service's dashboard and find the endpoint or dependency that fails or is slow.",
        "Stop what spends the budget first (roll back, shed load), look for the cause afterwards.",
    )
    return (
        AlertRule(
            name="ErrorBudgetBurnFast",
            expr=build_burn_condition(PAGE, fast),
            for_="2m",  # two evaluations of the short window: no single scrape decides
            severity="critical",
            min_failures=fast,
            inhibits=(Inhibition(alerts=("ErrorBudgetBurnSlow",), on=(*SERVICE, "slo")),),
            summary="{{ $labels.slo }} spends its error budget {{ $value | humanize }} times too quickly",
            description="At this pace the error budget of the whole window is spent within days, or hours; at least"
            f" {fast} requests failed.",
            steps=steps,
            example=_build_example(PAGE[0], fast),
        ),
        AlertRule(
            name="ErrorBudgetBurnSlow",
            expr=build_burn_condition(TICKET, slow),
            for_="15m",  # nothing is lost by waiting: the windows are hours and days
            severity="warning",
            min_failures=slow,
            summary="{{ $labels.slo }} spends its error budget {{ $value | humanize }} times too quickly",
            description="If nothing changes, the error budget is spent before its window ends; at least"
            f" {slow} requests failed.",
            steps=steps,
            example=_build_example(TICKET[0], slow),
        ),
        alert_on_missing_data(tune),
    )


def build_latest_query(series: str) -> str:
    """The last value of a series that is recorded every `SLOW_INTERVAL`, whatever the lookback.

    While a group with many objectives is evaluated, its last sample is as old as Prometheus' lookback
    (https://prometheus.io/docs/prometheus/latest/querying/basics/#staleness) and the next one is not there yet. An
    alert that sees nothing for a moment begins its `for` anew.
    """
    return f"last_over_time({series}[{LATEST}])"


def build_burn_condition(pairs: Sequence[tuple[float, str, str]], failures: int) -> str:
    """How many times too quickly a budget is spent over the long window, where the short window says so as well.

    It takes at least so many `failures` in the long window: with little traffic a single one is a high speed.
    """

    slowly = {long for _, long, _ in TICKET}

    def build_query(series: str, window: str) -> str:
        return build_latest_query(f"{series}{window}") if window in slowly else f"{series}{window}"

    def build_speed(window: str) -> str:
        return f"{build_query('slo:error_ratio:rate', window)} / {ON} group_left () slo:error_budget:ratio"

    return " or ".join(
        f"({build_speed(long)} > {n:g} and {build_speed(quick)} > {n:g}"
        f" and {build_query('slo:requests_failed:increase', long)} > {failures - ROUNDING:g})"
        for n, long, quick in pairs
    )


def alert_on_missing_data(tune: Tune) -> AlertRule:
    """A promise that nobody can check: a label, bucket or metric has another name than the system's file says."""
    bound = get_limit(tune, "SLOWithoutData", UNJUDGED)
    series = f"slo:requests_unknown:ratio_rate1h{{{_build_example_labels()}}}"
    return AlertRule(
        name="SLOWithoutData",
        expr=f"slo:requests_unknown:ratio_rate1h > {bound:g}",
        for_="30m",  # longer than a deployment that changes one instance after another
        severity="warning",
        limit=Share(bound),
        summary="{{ $labels.slo }}: of {{ $value | humanizePercentage }} of the requests nobody knows whether they"
        " were good",
        description=f"More than {format_percent(bound)} of the last hour's requests have no label or bucket by which"
        " the objective can judge them, or nothing was counted for a day: its error ratio, its budget and its burn-rate"
        " alerts are blind.",
        steps=(
            "Open the service's metrics page: is the counter or histogram of the objective there, under that name?",
            "For an availability, which label holds the status? Say so with `statusLabel` of the service.",
            "For a latency, does a bucket end exactly at the objective's threshold? Declare the real buckets, and"
            " choose a threshold among them.",
            "For a ratio, do `bad` and `total` exist from the start? A counter of failures that appears with the first"
            " failure must be set to 0 when the service starts.",
            "If the service has had no request for a day, is it still needed, and does its traffic arrive?",
        ),
        example=Example(fires={series: f"{bound * 1.01:.6g}+0x120"}, silent={series: f"{bound * 0.99:.6g}+0x120"}),
    )


def _build_example_labels() -> str:
    return 'slo="x-availability", service="x", system="x", environment="test", window="30d"'


def _build_example(pair: tuple[float, str, str], failures: int) -> Example:
    times, long, quick = pair
    common: Mapping[str, str] = {
        f"slo:error_budget:ratio{{{_build_example_labels()}}}": "0.001+0x120",
        f"slo:requests_failed:increase{long}{{{_build_example_labels()}}}": f"{failures}+0x120",
    }

    def build_series(ratio: float) -> dict[str, str]:
        names = (f"slo:error_ratio:rate{window}{{{_build_example_labels()}}}" for window in (long, quick))
        return {**common, **{name: f"{ratio * 0.001:.8f}+0x120" for name in names}}

    return Example(fires=build_series(times * 1.01), silent=build_series(times * 0.99))
