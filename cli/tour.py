"""`observability tour`: a fault of a stand-in is switched on, and each thing that follows is shown as it happens.

It asks nothing of whoever looks on, so a pipeline can run it; whatever happens, the fault is switched off at the end.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from rich.console import Console
from rich.markup import escape

from cli import forward
from cli.arguments import FINE, UNWELL
from cli.exposed import query_series
from cli.hosts import Host
from cli.pages import find_replacement
from cli.routes import get_document
from cli.running import open_running
from cli.tunnel import ask_tunnel
from components.alertmanager.settings import NAME as ALERTMANAGER
from components.alertmanager.settings import Settings as AlertmanagerSettings
from components.demo_workload import WEBHOOK, WEBHOOK_PORT
from components.grafana.settings import NAME as GRAFANA
from model.errors import ConfigError, Problem
from model.plan import Plan

T = TypeVar("T")
ALERT = "TargetDown"
PATIENCE = 420.0
"""Seconds for each thing that follows: scrape, `for`, and the interval of a group are a few minutes at most."""
SILENCE = 30.0
"""Seconds for which a part may not answer: it is asked every second, and one of so many questions can fail."""
_EVERY = 1.0
console = Console(highlight=False, soft_wrap=True)


@dataclass(frozen=True)
class StandIn:
    """A stand-in, which takes faults at its port."""

    name: str
    port: int


def find_stand_in(plan: Plan) -> StandIn:
    """The first service of a plan that is imitated.

    Raises:
        ConfigError: none is.
    """
    names = {workload.name for workload in plan.list_workloads()}
    for key, service in plan.system.services.items():
        if key in names and service.port:
            return StandIn(key, service.port)
    where = f"Pulumi.{plan.stack}.yaml: demo"
    raise ConfigError([Problem(where, "false, and a tour needs a stand-in to switch a fault on; STACK=dev has some")])


def list_next_steps(plan: Plan) -> list[str]:
    """What to do with a stack that has come up: see it alert, or try whom it notifies; and what to ask at night."""
    where = f"STACK={plan.stack}"
    try:
        stand_in = find_stand_in(plan).name
    except ConfigError:
        first = f"make alert-test {where} sends a marked alert to every receiver"
        if not has_receivers(plan):
            first = "say who is notified, as nobody is yet: docs/how-to/be-notified.md"
    else:
        first = f"make tour {where} switches a fault of {stand_in} on, and shows the alert come and go"
    return [f"Next: {first}", f"      {describe_doctor(plan.stack)}"]


def describe_doctor(stack: str) -> str:
    """What to do where something is wrong."""
    return f"make doctor STACK={stack} says what is wrong, in the order in which to mend it"


def has_receivers(plan: Plan) -> bool:
    """Whether anybody is declared who is notified."""
    section = plan.sections.get(ALERTMANAGER)
    return isinstance(section, AlertmanagerSettings) and bool(section.receivers)


class Tour:
    """One tour through a running stack."""

    def __init__(self, plan: Plan, host: Host, stand_in: StandIn, patience: float = PATIENCE) -> None:
        self._plan, self._host, self._stand_in, self._patience = plan, host, stand_in, patience
        self._began = time.monotonic()

    def show(self, text: str) -> None:
        """Prints a line with the seconds since the beginning."""
        console.print(f"[dim]{time.monotonic() - self._began:4.0f} s[/]  {escape(text)}")

    def run(self) -> None:
        """Shows all of it.

        Raises:
            RuntimeError: a part does not answer, or what should follow does not.
        """
        name = self._stand_in.name
        self._await(self._is_up, f"{name} is scraped")
        self.show(f"The stack {self._plan.stack} watches {self._plan.system.title}; {name} is up")
        before = self._read_messages()[0] if self._has_receiver() else 0
        with self._fault():
            self.show(f"{name} now answers every request with 503")
            self._await(lambda: not self._is_up(), f"{name} is down for Prometheus")
            self.show(f'Prometheus sees it: up{{service="{name}"}} is 0')
            self._await(
                lambda: self._query(f'ALERTS{{alertname="{ALERT}",service="{name}",alertstate="firing"}}'), ALERT
            )
            self.show(f"The alert {ALERT} fires: docs/runbooks/{ALERT}.md says what to do")
            self._await_message("firing", before)
        self.show(f"{name} is well again")
        self._await(self._is_up, f"{name} is scraped again")
        self._await(lambda: not self._query(f'ALERTS{{alertname="{ALERT}",service="{name}"}}'), f"the end of {ALERT}")
        self.show("The alert has ended")
        self._await_message("resolved", before)

    @contextmanager
    def _fault(self) -> Iterator[None]:
        self._ask_stand_in("PUT", {"for_seconds": 2 * self._patience})  # a tour that is killed leaves none for ever
        try:
            yield
        finally:
            self._ask_stand_in("DELETE")

    def _ask_stand_in(self, method: str, body: object = None) -> None:
        tunnel = self._host.open_tunnel(self._stand_in.name, self._stand_in.port)
        ask_tunnel(tunnel, method, "/demo/faults/down", body)

    def _query(self, query: str) -> list[dict[str, Any]]:
        return query_series(self._host.ask_prometheus, query)

    def _is_up(self) -> bool:
        series = self._query(f'up{{service="{self._stand_in.name}"}}')
        return bool(series) and all(each["value"][1] == "1" for each in series)

    def _has_receiver(self) -> bool:
        """Whether messages go to a stand-in: it is the receiver where a stack declares none."""
        return WEBHOOK in json.dumps(get_document(self._plan))

    def _read_messages(self) -> tuple[int, list[Mapping[str, Any]]]:
        """How many there have been, and the last of them."""
        answer = json.loads(ask_tunnel(self._host.open_tunnel(WEBHOOK, WEBHOOK_PORT), "GET", "/demo/webhook").text)
        return int(answer["total"]), [item["payload"] for item in answer["notifications"]]

    def _await_message(self, status: str, before: int) -> None:
        if not self._has_receiver():
            self.show("No stand-in receives messages here: who is notified is what `make routes` shows")
            return

        def find() -> bool:
            total, messages = self._read_messages()
            new = messages[len(messages) - (total - before) :]
            alerts = [alert for message in new for alert in message["alerts"]]
            wanted = (status, ALERT, self._stand_in.name)
            return any(
                (each["status"], each["labels"]["alertname"], each["labels"].get("service")) == wanted
                for each in alerts
            )

        self._await(find, f"a message ({status})")
        self.show(f"Alertmanager has sent it ({status}), and the receiver has it")

    def _await(self, probe: Callable[[], T], what: str) -> T:
        began = answered = time.monotonic()
        while True:
            try:
                if answer := probe():
                    return answer
                answered = time.monotonic()
            except RuntimeError:
                if time.monotonic() - answered >= min(SILENCE, self._patience):
                    raise
            if time.monotonic() - began >= self._patience:
                raise RuntimeError(f"not within {self._patience:.0f} s: {what}; make verify STACK={self._plan.stack}")
            time.sleep(_EVERY)


def run_command(args: argparse.Namespace) -> int:
    """Shows a tour. Returns 1 where something does not happen that should."""
    _, plan, host = open_running(args.stack)
    tour = Tour(plan, host, find_stand_in(plan))
    try:
        tour.run()
    except RuntimeError as error:
        tour.show(str(error))
        return UNWELL
    page = next((page for page in forward.list_pages(plan) if page.name == GRAFANA), None)
    where = page.address if page else f"what `make open STACK={args.stack}` prints"
    console.print(f"See it again in {find_replacement(plan, GRAFANA) or 'Grafana'}: {where}")
    return FINE
