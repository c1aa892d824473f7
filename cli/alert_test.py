"""Sends a marked alert to each receiver by the real way, and prints what came of it: `make alert-test STACK=name`.

Alertmanager's documents have a route for that alert to each receiver, see
`components.alertmanager.routes.build_test_routes`; what the receiver answered is seen in Alertmanager's metrics, and
where it failed, in its log.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from rich.console import Console
from rich.table import Table

from cli.alertmanagers import Instance, build_labels
from cli.routes import get_document, parse_integration
from components.alertmanager.mixin import SWITCH
from components.alertmanager.notifications import TEST_ALERT
from components.alertmanager.routes import NOBODY
from model.errors import ConfigError, Problem, suggest_name
from model.plan import Plan

TRIES_SECONDS = 25.0
"""All tries of a notification end after 10 s; the rest is for a busy machine."""
END_SECONDS = 40.0
"""That an alert has ended is sent when its group is looked at again, after 10 s, and has 10 s for its tries."""
LONGEST = timedelta(minutes=5)
"""An alert whose sender was killed meanwhile ends by itself."""
_SAMPLE = re.compile(r"^(?P<name>\w+)\{(?P<labels>.*)\} (?P<value>\S+)$", re.MULTILINE)
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
_ERROR = re.compile(r'err="((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True)
class Way:
    """One way of a receiver to notify, by Alertmanager's name for it, and how many of them the receiver has."""

    receiver: str
    integration: str
    count: int
    resolved: bool


@dataclass(frozen=True)
class Counts:
    """What Alertmanager has counted of a way: calls, those that failed, notifications given up, and seconds."""

    calls: float = 0
    failed: float = 0
    given_up: float = 0
    seconds: float = 0

    def subtract(self, before: Counts) -> Counts:
        """What came since then."""
        return Counts(
            self.calls - before.calls,
            self.failed - before.failed,
            self.given_up - before.given_up,
            self.seconds - before.seconds,
        )

    @property
    def accepted(self) -> float:
        """How many calls were answered well."""
        return self.calls - self.failed


@dataclass(frozen=True)
class Result:
    """What came of a test: seconds a call took on average, and the words of an error, empty where there was none."""

    way: Way
    seconds: float
    error: str = ""
    ended: bool | None = None


def run_alert_test(plan: Plan, instances: Sequence[Instance], receiver: str, severity: str, console: Console) -> int:
    """Tests one receiver, or all where none is named, and prints the results; 1 when any of them failed.

    Raises:
        ConfigError: there is no such receiver, or none at all.
    """
    every = list_ways(get_document(plan), receiver)
    if not instances:
        raise ConfigError([Problem(f"stack {plan.stack}", "no Alertmanager of it is running: make up")])
    run = Run(plan, instances, severity)
    names = list(dict.fromkeys(way.receiver for way in every))
    try:
        results = [
            result for name in names for result in run.fire_alert([way for way in every if way.receiver == name])
        ]
    finally:
        ended_at = run.end_alerts(names)
    results = run.check_ends(results, ended_at)
    print_report(results, console)
    return 0 if all(not result.error and result.ended is not False for result in results) else 1


def list_ways(alertmanager: Mapping[str, Any], receiver: str) -> list[Way]:
    """Every way to notify of the document's receivers, or of the one that is named.

    Raises:
        ConfigError: there is none.
    """
    people = [item for item in alertmanager["receivers"] if item["name"] not in (NOBODY, SWITCH)]
    names = [item["name"] for item in people]
    if not names:
        raise ConfigError([Problem("alertmanager.receivers", "none is declared, so there is nobody to be tested")])
    if receiver and receiver not in names:
        raise ConfigError([Problem("RECEIVER", f"there is no receiver {receiver!r}; {suggest_name(receiver, names)}")])
    return [
        Way(item["name"], parse_integration(key), len(entries), all(_sends_resolved(entry) for entry in entries))
        for item in people
        if receiver in ("", item["name"])
        for key, entries in item.items()
        if key != "name"
    ]


def _sends_resolved(entry: Mapping[str, Any]) -> bool:
    return bool(entry.get("send_resolved", entry.get("sendResolved")))


class Run:
    """One test, whose alerts are in groups of their own."""

    def __init__(self, plan: Plan, instances: Sequence[Instance], severity: str) -> None:
        self._plan, self._instances, self._severity = plan, instances, severity
        self._began = datetime.now(UTC)
        self._before: dict[Way, Counts] = {}

    def fire_alert(self, every: Sequence[Way]) -> Iterator[Result]:
        """Sends the alert to one receiver and waits until each of its ways has succeeded or been given up."""
        start = time.time()
        self._before |= {way: self.count_calls(way) for way in every}
        self._post_alert(every[0].receiver, datetime.now(UTC) + LONGEST)
        deadline = time.monotonic() + TRIES_SECONDS
        open_ways = list(every)
        while open_ways:
            for way in list(open_ways):
                made = self.count_calls(way).subtract(self._before[way])
                late = time.monotonic() > deadline
                if made.accepted >= way.count or made.given_up or late:
                    open_ways.remove(way)
                    yield self._build_result(way, made, start)
            time.sleep(0.2)

    def _build_result(self, way: Way, made: Counts, start: float) -> Result:
        spent = made.seconds / made.calls if made.calls else 0.0
        if made.accepted >= way.count:
            return Result(way, spent)
        message = self.find_error(way, start) or ("no call was made" if not made.calls else "no answer")
        return Result(way, spent, message)

    def end_alerts(self, names: Sequence[str]) -> float:
        """Ends the alerts of these receivers; when that was."""
        for name in names:
            self._post_alert(name, datetime.now(UTC))
        return time.monotonic()

    def check_ends(self, results: Sequence[Result], since: float) -> list[Result]:
        """The results with whether the end was sent too, where it is to be and the beginning was."""
        waiting = [result for result in results if not result.error and result.way.resolved]
        done: set[Way] = set()
        while len(done) < len(waiting) and time.monotonic() < since + END_SECONDS:
            done |= {r.way for r in waiting if self._count_accepted(r.way) >= 2 * r.way.count}
            time.sleep(0.5)
        return [Result(r.way, r.seconds, r.error, (r.way in done) if r in waiting else None) for r in results]

    def _count_accepted(self, way: Way) -> float:
        return self.count_calls(way).subtract(self._before[way]).accepted

    def _post_alert(self, receiver: str, until: datetime) -> None:
        body = json.dumps([build_alert(self._plan, receiver, self._severity, self._began, until)])
        for instance in self._instances:
            instance.ask("/api/v2/alerts", body)

    def count_calls(self, way: Way) -> Counts:
        """What all instances have counted of a way."""
        counts = [parse_counts(instance.ask("/metrics"), way) for instance in self._instances]
        return Counts(
            *(sum(values) for values in zip(*((c.calls, c.failed, c.given_up, c.seconds) for c in counts), strict=True))
        )

    def find_error(self, way: Way, since: float) -> str:
        """The last error of a way that a log has."""
        return next(filter(None, (find_last_error(instance.read_log(since), way) for instance in self._instances)), "")


def build_alert(plan: Plan, receiver: str, severity: str, began: datetime, until: datetime) -> dict[str, Any]:
    """The alert as Alertmanager's API takes it, marked as a test; it says itself that nobody has to do anything."""
    labels = {
        "alertname": TEST_ALERT, "receiver": receiver, "severity": severity, "test": "true",
        "run": began.strftime("%Y%m%dT%H%M%SZ"), **build_labels(plan),
    }  # fmt: skip
    annotations = {
        "summary": f"This is a test of the receiver {receiver}",
        "description": "It was sent by `make alert-test`; nobody has to do anything, and it ends by itself.",
    }
    return {
        "labels": labels,
        "annotations": annotations,
        "startsAt": began.isoformat(),
        "endsAt": until.isoformat(),
        "generatorURL": plan.settings.base_url,
    }


def parse_counts(metrics: str, way: Way) -> Counts:
    """What an Alertmanager has counted of a way, from its metrics; of all receivers where these have no names."""
    totals: dict[str, float] = {}
    for sample in _SAMPLE.finditer(metrics):
        labels = dict(_LABEL.findall(sample["labels"]))
        name = labels.get("receiver_name", way.receiver)
        # an operator puts namespace and object before it
        if labels.get("integration") == way.integration and name.rpartition("/")[2] == way.receiver:
            totals[sample["name"]] = totals.get(sample["name"], 0) + float(sample["value"])
    names = (
        "notification_requests_total", "notification_requests_failed_total", "notifications_failed_total",
        "notification_latency_seconds_sum",
    )  # fmt: skip
    return Counts(*(totals.get(f"alertmanager_{name}", 0.0) for name in names))


def find_last_error(log: str, way: Way) -> str:
    """The error that a log has last of a way, in the receiver's own words where it said any."""
    mark = f"{way.receiver}/{way.integration}["
    fields = (f"receiver={way.receiver} ", f"integration={way.integration}[")
    lines = [line for line in log.splitlines() if mark in line or all(part in line for part in fields)]
    errors = [match[1] for line in lines if (match := _ERROR.search(line))]
    return errors[-1].replace('\\"', '"') if errors else ""


def print_report(results: Sequence[Result], console: Console) -> None:
    """Prints a line for each way: what came of the alert and of its end, and how long a call took."""
    table = Table(title=f"Alert {TEST_ALERT}", title_justify="left")
    for column in ("receiver", "way", "firing", "resolved", "seconds a call"):
        table.add_column(column)
    for result in results:
        end = {True: "accepted", False: "[red]not sent[/]", None: "-"}[result.ended]
        firing = "[red]failed[/]" if result.error else "[green]accepted[/]"
        table.add_row(result.way.receiver, result.way.integration, firing, end, f"{result.seconds:.2f}")
    console.print(table)
    for result in results:
        if result.error:
            console.print(f"{result.way.receiver}, {result.way.integration}: {result.error}", markup=False)
