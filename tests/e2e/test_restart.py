"""A restart of Prometheus while alerts fire: nobody is told again, and nothing is told as ended.

Neither an engine nor a cluster is needed. Alertmanager takes an alert for ended when it is not sent for four resend
delays: with one of five seconds, half a minute is what five minutes are with the usual delay of a minute.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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
)
from tests.support.systems import SYSTEM, plan_shop
from tests.support.waiting import eventually

HOLDS = ("0s", "5s", "30s", "45s")
"""None, shorter than what Alertmanager waits for an alert to be sent again (20 s), and longer."""
RESEND = "--rules.alert.resend-delay=5s"
ENOUGH = 60
"""Evaluations, one a second, after which the longest hold is over once more."""
GRACE = "--rules.alert.for-grace-period"
(BASE,) = SYSTEM["alerts"]


def named(for_: str) -> str:
    """The alert that holds for so long."""
    return f"Holds{for_}"


@contextmanager
def firing(folder: Path, without: str = "") -> Iterator[tuple[Incidents, Watched]]:
    """Alerts of every hold, told; `without` is an argument of Prometheus that is left out."""
    incidents = Incidents()
    with served(incidents.handler()) as receiver, served(exporter(lambda host, probed: "")) as proxy:
        hook = {"name": "team", "webhook": {"url": f"{RECEIVER}/webhook"}}
        settings = {
            "alertmanager": json.dumps({"receivers": [hook], "groupWait": "1s", "groupInterval": "1s"}),
            "prometheus": json.dumps({"evaluationInterval": "1s"}),
            "scrapeInterval": "1s",
        }
        alerts = [{**BASE, "name": named(for_), "for": for_, "expr": 'up{job="api"} == 1'} for for_ in HOLDS]
        del alerts[0]["for"]
        plan, port = plan_shop(folder / "project", {"alerts": alerts}, settings), free_port()
        own = arguments(plan, "alertmanager", alertmanager_files(plan, folder / "am", receiver), folder / "amd", port)
        files = prometheus_files(plan, folder / "prometheus", proxy, port)
        with running("alertmanager", own, folder / "am.log", f"http://127.0.0.1:{port}/alertmanager/-/ready"):
            prometheus = Watched(plan, folder, files, (RESEND,))
            assert any(text.startswith(GRACE) for text in prometheus.arguments)
            prometheus.arguments = [text for text in prometheus.arguments if not without or without not in text]
            yield incidents, prometheus


def everything_told(incidents: Incidents) -> bool:
    """Whether the receiver knows of an alert of each hold."""
    if left := [for_ for for_ in HOLDS if not incidents.open(named(for_), {"service": "api"})]:
        raise AssertionError(f"not told: {left}")
    return True


def told(incidents: Incidents) -> list[tuple[str, str]]:
    """Every change that the receiver was told of the test's own alerts of one service: status and hold."""
    known = [(status, labels) for status, labels in list(incidents.told) if labels.get("service") == "api"]
    return [(status, labels["alertname"]) for status, labels in known if labels["alertname"].startswith("Holds")]


def restarted(incidents: Incidents, prometheus: Watched) -> list[tuple[str, str]]:
    """What is told after a restart, until each alert has held for its time once more."""
    with prometheus.run():
        eventually(lambda: everything_told(incidents), timeout=150, what="every alert is told")
    before = len(told(incidents))
    with prometheus.run():
        eventually(lambda: prometheus.iterations("shop") > ENOUGH, timeout=180, what="rules are evaluated again")
        eventually(lambda: everything_told(incidents), timeout=30, what="every alert is open")
    return told(incidents)[before:]


def test_a_restart_is_no_news(tmp_path: Path) -> None:
    """Each alert is told once, before the restart; nothing is told while it is away and after it."""
    with firing(tmp_path) as (incidents, prometheus):
        after = restarted(incidents, prometheus)
        assert sorted(told(incidents)) == sorted(("firing", named(for_)) for for_ in HOLDS)
        assert after == []
        print(f"told before the restart {len(HOLDS)}, while it was away and after it {len(after)}")


def test_it_would_be_without_the_argument(tmp_path: Path) -> None:
    """By default what holds for longer than Alertmanager waits is told as ended, and then as new."""
    with firing(tmp_path, without=GRACE) as (incidents, prometheus):
        after = restarted(incidents, prometheus)
        print(f"without {GRACE}: {len(after)} messages after the restart: {after}")
        assert {name for _, name in after} == {named(for_) for for_ in HOLDS[2:]}
        assert {status for status, _ in after} == {"resolved", "firing"}
