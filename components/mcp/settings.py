"""Settings of the MCP server, and where it listens."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from model.addresses import PageOrigin
from model.base import Duration, Name, Size
from model.errors import Inconsistent, Problem
from model.settings import ComponentSettings

NAME = "mcp"
PORT = 8000
"""For clients, who need a token."""
METRICS_PORT = 8001
"""Health and metrics; neither published nor routed."""
PREFIX = "/mcp"
METADATA_PREFIX = "/.well-known/oauth-protected-resource"
"""Where a client reads which tokens are taken: https://www.rfc-editor.org/rfc/rfc9728#section-3."""
CONFIG_DIR = "/etc/mcp"
DOCUMENT = "stack.json"
TOKEN_LENGTH = 48
"""Characters, of 62: nobody guesses one, and it fits a line of a client's settings."""


class Settings(ComponentSettings):
    """The MCP server, by which AI agents ask the stack; it changes nothing."""

    enabled: bool = False
    """Whether the component is deployed."""
    clients: Annotated[tuple[Name, ...], Field(min_length=1, max_length=50)] = ("agent",)
    """Who may ask. Each has a token of its own, which is generated: the secret mcp-token-NAME. Whose name is taken out
    of the list is refused from then on."""
    origins: tuple[PageOrigin, ...] = ()
    """Web pages that may ask from a browser beside those of baseUrl; the requests of all others are refused."""
    answer_tokens: Annotated[int, Field(ge=1000, le=100_000)] = 10_000
    """Length of an answer at most, in a model's tokens of three bytes each."""
    call_timeout: Duration = "20s"
    """How long one call may take, all its queries together."""
    log_bytes: Size = "1GiB"
    """Bytes of lines that Loki may have to read for one call, by its index; a query that needs more is refused."""
    calls_per_minute: Annotated[int, Field(ge=1, le=10_000)] = 60
    """Requests of one client in a minute."""

    @model_validator(mode="after")
    def _check_clients(self) -> Settings:
        problems = [
            Problem(f"clients[{number}]", f"{name!r} is listed twice")
            for number, name in enumerate(self.clients)
            if name in self.clients[:number]
        ]
        if problems:
            raise Inconsistent(problems)
        return self


def derive_token_name(client: str) -> str:
    """The name of the secret that is a client's token."""
    return f"{NAME}-token-{client}"
