"""A real SMTP server on loopback, with TLS and a login, and the certificates that it shows."""

from __future__ import annotations

import email
import email.policy
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope

from tests.support.alerting import free_port

MAIL_HOST = "mail.example.com"
"""The name in the server's certificate."""
USER, PASSWORD = "stack", "password"

# the words that servers use: https://datatracker.ietf.org/doc/html/draft-murchison-sasl-login-00#section-2
SMTP.AuthLoginUsernameChallenge, SMTP.AuthLoginPasswordChallenge = "Username:", "Password:"


class Inbox:
    """What a mail server took: addressees and message; only by TLS and only from whoever logs in."""

    def __init__(self) -> None:
        self.mails: list[tuple[list[str], EmailMessage]] = []

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Envelope) -> str:
        """Takes a message."""
        assert server.transport and server.transport.get_extra_info("sslcontext"), "without TLS"
        message = email.message_from_bytes(envelope.content or b"", policy=email.policy.default)  # type: ignore[arg-type]
        assert isinstance(message, EmailMessage)
        self.mails.append((list(envelope.rcpt_tos), message))
        return "250 OK"

    def of(self, word: str) -> list[tuple[list[str], EmailMessage]]:
        """Mails whose subject has the word in it."""
        return [(to, mail) for to, mail in list(self.mails) if word in str(mail["Subject"])]


def _login(server: SMTP, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
    good = (data.login, data.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=good)


@contextmanager
def mail_server(tls: ssl.SSLContext, *, implicit: bool) -> Iterator[tuple[Inbox, int]]:
    """An SMTP server with TLS by STARTTLS or from the beginning; its inbox and its port."""
    inbox, port = Inbox(), free_port()
    login: dict[str, Any] = {"authenticator": _login, "auth_required": True, "auth_require_tls": not implicit}
    kind: dict[str, Any] = {"ssl_context": tls} if implicit else {"tls_context": tls, "require_starttls": True}
    without = ["PLAIN"] if implicit else ["LOGIN"]  # so that each of both is used
    controller = Controller(inbox, hostname="127.0.0.1", port=port, auth_exclude_mechanism=without, **login, **kind)
    controller.start()
    try:
        yield inbox, port
    finally:
        controller.stop()


def contexts(folder: Path) -> tuple[ssl.SSLContext, str]:
    """A certificate for the vendors and mail servers of tests, and the authority that signs it as PEM text."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(MAIL_HOST, "api.pushover.net").configure_cert(context)
    return context, authority.cert_pem.bytes().decode()
