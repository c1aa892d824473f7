"""What the parts of a running stack have stored, in numbers that only grow: whether a change has lost some of it.

APIs: https://prometheus.io/docs/prometheus/latest/querying/api/,
https://grafana.com/docs/loki/latest/reference/loki-http-api/#query-logs-at-a-single-point-in-time,
https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from cli.hosts import Host
from components.loki.settings import NAME as LOKI
from components.prometheus.settings import NAME as PROMETHEUS
from model.base import DAY
from model.plan import Plan

ARRIVED = 60
"""Seconds after which samples and lines of a moment have arrived."""
SAMPLES = "sum by (job) (count_over_time(up[1h]))"
LINES = 'sum by (job) (count_over_time({job=~".+"}[15m]))'
LASTING = timedelta(hours=2)
"""A silence that ends sooner is not looked for: it may end meanwhile."""
SLACK = 0.1
"""Share by which instances of Prometheus that scrape the same differ, as each began at another moment."""
AGES = {"": 0, ", a day before": DAY, ", a week before": 7 * DAY}
"""Seconds before the moment at which is asked: what is older lies in blocks and chunks, and not in a log any more."""
SAMPLES_OF = "samples of job"
Stored = Mapping[str, float]
"""How much there is, by what it is of: `samples of job prometheus, a day before`."""


def read_stored(plan: Plan, host: Host, moment: float) -> dict[str, float]:
    """What is stored of a moment, in seconds of the Unix epoch, and of days before: samples and lines, and silences.

    Raises:
        RuntimeError: a part that the stack has does not answer.
    """
    found: dict[str, float] = {}
    for words, age in AGES.items():
        samples = _count(host.ask_prometheus, SAMPLES, moment - age)
        found |= {f"{SAMPLES_OF} {job}{words}": count for job, count in samples}
        if plan.workloads.get(LOKI):
            lines = _count(host.ask_loki, LINES, moment - age)
            found |= {f"lines of job {job}{words}": count for job, count in lines}
    for instance in host.list_alertmanagers():
        for silence in json.loads(instance.ask("/api/v2/silences")):
            if datetime.fromisoformat(silence["endsAt"]) > datetime.now(UTC) + LASTING:
                found[f"silence {silence['id']}"] = 1
    return found


def _count(ask: Callable[[str], Any], query: str, moment: float) -> Iterator[tuple[str, float]]:
    answer = ask(f"query?{urlencode({'query': query, 'time': f'{moment:.3f}'})}")
    for series in (answer or {}).get("result", ()):
        yield series["metric"].get("job", ""), float(series["value"][1])


def list_lost(before: Stored, after: Stored, slack: float = 0) -> list[str]:
    """What there is less of than before, by more than a share of it, as sentences."""
    return [
        f"{name}: {before[name]:g} before, {after.get(name, 0):g} now"
        for name in sorted(before)
        if after.get(name, 0) < before[name] * (1 - slack)
    ]


def get_slack(plan: Plan) -> float:
    """The share by which answers differ with the instance that gives them."""
    replicated = any(workload.replicas > 1 for workload in plan.workloads.get(PROMETHEUS, ()))
    return SLACK if replicated or plan.operator else 0


def wait_answers(read: Callable[[], Stored], timeout: float) -> Stored:
    """What is stored, as soon as every part answers, after at most `timeout` seconds.

    Raises:
        RuntimeError: one does not.
    """
    deadline = time.monotonic() + timeout
    while True:
        try:
            return read()
        except RuntimeError:
            if time.monotonic() > deadline:
                raise
            time.sleep(1)


def wait_stored(read: Callable[[], Stored], before: Stored, timeout: float, slack: float = 0) -> list[str]:
    """Waits until all is there again, at most `timeout` seconds: a part reads what it has stored while it answers.

    Returns what is lost, or why that is not known, as sentences.
    """
    deadline = time.monotonic() + timeout
    while True:
        try:
            lost = list_lost(before, read(), slack)
        except (RuntimeError, OSError, ValueError, KeyError) as error:
            lost = [f"what is stored is not known: {error}"]
        if not lost or time.monotonic() > deadline:
            return lost
        time.sleep(1)
