"""Who may call over HTTP: hosts and origins of a list, bearer tokens from files, and so many calls a minute for each.

Challenge and metadata: https://www.rfc-editor.org/rfc/rfc6750#section-3 and https://www.rfc-editor.org/rfc/rfc9728.
Tokens are static: no authorization server stands behind them, so the metadata names none.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from mcp_server import metrics
from mcp_server.document import Document, GetDocument

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

WELL_KNOWN = "/.well-known/oauth-protected-resource"
WHO = "mcp_who"
"""Key of the request's scope under which the name of whoever calls stands."""
LEAST_TOKEN = 20
"""Characters: a shorter one can be guessed, and counts as none."""
ATTEMPTS = 30
"""Requests a minute with a wrong token, of all together, after which further ones are refused unread."""


# -- tokens ----------------------------------------------------------------------------------------------------------


@dataclass
class TokenFiles:
    """The tokens of the document's files, read again at each request: to take a file away revokes its token."""

    get_document: GetDocument

    def read(self) -> dict[str, str]:
        """Tokens by the name of who has them; a file that is missing, empty or too short gives none."""
        tokens: dict[str, str] = {}
        for name, path in self.get_document().tokens.items():
            try:
                text = Path(path).read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError):
                continue
            if len(text) >= LEAST_TOKEN:
                tokens[name] = text
        metrics.TOKENS.set(len(tokens))
        return tokens

    def find_who(self, token: str) -> str | None:
        """The name of who has a token; every one is compared, so that time tells nothing."""
        given, who = _digest(token), None
        for name, known in self.read().items():
            if hmac.compare_digest(_digest(known), given):
                who = name
        return who


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


# -- rates -----------------------------------------------------------------------------------------------------------


@dataclass
class RateLimit:
    """So many events a minute for each name: as many at once as the document allows in a minute."""

    clock: Callable[[], float] = time.monotonic
    _state: dict[str, tuple[float, float]] = field(default_factory=dict)

    def take(self, name: str, per_minute: int) -> bool:
        """Count an event of a name; False where that is one too many."""
        now = self.clock()
        left, before = self._state.get(name, (float(per_minute), now))
        left = min(float(per_minute), left + (now - before) * per_minute / 60)
        allowed = left >= 1
        self._state[name] = (left - 1 if allowed else left, now)
        return allowed


# -- headers ---------------------------------------------------------------------------------------------------------


def is_listed(value: str, allowed: Sequence[str]) -> bool:
    """Whether a header's value is in a list, in which `name:*` stands for any port."""
    for each in allowed:
        if value == each:
            return True
        name, star, _ = each.rpartition(":*")
        if star and value.startswith(f"{name}:") and value[len(name) + 1 :].isdigit():
            return True
    return False


def get_headers(scope: Scope, name: str) -> list[str]:
    """All values of a header."""
    wanted = name.lower().encode()
    return [value.decode("latin-1") for key, value in scope.get("headers", ()) if key.lower() == wanted]


def build_metadata_url(resource: str) -> str:
    """Where the metadata of a resource is: beside it below its own base, as the challenge says."""
    parts = urlsplit(resource)
    base, _, last = parts.path.rpartition("/")
    return f"{parts.scheme}://{parts.netloc}{base}{WELL_KNOWN}/{last}"


def build_metadata(document: Document) -> dict[str, Any]:
    """The protected resource metadata."""
    return {
        "resource": document.resource,
        "bearer_methods_supported": ["header"],
        "resource_name": f"Monitoring stack {document.stack}",
    }


# -- the gate --------------------------------------------------------------------------------------------------------


class Gate:
    """Lets a request through to `app` whose Host, Origin and token are right, and that is not one too many."""

    def __init__(self, app: App, get_document: GetDocument, path: str = "/mcp") -> None:
        self._app, self._get_document, self._path = app, get_document, path
        self._tokens = TokenFiles(get_document)
        self._calls, self._attempts = RateLimit(), RateLimit()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """An ASGI application: https://asgi.readthedocs.io/en/latest/specs/www.html."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        document = self._get_document()
        if reason := find_wrong_header(scope, document):
            await self._refuse(send, 403, reason, f"this {reason} is not allowed")
        elif scope["path"] in (WELL_KNOWN, f"{WELL_KNOWN}{self._path}"):
            await send_json(send, 200, build_metadata(document))
        elif scope["path"] != self._path:
            await send_json(send, 404, {"error": "not_here", "error_description": f"the server is at {self._path}"})
        else:
            await self._check_token(scope, receive, send, document)

    async def _check_token(self, scope: Scope, receive: Receive, send: Send, document: Document) -> None:
        values = get_headers(scope, "authorization")
        kind, _, token = values[0].partition(" ") if len(values) == 1 else ("", "", "")
        who = self._tokens.find_who(token.strip()) if kind.lower() == "bearer" else None
        if who is None:
            await self._challenge(send, document, given=bool(values))
        elif not self._calls.take(who, document.calls_per_minute):
            text = f"more than {document.calls_per_minute} requests a minute"
            await self._refuse(send, 429, "rate", text, {"retry-after": "5"})
        elif scope["method"] != "POST":
            # there are no sessions, so nothing that a stream could bring or a DELETE could end
            await send_json(send, 405, {"error": "post_only"}, {"allow": "POST"})
        else:
            scope[WHO] = who
            await self._app(scope, receive, send)

    async def _challenge(self, send: Send, document: Document, *, given: bool) -> None:
        if given and not self._attempts.take("", ATTEMPTS):
            await self._refuse(send, 429, "rate", "too many wrong tokens", {"retry-after": "60"})
            return
        error = ' error="invalid_token",' if given else ""
        challenge = f'Bearer{error} resource_metadata="{build_metadata_url(document.resource)}"'
        await self._refuse(send, 401, "token", "a bearer token is needed", {"www-authenticate": challenge})

    async def _refuse(
        self, send: Send, status: int, reason: str, text: str, headers: Mapping[str, str] | None = None
    ) -> None:
        metrics.REFUSED.labels(reason).inc()
        await send_json(send, status, {"error": f"refused_{reason}", "error_description": text}, headers)


def find_wrong_header(scope: Scope, document: Document) -> str:
    """`host` or `origin` where that header names what is not allowed; a page of another site cannot choose these.

    Source: https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#security-warning
    """
    hosts, origins = get_headers(scope, "host"), get_headers(scope, "origin")
    if len(hosts) != 1 or not is_listed(hosts[0].lower(), document.hosts):
        return "host"
    return "origin" if any(not is_listed(origin.lower(), document.origins) for origin in origins) else ""


async def send_json(send: Send, status: int, body: Any, headers: Mapping[str, str] | None = None) -> None:
    """Answer a request with JSON."""
    data = json.dumps(body).encode()
    every = {"content-type": "application/json", "content-length": str(len(data)), "cache-control": "no-store"}
    every |= headers or {}
    pairs = [(key.encode(), value.encode()) for key, value in every.items()]
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    await send({"type": "http.response.body", "body": data})
