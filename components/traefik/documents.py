"""Traefik's documents and arguments: the routes, and the entry points.

What it lets in is in `components.entry.routing`, how it gets certificates in `components.entry.acme`. Formats:
https://doc.traefik.io/traefik/reference/static-configuration/cli/ (arguments) and
https://doc.traefik.io/traefik/reference/dynamic-configuration/file/ (routes, watched and reloaded).
"""

from __future__ import annotations

from components.documents import render_yaml
from components.entry import acme
from components.entry.routing import SECURE, WEB, build_config
from components.traefik.settings import (
    _REVISION,
    CONFIG_DIR,
    DIAL,
    ENCODED,
    INTERNAL_PORT,
    LOADED,
    MAX_HEADER,
    PORT,
    REVISION_FILE,
    REVISION_PATH,
    SECURE_PORT,
    Settings,
)
from model.component import Planned, Planning
from model.workload import compute_digest


def render_documents(context: Planned) -> dict[str, str]:
    """The dynamic configuration, and a digest of it that Traefik itself reports once it runs it.

    Traefik shows nowhere which file it runs, and moves the time of its last reload only when the parsed content
    differs. So the configuration brings a route of its own to the port for health, whose answer carries the digest.
    It also carries the time at which Traefik read the file, which is a template: so each delivery is another content,
    and Traefik reads the files of users and certificates again, which it does not watch.
    """
    document = build_config(context)
    revision = f"r-{compute_digest(document)}"  # digits alone, or with an e among them, would be read as a number
    http = document["http"]
    http["routers"][_REVISION] = {
        "entryPoints": ["internal"],
        "rule": f"Path(`{REVISION_PATH}`)",
        "service": "ping@internal",
        "middlewares": [_REVISION],
    }
    confirmation = {"X-Revision": revision, LOADED: "{{ now | unixEpoch }}"}
    http["middlewares"][_REVISION] = {"headers": {"customResponseHeaders": confirmation}}
    return {
        "routes.yml": render_yaml(document),
        REVISION_FILE: f"X-Revision: {revision}\n",
        **acme.render_documents(context),
    }


def list_arguments(own: Settings, context: Planning) -> tuple[str, ...]:
    """The static configuration."""
    access = ("--accesslog=true", "--accesslog.format=json") if own.access_log else ()
    return (
        "--global.checknewversion=false",
        "--global.sendanonymoususage=false",
        "--log.level=INFO",
        "--log.nocolor=true",
        *list_entry_point_arguments(context, WEB, PORT),
        *(list_entry_point_arguments(context, SECURE, SECURE_PORT) if context.settings.tls.on else ()),
        f"--entrypoints.internal.address=:{INTERNAL_PORT}",
        "--api=true",
        f"--api.basepath={context.settings.base_path}/traefik",
        "--ping=true",
        "--ping.entrypoint=internal",
        f"--serverstransport.forwardingtimeouts.dialtimeout={DIAL}",
        "--metrics.prometheus=true",
        "--metrics.prometheus.entrypoint=internal",
        "--metrics.prometheus.addrouterslabels=true",
        f"--providers.file.filename={CONFIG_DIR}/routes.yml",
        "--providers.file.watch=true",
        *acme.list_arguments(context, CONFIG_DIR),
        *access,
    )


def list_entry_point_arguments(context: Planning, name: str, port: int) -> tuple[str, ...]:
    """The arguments of an entry point: what a path or a header may hide is refused before any router looks at it.

    Source: https://doc.traefik.io/traefik/security/request-path/ and .../migrate/v3/ (3.6.7, 3.7)
    """
    point, trusted = f"--entrypoints.{name}", context.settings.access.trusted_proxies
    return (
        f"{point}.address=:{port}",
        *(f"{point}.http.encodedcharacters.allowencoded{character}=false" for character in ENCODED),
        f"{point}.http.aliasheadersstrategy=delete",
        f"{point}.http.maxheaderbytes={MAX_HEADER}",
        *((f"{point}.forwardedheaders.trustedips={','.join(trusted)}",) if trusted else ()),
    )
