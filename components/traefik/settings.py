"""Settings of Traefik."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from model.addresses import HttpOrigin
from model.base import Name, PortNumber, Strict
from model.scope import OnlyOn
from model.settings import ComponentSettings

NAME = "traefik"
PORT, SECURE_PORT = 8080, 8443
"""Plain HTTP, which leads to TLS where that is on, and TLS."""
INTERNAL_PORT = 8082
"""API, health and metrics; not published."""
CONFIG_DIR = "/etc/traefik/dynamic"
ENCODED = ("backslash", "hash", "nullcharacter", "percent", "questionmark", "semicolon", "slash")
"""Characters that no path of ours has encoded; services behind Traefik may decode them in ways of their own."""
MAX_HEADER = 65_536
"""Bytes of all headers of a request; a session's cookies and a long query fit."""
REVISION_PATH = "/revision"
"""Where Traefik says which configuration it runs: neither its metrics nor its API do."""
REVISION_FILE = "revision"
"""The document that holds what is said there."""
LOADED = "X-Loaded"
"""The header of that answer with the time at which it was read, in seconds since the epoch."""
DIAL = "3s"
"""How long a connection to a part may take: a pod that has just gone answers nothing, and its successor comes next."""
_REVISION = "_revision"
"""Name of its router and middleware, which no route of a user can have."""


class ExtraRoute(Strict):
    """A route of your own, to a service that the stack's network reaches."""

    name: Name
    """Name of the route."""
    prefix: Annotated[str, Field(pattern=r"^/[A-Za-z0-9._~/-]*$")]
    """Path prefix that it claims."""
    url: HttpOrigin
    """Where it leads."""
    strip: bool = False
    """Remove the prefix before the service sees the path."""
    login: bool = True
    """Ask for the stack's login; only a service that has one of its own can do without."""


class Settings(ComponentSettings):
    """Traefik."""

    access_log: bool = False
    """Write a line for every request, as JSON and without credentials; Promtail takes it to Loki."""
    http_port: Annotated[PortNumber | None, OnlyOn("docker")] = None
    """Host port of plain HTTP, which leads to TLS and answers the challenge http; 80 when absent. Without TLS it is
    `port`."""
    routes: tuple[ExtraRoute, ...] = ()
    """Routes beside those of the stack's own parts."""
