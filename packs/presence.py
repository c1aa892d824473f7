"""Metrics that rules stand on and that nobody exposes: rules over them neither fire nor fail, they are just silent."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence, Set
from functools import cache

from model.service import Metric
from model.telemetry import AlertRule, Example
from packs import web
from packs.base import BY, PROBES, Subject, build_flat_samples

OFFSETS = ("", " offset 1h", " offset 6h", " offset 1d")
"""When a metric must have been there to count as known: a counter with labels has no series after a restart until the
first request, so a quiet night is no mistake."""

PARTS = ("_bucket", "_count", "_sum", "")
"""What the names of a metric's series end in."""
OF_OTHERS = frozenset({"service", "environment"})
"""Labels of a metric that tells of others, which only honorLabels allows: its series are not known by their service."""


SCRAPED = (
    "Ask for it: `up` of the service is 1, so open its metrics page and search for the name; is it spelt otherwise, or"
    " has another unit or suffix?"
)
SENT = (
    'Look at what arrives: `count by (__name__) ({{service="{key}"}})` in Explore; is it spelt otherwise, or has'
    " another unit or suffix (docs/otel.md)?"
)
"""What to do first, of a service that is scraped and of one that sends, which has no page."""


def build_alerts(
    subject: Subject, expressions: Sequence[str], elsewhere: Set[str] = frozenset()
) -> tuple[AlertRule, ...]:
    """An alert on the declared metrics of a service that occur in the expressions of rules; none where none does.

    `elsewhere` are the series in expressions that are no service's own, of which a system may have thousands.
    """
    text = "\n".join(expressions)
    used = [
        derive_exposed_series(name, metric)
        for name, metric in sorted(subject.service.metrics.items())
        if not (OF_OTHERS.intersection(metric.labels) or web.is_made_of_records(name))
        and (_is_used(name, text) or not elsewhere.isdisjoint([name + end for end in PARTS]))
    ]
    return (alert_on_missing_metrics(subject, used),) if used else ()


def list_series(expressions: Iterable[str]) -> set[str]:
    """The names of series in expressions, with all other words in them."""
    return {word for expression in expressions for word in re.findall(r"[\w:]+", expression)}


def derive_exposed_series(name: str, metric: Metric) -> str:
    """A series that is there whenever the metric is: the count of a histogram or summary, else its own name."""
    return f"{name}_count" if metric.type in ("histogram", "summary") else name


def _is_used(name: str, expressions: str) -> bool:
    if name not in expressions:  # which is soon known
        return False
    return _build_pattern(name).search(expressions) is not None


@cache
def _build_pattern(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w:]){re.escape(name)}({'|'.join(PARTS)})(?![\w:])")


def alert_on_missing_metrics(subject: Subject, used: Sequence[str]) -> AlertRule:
    """One alert for each metric of the service that has no series while the service answers."""
    sends = subject.service.otlp
    up = f'max by ({BY}) (up{{service="{subject.key}", job!="{PROBES}"}}) == 1'
    expected = " or ".join(f'label_replace({up}, "metric", "{name}", "", "")' for name in used)
    series = f'{{__name__=~"{"|".join(used)}", service="{subject.key}"}}'
    seen = [
        f'label_replace(count by ({BY}, __name__) ({series}{offset}), "metric", "$1", "__name__", "(.+)")'
        for offset in OFFSETS
    ]
    known = {subject.build_series(name): build_flat_samples(1) for name in used[1:]}
    answers = subject.build_series("up", job=subject.key, instance="x:80")
    return AlertRule(
        name="MetricMissing",
        expr=f"({expected})" + "".join(f" unless on({BY}, metric) {part}" for part in seen),
        for_="30m",  # with the look back of a day: long enough for the first request after a first deployment
        severity="warning",
        summary=f"{subject.title} does not expose {{{{ $labels.metric }}}}",
        description=f"{subject.title} {'sends metrics' if sends else 'answers its scrapes'}, but a metric that its"
        " rules need has no series now and had none a day ago: alerts that stand on it cannot fire.",
        steps=(
            SENT.format(key=subject.key) if sends else SCRAPED,
            "If the service has had no request or job yet, make one: counters with labels appear with the first.",
            "If the service has no such metric, take it out of `metrics` in the system's file, or leave out the pack.",
            "If it is there but has another `service` label, see `labels` of the service and its honor_labels.",
        ),
        example=Example(
            fires={answers: build_flat_samples(1), **known},
            silent={answers: build_flat_samples(1), **known, subject.build_series(used[0]): build_flat_samples(1)},
        ),
    )
