"""Ways to notify people, under the names that Alertmanager has for them; every credential is the name of a secret.

What the fields mean: https://prometheus.io/docs/alerting/latest/configuration/#receiver-integration-settings.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from model.addresses import HttpUrl
from model.base import DnsName, Duration, Name, Pem, Strict, parse_duration
from model.errors import Inconsistent, Problem
from model.scope import OWN_ALERTMANAGER

Timeout = Annotated[Duration, Field(examples=["10s"])]
"""How long one call may take, before it is tried again."""
DEFAULT_TIMEOUT: Timeout = "10s"
"""Without one, a call that hangs takes the time of all further tries."""


class Integration(Strict):
    """What every way to notify has."""

    SECRETS: ClassVar[Mapping[str, str]] = {}
    """Fields that name a secret, and what the secret is."""

    send_resolved: bool = True
    """Whether it is said too when an alert has ended."""

    def list_secrets(self) -> Iterator[tuple[str, str]]:
        """Name and purpose of each secret that it reads."""
        for field, purpose in self.SECRETS.items():
            if name := getattr(self, field):
                yield str(name), purpose


class TlsConfig(Strict):
    """How the server's certificate is judged."""

    ca: Pem | None = None
    """Certificates that sign the server's; those that the image brings when absent."""
    server_name: DnsName | None = None
    """Name in the certificate; that of the server's address when absent."""


class Address(Strict):
    """An address that is called; it is plain or a secret."""

    url: HttpUrl | None = None
    """Address without credentials in it."""
    url_secret: Name | None = None
    """Configuration key of the secret that holds the address."""
    timeout: Timeout = DEFAULT_TIMEOUT
    """How long one call may take, before it is tried again."""
    tls_config: Annotated[TlsConfig | None, OWN_ALERTMANAGER] = None
    """How the server's certificate is judged."""

    @model_validator(mode="after")
    def _check_address(self) -> Address:
        if (self.url is None) == (self.url_secret is None):
            raise Inconsistent([Problem("", "give either url or urlSecret")])
        if self.tls_config and self.url and not self.url.startswith("https://"):
            raise Inconsistent([Problem("tlsConfig", f"has no effect on {self.url!r}; write https:// in url")])
        return self


class Webhook(Address, Integration):
    """A receiver that gets the alerts as JSON; its URL is plain or a secret."""

    SECRETS: ClassVar[Mapping[str, str]] = {"url_secret": "webhook address"}


class Slack(Integration):
    """A Slack channel, behind an incoming webhook or written to by an app."""

    SECRETS: ClassVar[Mapping[str, str]] = {
        "url_secret": "Slack webhook address",
        "app_token_secret": "Slack bot token",
    }

    channel: Annotated[str, Field(pattern=r"^([#@].+|[A-Z0-9]{6,})$", examples=["#alerts", "C024BE91L"])]
    """Channel or person. A webhook of Slack's current kind writes to its own channel, whatever stands here."""
    url_secret: Name | None = None
    """Configuration key of the secret that holds the webhook's address."""
    app_token_secret: Annotated[Name | None, OWN_ALERTMANAGER] = None
    """Configuration key of the secret that holds an app's bot token (xoxb-…), which has the scope chat:write."""
    app_url: Annotated[HttpUrl | None, OWN_ALERTMANAGER] = None
    """Address of Slack's chat.postMessage for the token; Slack's own when absent."""
    timeout: Annotated[Timeout, OWN_ALERTMANAGER] = DEFAULT_TIMEOUT
    """How long one call may take, before it is tried again."""

    @model_validator(mode="after")
    def _check_credential(self) -> Slack:
        if (self.url_secret is None) == (self.app_token_secret is None):
            raise Inconsistent([Problem("", "give either urlSecret (a webhook) or appTokenSecret (a bot token)")])
        if self.app_url and not self.app_token_secret:
            raise Inconsistent([Problem("appUrl", "is used with appTokenSecret only; a webhook has its own address")])
        return self


class PagerDuty(Integration):
    """A PagerDuty service (Events API v2)."""

    SECRETS: ClassVar[Mapping[str, str]] = {"routing_key_secret": "PagerDuty key"}

    routing_key_secret: Name
    """Configuration key of the secret that holds the integration key."""
    url: HttpUrl | None = None
    """Address of the Events API; PagerDuty's own when absent (https://events.eu.pagerduty.com/v2/enqueue in the EU)."""
    timeout: Annotated[Timeout, OWN_ALERTMANAGER] = DEFAULT_TIMEOUT
    """How long one call may take, before it is tried again."""


class Responder(Strict):
    """Who is called by Opsgenie."""

    type: Literal["team", "user", "escalation", "schedule"]
    """Kind of responder."""
    name: str | None = None
    """Name of the team, escalation or schedule."""
    username: str | None = None
    """Address of a user."""
    id: str | None = None
    """Identifier, in place of a name."""

    @model_validator(mode="after")
    def _check_identity(self) -> Responder:
        if sum(value is not None for value in (self.name, self.username, self.id)) != 1:
            raise Inconsistent([Problem("", "give one of name, username and id")])
        if (self.type == "user") and self.name is not None:
            raise Inconsistent([Problem("name", "a user has a username or an id")])
        if (self.type != "user") and self.username is not None:
            raise Inconsistent([Problem("username", f"a {self.type} has a name or an id")])
        return self


class Opsgenie(Integration):
    """Opsgenie, or what speaks its Alert API."""

    SECRETS: ClassVar[Mapping[str, str]] = {"api_key_secret": "Opsgenie API key"}

    api_key_secret: Name
    """Configuration key of the secret that holds the API key of an integration."""
    api_url: HttpUrl | None = None
    """Address of the API; https://api.opsgenie.com/ when absent (https://api.eu.opsgenie.com/ in the EU)."""
    responders: tuple[Responder, ...] = ()
    """Who is called; those of the integration when absent."""
    tags: Annotated[str, Field(min_length=1)] | None = None
    """Tags of the alert, separated by commas."""


class MsTeamsV2(Integration):
    """A Microsoft Teams channel, behind a workflow "When a Teams webhook request is received"."""

    SECRETS: ClassVar[Mapping[str, str]] = {"webhook_url_secret": "Teams workflow address"}

    webhook_url_secret: Name
    """Configuration key of the secret that holds the workflow's address."""


class Discord(Integration):
    """A Discord channel, behind a webhook."""

    SECRETS: ClassVar[Mapping[str, str]] = {"webhook_url_secret": "Discord webhook address"}

    webhook_url_secret: Name
    """Configuration key of the secret that holds the webhook's address."""


class Telegram(Integration):
    """A Telegram chat, written to by a bot."""

    SECRETS: ClassVar[Mapping[str, str]] = {"bot_token_secret": "Telegram bot token"}

    bot_token_secret: Name
    """Configuration key of the secret that holds the bot's token."""
    chat_id: int
    """Number of the chat; groups have negative ones."""
    message_thread_id: Annotated[int, Field(ge=1)] | None = None
    """Number of a topic in a group; the general one when absent."""
    disable_notifications: bool = False
    """Whether messages come without a sound."""
    api_url: HttpUrl | None = None
    """Address of the Bot API; https://api.telegram.org when absent."""

    @model_validator(mode="after")
    def _check_chat(self) -> Telegram:
        if not self.chat_id:
            raise Inconsistent([Problem("chatId", "0 is no chat; ask the bot's getUpdates for its number")])
        return self


EMERGENCY = 2
"""Pushover's priority that is repeated until somebody acknowledges it: https://pushover.net/api#priority."""
LEAST_RETRY, MOST_EXPIRE = "30s", "3h"


class Pushover(Integration):
    """Pushover, to phones."""

    SECRETS: ClassVar[Mapping[str, str]] = {
        "token_secret": "Pushover application token",
        "user_key_secret": "Pushover user key",
    }

    token_secret: Name
    """Configuration key of the secret that holds the application's token."""
    user_key_secret: Name
    """Configuration key of the secret that holds the key of a user or group."""
    priority: Annotated[int, Field(ge=-2, le=2)] = 1
    """Priority while an alert fires, -2 to 2; with 2 it is repeated until somebody acknowledges it."""
    retry: Annotated[Duration, Field(examples=["1m"])] = "1m"
    """How often it is repeated with priority 2; 30s at least."""
    expire: Annotated[Duration, Field(examples=["1h"])] = "1h"
    """How long it is repeated with priority 2; 3h at most."""

    @model_validator(mode="after")
    def _check_repetition(self) -> Pushover:
        problems = [
            Problem(field, "has an effect with priority 2 only, with which it is repeated")
            for field in ("retry", "expire")
            if self.priority != EMERGENCY and field in self.model_fields_set
        ]
        if parse_duration(self.retry) < parse_duration(LEAST_RETRY):
            problems.append(Problem("retry", f"{self.retry} is less than the {LEAST_RETRY} that Pushover takes"))
        if parse_duration(self.expire) > parse_duration(MOST_EXPIRE):
            problems.append(Problem("expire", f"{self.expire} is more than the {MOST_EXPIRE} that Pushover takes"))
        if problems:
            raise Inconsistent(problems)
        return self


class Ntfy(Address, Integration):
    """A topic of ntfy, which makes its message of the alerts' JSON by a template; its URL is plain or a secret.

    Who knows the name of a topic without a login can read it, so that is a secret like others. Source:
    https://docs.ntfy.sh/publish/#message-templating
    """

    SECRETS: ClassVar[Mapping[str, str]] = {"url_secret": "ntfy topic's address", "token_secret": "ntfy access token"}

    token_secret: Name | None = None
    """Configuration key of the secret that holds an access token (tk_…); no login when absent."""
    priority: Annotated[int, Field(ge=1, le=5)] = 4
    """Priority of its messages, 1 to 5."""
