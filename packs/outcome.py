"""What is known of outcomes: the share that failed, how many failures there were, and what nothing is known of.

A share is that of events whose outcome is known: where the label is missing that tells it, there is no share, and
neither 0% nor 100%. That the label is missing is an alert of its own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from model.limits import Share
from model.service import Metric
from model.telemetry import AlertRule, Example
from packs.base import BY, WINDOW, Outcome, Subject, build_counter_samples, format_percent

PERIOD = "1h"
"""Over which failures and unknown outcomes are counted: a service of a few requests an hour is seen as well."""
INTERVAL = "1m"
"""How often it is looked whether outcomes are known: the alert holds for half an hour."""
UNKNOWN = 0.05
"""Of all outcomes: as much as may fail before people are called; what is unknown beyond that can hide an outage."""
STATUS = "[1-5].."
"""HTTP status codes, or classes of them such as 5xx, as a regular expression."""

STATUS_LABELS = (
    "status", "status_code", "code", "http_response_status_code", "http_status_code", "statusCode", "http_status",
    "status_class",
)  # fmt: skip
"""Labels that hold a status in most libraries, those that say most first."""


def find_status_label(metric: Metric) -> str | None:
    """The label of a metric that holds a status by its name and its declared values."""
    return next((label for label in STATUS_LABELS if holds_status(metric, label)), None)


def holds_status(metric: Metric, label: str) -> bool:
    """Whether a metric has the label, with a status among its values where it declares some."""
    values = metric.labels.get(label)
    return values is not None and (not values or any(re.fullmatch(STATUS, value) for value in values))


def build_http_outcome(name: str, label: str) -> Outcome:
    """A counter of HTTP requests: 5xx are failures; a label without an HTTP status in it tells nothing."""
    return Outcome(name, failed=f'{label}=~"5.."', known=f'{label}=~"{STATUS}"')


def build_rate_expr(subject: Subject, name: str, *matchers: str, over: str = WINDOW) -> str:
    """Events per second of a service's counter."""
    return f"sum by ({BY}) (rate({name}{subject.build_selector(*filter(None, matchers))}[{over}]))"


def build_ratio_expr(subject: Subject, of: Outcome, *, over: str = WINDOW) -> str:
    """The share of failures among known outcomes: 0 without failures, no value without events or without the label."""
    failed, known = (
        build_rate_expr(subject, of.name, of.failed, over=over),
        build_rate_expr(subject, of.name, of.known, over=over),
    )
    return f"({failed} or 0 * {known}) / ({known} > 0)"


def build_enough_condition(subject: Subject, of: Outcome, least: int) -> str:
    """The condition that there were at least so many failures in `PERIOD`."""
    return f"sum by ({BY}) (increase({of.name}{subject.build_selector(of.failed)}[{PERIOD}])) >= {least}"


def build_failing_condition(subject: Subject, of: Outcome, bound: float, least: int) -> str:
    """The condition that a larger share than `bound` fails, and that it is more than a failure or two."""
    return f"{build_ratio_expr(subject, of)} > {bound:g} and {build_enough_condition(subject, of, least)}"


# -- what is not known -----------------------------------------------------------------------------------------------


def build_unknown_expr(subject: Subject, of: Outcome) -> str:
    """The share of events within `PERIOD` of which nothing is known, with the name of the counter."""
    every, known = (
        build_rate_expr(subject, of.name, of.every, over=PERIOD),
        build_rate_expr(subject, of.name, of.known, over=PERIOD),
    )
    share = f"1 - ({known} or 0 * {every}) / ({every} > 0)"
    return f'label_replace({share}, "metric", "{of.name}", "", "")'


def alert_on_unknown_outcomes(subject: Subject, outcomes: Sequence[Outcome]) -> AlertRule:
    """Events are counted, but the label that tells failures from successes is not there."""
    bound, first = subject.get_limit("OutcomeUnknown", UNKNOWN), outcomes[0]
    labels = _format_labels(outcomes)
    series = subject.build_series(first.name, **_build_example_labels(first))
    without = subject.build_series(first.name)
    return AlertRule(
        name="OutcomeUnknown",
        expr=" or ".join(f"{build_unknown_expr(subject, each)} > {bound:g}" for each in outcomes),
        for_="30m",  # longer than a deployment that changes the label in one instance after another
        severity="warning",
        limit=Share(bound),
        summary=f"{subject.title}: {{{{ $value | humanizePercentage }}}} of {{{{ $labels.metric }}}} have no outcome",
        description=f"{{{{ $labels.metric }}}} is counted, but more than {format_percent(bound)} of it in the last"
        f" hour has no label that tells failures from successes ({labels}): alerts and objectives on failures cannot"
        " see it.",
        steps=(
            "Open the metrics page of the service and look for the counter: which label holds the outcome?",
            "If it has another name, say so in the system's file: `statusLabel` of the service for HTTP requests, else"
            " the labels that the service's metric declares.",
            "If the label holds no HTTP status (`ok`, `error`), let the service write the status code into it.",
            "If only one version or instance lacks it, roll that back or wait for the rollout to end.",
        ),
        example=Example(
            fires={
                without: build_counter_samples(1000 * bound * 1.05),
                series: build_counter_samples(1000 * (1 - bound * 1.05)),
            },
            silent={
                without: build_counter_samples(1000 * bound * 0.95),
                series: build_counter_samples(1000 * (1 - bound * 0.95)),
            },
        ),
    )


def _format_labels(outcomes: Sequence[Outcome]) -> str:
    return ", ".join(sorted({each.known.partition("=")[0] for each in outcomes}))


def _build_example_labels(of: Outcome) -> dict[str, str]:
    """A label with which an outcome is known."""
    label, _, values = of.failed.replace("=~", "=").partition("=")
    return {label: values.strip('"').split("|")[0].replace("..", "00")}
