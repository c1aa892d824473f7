"""What mutes what, seen at the receivers: the rendered rules and routes in the real Prometheus and Alertmanager.

Neither an engine nor a cluster is needed. For every pair there is a worse alert, one that follows from it, and one of
the same name about something else. Ranges, offsets and holds of the rules are shortened to seconds.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from model.inhibition import list_inhibitions
from model.plan import Plan
from stack.assemble import ConfigValue
from tests.support.alerting import (
    RECEIVER,
    Incidents,
    Watched,
    alertmanager_files,
    arguments,
    exporter,
    free_port,
    prometheus_files,
    running,
    served,
    short,
)
from tests.support.following import PAIRS, Labels, Pair, Seen, World
from tests.support.systems import plan_cluster
from tests.support.waiting import eventually

QUICKLY = {"for": "1s", "why": "shorter than what follows, as it is without the longest hold"}


PROBED = ["/health", "/slow"]


PODS = {"namespace": "shop", "expected": 2}


SYSTEM: dict[str, Any] = {
    "alerts": [],
    "services.api.health": PROBED,
    "services.cart": {"port": 80, "addresses": ["cart-0:80", "cart-1:80"], "health": PROBED},
    "services.desk": {
        "port": 80, "addresses": ["desk-0:80", "desk-1:80"], "health": PROBED, "packs": ["http"],
        "metrics": {"desk_requests_total": {"type": "counter", "role": "requests", "labels": {"status": ["200"]}}},
    },
    "services.clickhouse": {"port": 80, "addresses": ["clickhouse-0:80", "clickhouse-1:80"], "packs": ["clickhouse"]},
    "services.web": {"port": 80, "health": PROBED, "kubernetes": {**PODS, "selector": {"app": "web"}}},
    "services.mail": {"port": 80, "health": PROBED, "kubernetes": {**PODS, "selector": {"app": "mail"}}},
    "databases": {
        f"{kind}-{name}": {"kind": kind, "address": f"{kind}-{name}:1"}
        for kind, name in product(("postgres", "redis"), ("main", "other", "third"))
    },
    "objectives": [
        {"service": name, "kind": "availability", "target": 0.999, "window": "7d"} for name in ("api", "desk")
    ],
    "tune": {
        **dict.fromkeys({worse for worse, _ in PAIRS} - {follows for _, follows in PAIRS}, QUICKLY),
        "RedisClientsBlocked": {"threshold": 10.0, "why": "usually it is compared with the day before"},
        "MetricMissing": {"enabled": False, "why": "the fake services expose what this test is about"},
    },
}  # fmt: skip


BESIDES = {"HighErrorRatio"}
"""Alerts that the same faults raise, and that nothing here mutes."""


def planned(folder: Path) -> Plan:
    """A stack on a cluster with several of everything, whose holds are seconds."""
    team = {"name": "team", "webhook": {"url": f"{RECEIVER}/webhook"}, "pagerduty": {"routingKeySecret": "pager-key"}}
    alertmanager = {
        "receivers": [team], "routes": [{"severity": "info", "receiver": "team"}], "replicas": 3,
        "deadMansSwitch": {"url": f"{RECEIVER}/switch", "interval": "2s"}, "groupWait": "1s", "groupInterval": "2s",
    }  # fmt: skip
    settings: dict[str, str | ConfigValue] = {
        "alertmanager": json.dumps(alertmanager),
        "prometheus": json.dumps({"replicas": 2, "evaluationInterval": "2s"}),
        "scrapeInterval": "2s",
        "longestFor": "4s",
        "pager-key": ConfigValue("", secret=True),
    }
    for name in ("main", "other", "third"):
        settings[f"postgres-{name}-password"] = ConfigValue("", secret=True)
    return plan_cluster(folder / "project", SYSTEM, settings)


def condition(expression: str) -> str:
    """What a muted alert asks for, without what is left out; as `prometheus_files` writes it."""
    group = {"rules": [{"expr": expression[1 : expression.index(") unless on (")]}]}
    return str(short({"groups": [group]})["groups"][0]["rules"][0]["expr"])


@dataclass(frozen=True)
class Run:
    """A stack of which nothing is wrong yet."""

    world: World
    incidents: Incidents
    prometheus: Watched
    conditions: dict[str, str]
    """What muted alerts ask for, without what is left out, by name."""

    def follows(self, name: str, labels: Labels) -> bool:
        """Whether the condition has held for longer than the alert waits."""
        held = self.prometheus.ask(f"count_over_time(({self.conditions[name]})[10s:2s]) >= 5")
        return any(labels.items() <= series["metric"].items() for series in held)

    def until(self, what: str, wanted: Callable[[Pair, Seen], bool]) -> None:
        """Waits until it is so for all pairs; the error names those for which it is not."""

        def all_so() -> bool:
            if left := [pair for pair, seen in PAIRS.items() if not wanted(pair, seen)]:
                raise AssertionError(f"not yet: {left}")
            return True

        eventually(all_so, timeout=150, what=what)

    def over(self) -> bool:
        """Whether no incident is open, of an alert or of a group; the error names those that are."""
        if (left := self.incidents.left()) or self.incidents.left_groups():
            raise AssertionError(f"open: {left}, {self.incidents.left_groups()} groups")
        return True

    def told(self, status: str, name: str, labels: Labels) -> int:
        """How often the receiver was told that."""
        return sum(
            said == status and known["alertname"] == name and labels.items() <= known.items()
            for said, known in list(self.incidents.told)
        )


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    """Both programs, running with what the plan says."""
    world, incidents = World(), Incidents()
    with ExitStack() as stack:
        receiver, proxy = (
            stack.enter_context(served(incidents.handler())),
            stack.enter_context(served(exporter(world.page))),
        )
        plan, port = planned(tmp_path), free_port()
        every = [alert for group in plan.telemetry.rules for alert in group.alerts]
        muted = {target.name: target.expr for _, _, target in list_inhibitions(every)}
        assert {(source.name, target.name) for source, _, target in list_inhibitions(every)} == PAIRS.keys()
        files = prometheus_files(plan, tmp_path / "prometheus", proxy, port)
        prometheus = Watched(plan, tmp_path, files, ("--rules.alert.resend-delay=2s",))
        stack.enter_context(prometheus.run())
        eventually(lambda: len(prometheus.ask("up == 1")) > 20, timeout=60, what="everything is scraped")
        wrong = 'ALERTS{alertname!="Watchdog"}'  # pending ones too: holds are seconds here
        eventually(lambda: not prometheus.ask(wrong), timeout=60, what="nothing is wrong")
        folder = alertmanager_files(plan, tmp_path / "am", receiver)
        own = arguments(plan, "alertmanager", folder, tmp_path / "amd", port)
        ready = f"http://127.0.0.1:{port}/alertmanager/-/ready"
        stack.enter_context(running("alertmanager", own, tmp_path / "alertmanager.log", ready))
        yield Run(world, incidents, prometheus, {name: condition(expr) for name, expr in muted.items()})


def test_what_follows_is_silent_and_nothing_stays_open(run: Run) -> None:
    """Told: what is worse, and what is about something else. What follows is told when the worse ended, and it ends."""
    world, incidents = run.world, run.incidents
    world.worse = world.other = True
    run.until("the worse alerts are told", lambda pair, seen: incidents.open(pair[0], seen.worse))
    run.until("others of the same names are told", lambda pair, seen: incidents.open(pair[1], seen.other))
    world.lesser = True
    run.until("what follows is there", lambda pair, seen: run.follows(pair[1], seen.follows))
    early = {pair: run.told("firing", pair[1], seen.follows) for pair, seen in PAIRS.items()}
    world.worse = False
    run.until("what was silent is told", lambda pair, seen: incidents.open(pair[1], seen.follows))
    world.worse = True
    run.until("what is told once more ends", lambda pair, seen: not incidents.open(pair[1], seen.follows))
    world.worse = world.lesser = world.other = False
    eventually(run.over, timeout=120, what="every incident is closed")
    for (worse, follows), seen in PAIRS.items():
        told, other = early[worse, follows], run.told("firing", follows, seen.other)
        print(f"{worse} -> {follows}: what follows told {told} times, what does not {other} times; open at the end 0")
    assert not [pair for pair, times in early.items() if times]
    known = {name for pair in PAIRS for name in pair} | BESIDES
    assert not [labels for _, labels in incidents.told if labels["alertname"] not in known]
    assert incidents.beats > 10, "Watchdog keeps the switch from going off"
    print(f"{len(incidents.told)} changes were told, {len(incidents.groups)} incidents of groups, all closed")
