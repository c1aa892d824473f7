"""The MCP server: AI agents ask the stack by it, over TLS with a token each, and change nothing. Off by default.

Protocol: https://modelcontextprotocol.io/specification. The program is images/mcp.
"""

from __future__ import annotations

from collections.abc import Iterator

from components.base import build_identity_labels, build_limits, publish_port
from components.mcp import mixin as pack
from components.mcp.documents import render_document
from components.mcp.settings import (
    CONFIG_DIR,
    DOCUMENT,
    METADATA_PREFIX,
    METRICS_PORT,
    NAME,
    PORT,
    PREFIX,
    TOKEN_LENGTH,
    Settings,
    derive_token_name,
)
from model.addresses import is_loopback
from model.component import Component, Planned, Planning
from model.errors import Problem
from model.places import locate_in_section, locate_setting
from model.route import Opening, Route
from model.secret import Secret
from model.telemetry import EVALUATION, Need, RuleGroup, ScrapeJob, ScrapeTarget, SeriesCount, StackRow, Telemetry
from model.workload import SECRETS_DIR, ConfigDir, HttpProbe, Port, Reload, SecretFile, Workload

PROGRAM = ("/usr/bin/python3", "-m", "mcp_server")


def list_routes(context: Planning) -> tuple[Route, ...]:
    """The server, and beside it what says which tokens it takes; its own login is in front of the first."""
    url = f"http://{context.address(NAME, PORT)}"
    calls = Opening(methods=("GET", "POST", "DELETE"))  # the server refuses the others in the protocol's own words
    return (
        Route(name=NAME, prefix=PREFIX, url=url, login=False, open=(calls,)),
        Route(name=f"{NAME}-metadata", prefix=METADATA_PREFIX, url=url, login=False, open=(Opening(),)),
    )


def check_entry(context: Planned) -> Iterator[Problem]:
    """Ways by which a token would cross a network in clear."""
    settings = context.settings
    if not settings.base_url.startswith("https:") and not is_loopback(settings.host.strip("[]")):
        message = f"true, but the tokens of clients would cross the network in clear: {settings.base_url!r} is no https"
        where = locate_in_section(context.stack, NAME, "enabled")
        yield Problem(where, f"{message}; choose one of tls.mode, or a baseUrl on loopback")
    if NAME in settings.access.ports and not is_loopback(settings.docker.bind_address):
        message = f"{NAME!r} speaks plain HTTP at its own port, so it is reached from elsewhere by {PREFIX} alone"
        yield Problem(locate_setting(context.stack, "access.ports"), f"{message}; leave it out")


# -- component -------------------------------------------------------------------------------------------------------


class McpServer(Component[Settings]):
    """The MCP server, by which AI agents ask the stack."""

    name = NAME
    settings = Settings

    def telemetry(self, own: Settings, context: Planning) -> Telemetry:
        """It is scraped, has a route, and needs what it asks."""
        target = ScrapeTarget(address=context.address(NAME, METRICS_PORT), labels=build_identity_labels(context, NAME))
        return Telemetry(
            rows=(StackRow(title="MCP server", panels=pack.panels(), position=110),),
            scrape=(ScrapeJob(name=NAME, series=SeriesCount(target=250), targets=(target,)),),
            rules=(RuleGroup(name=NAME, alerts=pack.alerts(context.system.tune)),),
            routes=list_routes(context),
            needs=(Need(what=EVALUATION, why=f"{NAME} asks for series and alerts"),),
        )

    def problems(self, own: Settings, context: Planned) -> list[Problem]:
        """Tokens must not cross a network in clear."""
        return list(check_entry(context))

    def secrets(self, own: Settings, context: Planning) -> tuple[Secret, ...]:
        """A token for each client."""
        return tuple(
            Secret(
                name=derive_token_name(client),
                purpose=f"the token by which {client} asks the MCP server",
                generate=True,
                length=TOKEN_LENGTH,
                after_rotation=f"Give {client} the new token: `make mcp` shows how.",
            )
            for client in own.clients
        )

    def workloads(self, own: Settings, context: Planned) -> tuple[Workload, ...]:
        """One server; it keeps nothing between two calls."""
        path = f"{CONFIG_DIR}/{DOCUMENT}"
        return (
            Workload(
                name=NAME,
                image=NAME,
                # 80 MiB at rest, as much for each client over stdio, and answers of 8 MiB for each of eight calls
                limits=build_limits(own, memory=512),
                entrypoint=PROGRAM,
                args=("http", "--document", path),
                config=ConfigDir(
                    path=CONFIG_DIR,
                    files={DOCUMENT: render_document(own, context)},
                    validate=(*PROGRAM, "check", "--document", f"{{dir}}/{DOCUMENT}"),
                    reload=Reload(
                        port=METRICS_PORT, path=None, digest_metric="mcp_document_info", digest_file=DOCUMENT
                    ),
                ),
                secrets=tuple(
                    SecretFile(path=f"{SECRETS_DIR}/{name}", secret=name, reread=True)
                    for name in map(derive_token_name, own.clients)
                ),
                ports=(publish_port(context, NAME, PORT), Port(number=METRICS_PORT, name="metrics")),
                probe=HttpProbe(path="/healthz", port=METRICS_PORT),
            ),
        )
