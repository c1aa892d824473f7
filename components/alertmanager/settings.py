"""Settings of Alertmanager: receivers and routes."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from components.alertmanager.mixin import SWITCH
from components.alertmanager.routes import NOBODY
from model import intervals, routes
from model.base import Duration
from model.errors import Inconsistent, Problem
from model.intervals import TimeInterval
from model.receivers import DeadMansSwitch, Receiver
from model.routes import GroupLabel, check_grouping
from model.routes import Route as AlertRoute
from model.settings import ComponentSettings

NAME = "alertmanager"
PORT = 9093
GOSSIP_PORT = 9094
CONFIG_DIR = "/etc/alertmanager"
DATA_DIR = "/alertmanager"


class Settings(ComponentSettings):
    """Alertmanager."""

    receivers: tuple[Receiver, ...] = ()
    """Receivers; the first one gets everything that no route claims, but for what is only information."""
    routes: tuple[AlertRoute, ...] = ()
    """Routes by severity and labels, tried in this order. Without one for `info`, alerts of that severity are shown and
    sent to nobody."""
    dead_mans_switch: DeadMansSwitch | None = None
    """Where Watchdog is sent, again and again; without it that alert is sent to nobody."""
    group_by: tuple[GroupLabel, ...] = ("alertname", "service")
    """Labels whose equal values put alerts into one notification, "..." for each alert alone."""
    group_wait: Duration = "10s"
    """How long the first notification of a group waits for others of it."""
    group_interval: Duration = "1m"
    """How often a changed group is sent."""
    repeat_interval: Duration = "4h"
    """How often an unchanged group is sent again."""
    replicas: Annotated[int, Field(ge=1, le=5)] = 1
    """Instances that agree on what was sent; more than one on Kubernetes only."""
    retention: Duration = "120h"
    """How long silences and the notification log are kept."""

    time_intervals: tuple[TimeInterval, ...] = ()
    """Named times, in which routes notify (activeTimeIntervals) or are mute (muteTimeIntervals)."""

    @property
    def instances(self) -> int:
        """Instances of Alertmanager."""
        return self.replicas

    @model_validator(mode="after")
    def _check_agreement(self) -> Settings:
        names = [receiver.name for receiver in self.receivers]
        problems = [
            Problem(f"receivers[{number}].name", f"{name!r} is a receiver of ours; choose another name")
            for number, name in enumerate(names)
            if name in (NOBODY, SWITCH)
        ]
        problems += [
            Problem(f"receivers[{number}].name", f"receiver {name!r} is declared twice")
            for number, name in enumerate(names)
            if name in names[:number]
        ]
        grouped = check_grouping(self.group_by)
        problems += [grouped] if grouped else []
        problems = problems or [
            *routes.check_routes(names, self.routes),
            *intervals.check_intervals(self.time_intervals, self.routes),
        ]
        if problems:
            raise Inconsistent(problems)
        return self
