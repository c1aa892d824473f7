"""What is known of outcomes: the share that failed, how many failures there were, and what nothing is known of.

A share is that of events whose outcome is known: where the label is missing that tells it, there is no share, and
neither 0% nor 100%. That the label is missing is an alert of its own.
"""

from __future__ import annotations

from collections.abc import Sequence

from model.limits import Share
from model.telemetry import AlertRule, Example
from packs.base import BY, WINDOW, Outcome, Subject, counter, percent

PERIOD = "1h"
"""Over which failures and unknown outcomes are counted: a service of a few requests an hour is seen as well."""
INTERVAL = "1m"
"""How often it is looked whether outcomes are known: the alert holds for half an hour."""
UNKNOWN = 0.05
"""Of all outcomes: as much as may fail before people are called; what is unknown beyond that can hide an outage."""
STATUS = "[1-5].."
"""HTTP status codes, or classes of them such as 5xx, as a regular expression."""


def http(name: str, label: str) -> Outcome:
    """A counter of HTTP requests: 5xx are failures; a label without an HTTP status in it tells nothing."""
    return Outcome(name, failed=f'{label}=~"5.."', known=f'{label}=~"{STATUS}"')


def rate(subject: Subject, name: str, *matchers: str, over: str = WINDOW) -> str:
    """Events per second of a service's counter."""
    return f"sum by ({BY}) (rate({name}{subject.selector(*filter(None, matchers))}[{over}]))"


def ratio(subject: Subject, of: Outcome, *, over: str = WINDOW) -> str:
    """The share of failures among known outcomes: 0 without failures, no value without events or without the label."""
    failed, known = rate(subject, of.name, of.failed, over=over), rate(subject, of.name, of.known, over=over)
    return f"({failed} or 0 * {known}) / ({known} > 0)"


def enough(subject: Subject, of: Outcome, least: int) -> str:
    """The condition that there were at least so many failures in `PERIOD`."""
    return f"sum by ({BY}) (increase({of.name}{subject.selector(of.failed)}[{PERIOD}])) >= {least}"


def failing(subject: Subject, of: Outcome, bound: float, least: int) -> str:
    """The condition that a larger share than `bound` fails, and that it is more than a failure or two."""
    return f"{ratio(subject, of)} > {bound:g} and {enough(subject, of, least)}"


# -- what is not known -----------------------------------------------------------------------------------------------


def unknown(subject: Subject, of: Outcome) -> str:
    """The share of events within `PERIOD` of which nothing is known, with the name of the counter."""
    every, known = rate(subject, of.name, of.every, over=PERIOD), rate(subject, of.name, of.known, over=PERIOD)
    share = f"1 - ({known} or 0 * {every}) / ({every} > 0)"
    return f'label_replace({share}, "metric", "{of.name}", "", "")'


def alert(subject: Subject, outcomes: Sequence[Outcome]) -> AlertRule:
    """Events are counted, but the label that tells failures from successes is not there."""
    bound, first = subject.limit("OutcomeUnknown", UNKNOWN), outcomes[0]
    labels = _labels(outcomes)
    series = subject.series(first.name, **_example(first))
    without = subject.series(first.name)
    return AlertRule(
        name="OutcomeUnknown",
        expr=" or ".join(f"{unknown(subject, each)} > {bound:g}" for each in outcomes),
        for_="30m",  # longer than a deployment that changes the label in one instance after another
        severity="warning",
        limit=Share(bound),
        summary=f"{subject.title}: {{{{ $value | humanizePercentage }}}} of {{{{ $labels.metric }}}} have no outcome",
        description=f"{{{{ $labels.metric }}}} is counted, but more than {percent(bound)} of it in the last hour has no"
        f" label that tells failures from successes ({labels}): alerts and objectives on failures cannot see it.",
        steps=(
            "Open the metrics page of the service and look for the counter: which label holds the outcome?",
            "If it has another name, say so in the system's file: `statusLabel` of the service for HTTP requests, else"
            " the labels that the service's metric declares.",
            "If the label holds no HTTP status (`ok`, `error`), let the service write the status code into it.",
            "If only one version or instance lacks it, roll that back or wait for the rollout to end.",
        ),
        example=Example(
            fires={without: counter(1000 * bound * 1.05), series: counter(1000 * (1 - bound * 1.05))},
            silent={without: counter(1000 * bound * 0.95), series: counter(1000 * (1 - bound * 0.95))},
        ),
    )


def _labels(outcomes: Sequence[Outcome]) -> str:
    return ", ".join(sorted({each.known.partition("=")[0] for each in outcomes}))


def _example(of: Outcome) -> dict[str, str]:
    """A label with which an outcome is known."""
    label, _, values = of.failed.replace("=~", "=").partition("=")
    return {label: values.strip('"').split("|")[0].replace("..", "00")}
