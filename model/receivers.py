"""Receivers of notifications as settings: where alerts go, with every credential named as a secret.

What the fields mean: https://prometheus.io/docs/alerting/latest/configuration/#receiver.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import model_validator

from model.base import Duration, Name, Strict
from model.errors import Inconsistent, Problem
from model.integrations import (
    Address,
    Discord,
    Integration,
    MsTeamsV2,
    Ntfy,
    Opsgenie,
    PagerDuty,
    Pushover,
    Slack,
    Telegram,
    Webhook,
)
from model.mail import Email
from model.scope import OWN_ALERTMANAGER


class Receiver(Strict):
    """Where notifications go; one receiver may notify in several ways."""

    name: Name
    """Name that routes refer to."""
    webhook: Webhook | None = None
    """Webhook."""
    slack: Slack | None = None
    """Slack."""
    email: Email | None = None
    """E-mail."""
    pagerduty: PagerDuty | None = None
    """PagerDuty."""
    opsgenie: Opsgenie | None = None
    """Opsgenie."""
    msteamsv2: MsTeamsV2 | None = None
    """Microsoft Teams."""
    discord: Discord | None = None
    """Discord."""
    telegram: Telegram | None = None
    """Telegram."""
    pushover: Pushover | None = None
    """Pushover."""
    ntfy: Annotated[Ntfy | None, OWN_ALERTMANAGER] = None
    """The push service ntfy."""

    @model_validator(mode="after")
    def _check_integrations(self) -> Receiver:
        if not any(True for _ in self.list_integrations()):
            ways = ", ".join(name for name in type(self).model_fields if name != "name")
            raise Inconsistent([Problem("", f"receiver {self.name!r} tells nobody: give one or more of {ways}")])
        return self

    def list_integrations(self) -> Iterator[tuple[str, Integration]]:
        """Its ways to notify, by their keys."""
        for name in type(self).model_fields:
            if isinstance(item := getattr(self, name), Integration):
                yield name, item

    def list_secrets(self) -> dict[str, str]:
        """Its secrets: name to what they are."""
        return {
            name: f"the {purpose} of receiver {self.name}"
            for _, item in self.list_integrations()
            for name, purpose in item.list_secrets()
        }


class DeadMansSwitch(Address):
    """A service that calls people when it is not called itself, such as a cron monitor; it gets Watchdog alone."""

    interval: Duration = "1m"
    """How often it is called; it should complain after a few of these."""
