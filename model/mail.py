"""Notifications by mail as settings: addressees, and how the server is reached.

Source: https://prometheus.io/docs/alerting/latest/configuration/#email_config
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from email.headerregistry import Address
from email.utils import getaddresses
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field, model_validator

from model.addresses import HostPort
from model.base import DnsName, Name
from model.errors import Inconsistent, Problem
from model.integrations import Integration, TlsConfig
from model.scope import OWN_ALERTMANAGER

IMPLICIT_TLS_PORT = "465"
"""The port at which TLS begins before SMTP does: https://www.rfc-editor.org/rfc/rfc8314#section-3.3."""
_ADDRESS = re.compile(r"[^\s@,<>{}]+@[^\s@,<>{}]+")


def parse_addresses(text: str) -> list[str]:
    """The plain addresses of a list such as `a@example.com, Team <b@example.com>`.

    Raises:
        ValueError: one of them is none.
    """
    result = [address for _, address in getaddresses([text])]
    for part in result:
        if not _ADDRESS.fullmatch(part):
            raise ValueError(f"{part or text!r} is no mail address; give a@example.com or Name <a@example.com>")
        Address(addr_spec=part)
    return result


def _check_several(value: str) -> str:
    if "{{" in value:
        raise ValueError("templates are not allowed; give the addresses themselves")
    parse_addresses(value)
    return value


def _check_single(value: str) -> str:
    if len(parse_addresses(_check_several(value))) != 1:
        raise ValueError("must be exactly one mail address")
    return value


class Email(Integration):
    """Mail by SMTP."""

    SECRETS: ClassVar[Mapping[str, str]] = {"password_secret": "SMTP password"}

    to: Annotated[
        str, Field(examples=["ops@example.com, Shop team <shop@example.com>"]), AfterValidator(_check_several)
    ]
    """Addressees, separated by commas."""
    sender: Annotated[
        str, Field(alias="from", examples=["Monitoring <stack@example.com>"]), AfterValidator(_check_single)
    ]
    """Sender."""
    smarthost: Annotated[HostPort, Field(examples=["mail.example.com:587"])]
    """SMTP server and port: 587 begins TLS by STARTTLS, 465 at once."""
    username: str | None = None
    """User to log in as; no login when absent."""
    password_secret: Name | None = None
    """Configuration key of the secret that holds the password."""
    require_tls: bool = True
    """Refuse to send without TLS."""
    force_implicit_tls: Annotated[bool | None, OWN_ALERTMANAGER] = None
    """Whether TLS begins at once, without STARTTLS; on port 465 alone when absent."""
    tls_config: Annotated[TlsConfig | None, OWN_ALERTMANAGER] = None
    """How the server's certificate is judged."""
    hello: DnsName | None = None
    """Name that the server is greeted with; localhost when absent."""

    @property
    def begins_with_tls(self) -> bool:
        """Whether TLS begins at once."""
        if self.force_implicit_tls is not None:
            return self.force_implicit_tls
        return self.smarthost.rpartition(":")[2] == IMPLICIT_TLS_PORT

    @model_validator(mode="after")
    def _check_login(self) -> Email:
        # Alertmanager ignores a password without a user, and finds out about the other half when it first sends
        if self.username is None and self.password_secret is not None:
            raise Inconsistent([Problem("username", "is required to log in with passwordSecret")])
        if self.username is not None and self.password_secret is None:
            raise Inconsistent([Problem("passwordSecret", f"is required to log in as {self.username!r}")])
        return self

    @model_validator(mode="after")
    def _check_tls(self) -> Email:
        plain = not self.require_tls and not self.begins_with_tls
        if plain and self.username is not None:
            message = "false sends the password unencrypted, which Alertmanager refuses; leave it out, or the login"
            raise Inconsistent([Problem("requireTls", message)])
        if plain and self.tls_config:
            raise Inconsistent([Problem("tlsConfig", "has no effect while requireTls is false")])
        if not self.require_tls and self.begins_with_tls:
            raise Inconsistent([Problem("requireTls", "has no effect where TLS begins at once (port 465)")])
        return self
