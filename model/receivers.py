"""Receivers of notifications as settings: where alerts go, with every credential named as a secret.

What the fields mean: https://prometheus.io/docs/alerting/latest/configuration/#receiver-integration-settings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from pydantic import Field, model_validator

from model.base import LABEL_VALUE, Duration, Elsewhere, LabelName, Name, Strict
from model.errors import Inconsistent, Problem

HttpUrl = Annotated[str, Field(pattern=r"^https?://[^\s]+$", examples=["http://hooks.example.com/alerts"]), Elsewhere]


class Webhook(Strict):
    """A receiver that gets the alerts as JSON; its URL is plain or a secret."""

    url: HttpUrl | None = None
    """Address without credentials in it."""
    url_secret: Name | None = None
    """Configuration key of the secret that holds the address."""

    @model_validator(mode="after")
    def _one_address(self) -> Webhook:
        if (self.url is None) == (self.url_secret is None):
            raise Inconsistent([Problem("", "give either url or urlSecret")])
        return self


class Slack(Strict):
    """A Slack channel behind an incoming webhook."""

    channel: Annotated[str, Field(pattern=r"^[#@].+$", examples=["#alerts"])]
    """Channel or person."""
    url_secret: Name
    """Configuration key of the secret that holds the webhook's address."""


class Email(Strict):
    """Mail by SMTP."""

    to: Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$")]
    """Addressee."""
    sender: Annotated[str, Field(alias="from", pattern=r"^[^@\s]+@[^@\s]+$")]
    """Sender."""
    smarthost: Annotated[str, Field(pattern=r"^[^:\s]+:[0-9]+$", examples=["mail.example.com:587"]), Elsewhere]
    """SMTP server and port."""
    username: str | None = None
    """User to log in as; no login when absent."""
    password_secret: Name | None = None
    """Configuration key of the secret that holds the password."""
    require_tls: bool = True
    """Refuse to send without TLS."""

    @model_validator(mode="after")
    def _login_is_complete(self) -> Email:
        # Alertmanager ignores a password without a user, and finds out about the other half when it first sends
        if self.username is None and self.password_secret is not None:
            raise Inconsistent([Problem("username", "is required to log in with passwordSecret")])
        if self.username is not None and self.password_secret is None:
            raise Inconsistent([Problem("passwordSecret", f"is required to log in as {self.username!r}")])
        return self


class PagerDuty(Strict):
    """A PagerDuty service (Events API v2)."""

    routing_key_secret: Name
    """Configuration key of the secret that holds the integration key."""


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

    @model_validator(mode="after")
    def _notifies(self) -> Receiver:
        if not (self.webhook or self.slack or self.email or self.pagerduty):
            message = f"receiver {self.name!r} tells nobody: give webhook, slack, email or pagerduty"
            raise Inconsistent([Problem("", message)])
        return self

    def secrets(self) -> dict[str, str]:
        """Its secrets: name to what they are."""
        found = {
            self.webhook and self.webhook.url_secret: f"the webhook address of receiver {self.name}",
            self.slack and self.slack.url_secret: f"the Slack webhook address of receiver {self.name}",
            self.email and self.email.password_secret: f"the SMTP password of receiver {self.name}",
            self.pagerduty and self.pagerduty.routing_key_secret: f"the PagerDuty key of receiver {self.name}",
        }
        return {name: purpose for name, purpose in found.items() if name}


LabelValue = Annotated[str, Field(pattern=LABEL_VALUE, examples=["payments"])]


class DeadMansSwitch(Webhook):
    """A service that calls people when it is not called itself, such as a cron monitor; it gets Watchdog alone."""

    interval: Duration = "1m"
    """How often it is called; it should complain after a few of these."""


def never_notified(receivers: Sequence[Receiver], routes: Sequence[SeverityRoute]) -> list[Problem]:
    """Receivers that nothing leads to, and routes behind one that takes the same alerts and ends with them."""
    named = {route.receiver for route in routes}
    found = [
        Problem(f"receivers[{number}]", f"{item.name!r} would get nothing: no route names it; add one, or leave it out")
        for number, item in enumerate(receivers)
        if number and item.name not in named
    ]
    for number, route in enumerate(routes):
        before = (n for n, other in enumerate(routes[:number]) if not other.and_on and other.claims_all_of(route))
        if (taken := next(before, None)) is not None:
            message = f"is never reached: routes[{taken}] takes all its alerts; give that andOn, or move this before it"
            found.append(Problem(f"routes[{number}]", message))
    return found


class SeverityRoute(Strict):
    """Alerts of one severity, with certain labels, or both, go to one receiver."""

    severity: Literal["critical", "warning", "info"] | None = None
    """Severity label of the alerts; any when absent."""
    labels: Mapping[LabelName, LabelValue] = Field(default_factory=dict)
    """Labels that the alerts carry, such as team or service; whatever they are when absent."""
    receiver: Name
    """Receiver that gets them."""
    repeat_interval: Duration | None = None
    """How often a still-firing group is sent again; the common interval when absent."""
    and_on: bool = False
    """Whether later routes are tried as well, instead of ending with this one."""

    @model_validator(mode="after")
    def _chooses(self) -> SeverityRoute:
        if self.severity is None and not self.labels:
            message = "give severity or labels; what no route claims goes to the first receiver anyway"
            raise Inconsistent([Problem("", message)])
        if self.severity is not None and "severity" in self.labels:
            raise Inconsistent([Problem("labels.severity", "say it once, as severity")])
        return self

    @property
    def matchers(self) -> list[str]:
        """The alerts that it claims, as Alertmanager has it: `severity="critical"`."""
        severity = {"severity": self.severity} if self.severity else {}
        return [f'{name}="{value}"' for name, value in {**severity, **self.labels}.items()]

    def claims_all_of(self, other: SeverityRoute) -> bool:
        """Whether every alert that `other` claims is claimed by this route too."""
        return set(self.matchers) <= set(other.matchers)
