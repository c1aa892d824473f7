"""`observability mcp`: what an AI client needs to ask a running stack, over HTTP and over stdio, and whether it works.

Format of .mcp.json: https://code.claude.com/docs/en/mcp#project-scope. Over stdio the client starts a process in the
server's own container: who may do that needs no token, and nothing has to be installed.
"""

from __future__ import annotations

import argparse
import json
import shutil
import ssl
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, cast

from rich.console import Console
from rich.markup import escape

from cli.arguments import FINE, UNWELL
from cli.engine import build_tool_env
from cli.forward import leads_elsewhere
from cli.render import plan_workspace
from cli.workspace import open_workspace
from components.mcp.component import PROGRAM
from components.mcp.settings import CONFIG_DIR, DOCUMENT, NAME, PREFIX, Settings, derive_token_name
from model.errors import ConfigError, Problem, suggest_name
from model.naming import derive_namespace
from model.places import locate_in_section
from model.plan import Plan

VARIABLE = "OBSERVABILITY_MCP_TOKEN"
"""Clients put its value in the place of `${...}`, so that a file which is shared holds no token."""
SECONDS = 30
"""For the answer to one call, and for a process to start."""
REVISION = "2025-11-25"
"""Of the protocol: the newest that begins with a handshake, which all clients know."""
INITIALIZE: Mapping[str, Any] = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": REVISION,
        "capabilities": {},
        "clientInfo": {"name": "observability", "version": "1"},
    },
}
CALL: Mapping[str, Any] = {
    "jsonrpc": "2.0",
    "id": 2,
    "method": "tools/call",
    "params": {"name": "service_health", "arguments": {}},
}


@dataclass(frozen=True)
class Connection:
    """How a client reaches the server of a stack; `token` is one of `client`, and is never written to a file."""

    stack: str
    url: str
    client: str
    token: str
    command: tuple[str, ...]
    authority: str = ""
    elsewhere: bool = False
    """Whether `url` names this machine while the stack is on another one: whoever listens here would get the token."""

    def build_http(self) -> dict[str, Any]:
        """The entry of .mcp.json for HTTP."""
        headers = {"Authorization": f"Bearer ${{{VARIABLE}}}"}
        return {"type": "http", "url": self.url, "headers": headers}

    def build_stdio(self) -> dict[str, Any]:
        """The entry of .mcp.json for stdio."""
        return {"command": self.command[0], "args": list(self.command[1:])}


def build_connection(plan: Plan, outputs: Mapping[str, Any], client: str = "") -> Connection:
    """How `client`, else the first one of the settings, reaches the server.

    Raises:
        ConfigError: the stack has no server, or no such client.
    """
    own = cast(Settings, plan.sections[NAME])
    if not own.enabled:
        message = "false, so there is nothing to connect to; say `mcp: { enabled: true }` and run `make up`"
        raise ConfigError([Problem(locate_in_section(plan.stack, NAME, "enabled"), message)])
    name = client or own.clients[0]
    if name not in own.clients:
        message = f"{name!r} is none of the clients; {suggest_name(name, own.clients)}"
        raise ConfigError([Problem(locate_in_section(plan.stack, NAME, "clients"), message)])
    return Connection(
        stack=plan.stack,
        url=plan.settings.base_url + PREFIX,
        client=name,
        token=str(outputs.get(derive_token_name(name), "")),
        command=build_command(plan),
        authority=str(outputs.get("caCertificate", "")),
        elsewhere=leads_elsewhere(plan),
    )


def build_command(plan: Plan) -> tuple[str, ...]:
    """The command that a client starts for stdio: a process in the server's container, which speaks with it.

    Options of docker: https://docs.docker.com/reference/cli/docker/#options.
    """
    inside = (*PROGRAM, "stdio", "--document", f"{CONFIG_DIR}/{DOCUMENT}", "--audit", "/proc/1/fd/1")
    settings = plan.settings
    if settings.target == "kubernetes":
        namespace = derive_namespace(plan.stack, settings.kubernetes)
        named = {"--kubeconfig": settings.kubernetes.kubeconfig, "--context": settings.kubernetes.context}
        context = tuple(word for option, value in named.items() if value for word in (option, value))
        where = ("--namespace", namespace, f"deployment/{NAME}", "--container", NAME, "--")
        return ("kubectl", *context, "exec", "--stdin", *where, *inside)
    host = ("--host", settings.docker.host) if settings.docker.host else ()
    if settings.docker.cert_path:
        files = {"--tlscacert": "ca.pem", "--tlscert": "cert.pem", "--tlskey": "key.pem"}
        given = (word for option, name in files.items() for word in (option, f"{settings.docker.cert_path}/{name}"))
        host = (*host, "--tlsverify", *given)
    return ("docker", *host, "exec", "--interactive", f"{plan.stack}-{NAME}", *inside)


# -- trials ----------------------------------------------------------------------------------------------------------


def try_http(connection: Connection) -> str:
    """Calls a tool over HTTP with the client's token, and again without one; returns what came of it in words.

    Raises:
        RuntimeError: there is no answer, or not the right one.
    """
    context = ssl.create_default_context(cadata=connection.authority or None)
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}) if "//127.0.0.1" in connection.url else urllib.request.ProxyHandler(),
        urllib.request.HTTPSHandler(context=context),
    )

    def post(token: str) -> Any:
        headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
        own = {"Authorization": f"Bearer {token}"} if token else {}
        request = urllib.request.Request(  # noqa: S310 - the stack's own address
            connection.url, json.dumps(CALL).encode(), {**headers, "MCP-Protocol-Version": REVISION, **own}
        )
        with opener.open(request, timeout=SECONDS) as answer:
            return json.loads(answer.read())

    try:
        words = describe_health(post(connection.token))
    except urllib.error.HTTPError as error:
        raise RuntimeError(f"{connection.url}: {error.code} {error.reason}") from None
    except (OSError, ValueError) as error:
        raise RuntimeError(f"{connection.url}: {error}") from None
    try:
        post("")
    except urllib.error.HTTPError as error:
        if error.code == 401:
            return words
    raise RuntimeError(f"{connection.url} answers without a token")


def try_stdio(connection: Connection) -> str:
    """Calls a tool over stdio; returns what came of it in words.

    Raises:
        RuntimeError: the command cannot be started, or does not answer rightly.
    """
    messages = (INITIALIZE, {"jsonrpc": "2.0", "method": "notifications/initialized"}, CALL)
    sent = "".join(f"{json.dumps(message)}\n" for message in messages)
    try:
        with subprocess.Popen(
            connection.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as ran:
            return describe_health(_read_answer(ran, sent))
    except (OSError, ValueError) as error:
        raise RuntimeError(f"{connection.command[0]}: {error}") from None


def _read_answer(ran: subprocess.Popen[str], sent: str) -> Any:
    """The answer to the call; input stays open until it has come, as its end ends the server."""
    if ran.stdin is None or ran.stdout is None or ran.stderr is None:
        raise ValueError("no pipes")
    try:
        try:
            ran.stdin.write(sent)
            ran.stdin.flush()
        except BrokenPipeError:  # it has ended before it read: what it says is below
            with suppress(BrokenPipeError):
                ran.stdin.close()
        for line in ran.stdout:
            message = json.loads(line)
            if message.get("id") == CALL["id"]:
                return message
        ran.wait(SECONDS)
        raise ValueError(f"ended with {ran.returncode}: {ran.stderr.read()[-500:].strip()}")
    finally:
        ran.kill()


def describe_health(message: Any) -> str:
    """What `service_health` says, in one line.

    Raises:
        ValueError: it is no answer of that tool.
    """
    result = message.get("result", {}) if isinstance(message, dict) else {}
    data = result.get("structuredContent")
    if not isinstance(data, dict):
        raise ValueError(f"no answer of {CALL['params']['name']}: {json.dumps(message)[:300]}")
    return f"{len(data['services'])} services, {data['wrong']} of them not well"


# -- output ----------------------------------------------------------------------------------------------------------


def list_trials(
    connection: Connection, find_program: Callable[[str], str | None] = shutil.which
) -> Iterator[tuple[str, bool, str]]:
    """Each way with whether it works and what came of it; one that cannot be tried from here says why."""
    ways: Sequence[tuple[str, Callable[[Connection], str]]] = (("HTTP", try_http), ("stdio", try_stdio))
    for name, attempt in ways:
        program = connection.command[0]
        if attempt is try_stdio and find_program(program) is None:
            yield name, True, f"not tried: {program} is not on the PATH here"
            continue
        if attempt is try_http and connection.elsewhere:
            open_it = f"make open STACK={connection.stack} leads there from here"
            yield name, True, f"not tried: {connection.url} is this machine, and the stack is on another one; {open_it}"
            continue
        try:
            yield name, True, f"works: service_health says {attempt(connection)}"
        except RuntimeError as error:
            yield name, False, f"fails: {error}"


def print_connection(connection: Connection, console: Console, *, show_token: bool) -> bool:
    """Prints .mcp.json for both ways and how each works; returns whether none fails."""
    name = f"observability-{connection.stack}"
    for way, entry in (("HTTP", connection.build_http()), ("stdio", connection.build_stdio())):
        console.print(f"# .mcp.json, {way}:")
        print(json.dumps({"mcpServers": {name: entry}}, indent=2))
    token = connection.token if show_token else "(make mcp STACK=" + connection.stack + " SHOW=1 prints it)"
    console.print(f"# the token of {connection.client}: export {VARIABLE}={escape(token)}")
    well = True
    for way, works, words in list_trials(connection):
        console.print(f"{way}: {escape(words)}")
        well = well and works
    return well


def run_command(args: argparse.Namespace) -> int:
    """Prints what the client in `args` needs, and tries it. Returns its exit code."""
    space = open_workspace(args.stack, build_tool_env())
    connection = build_connection(plan_workspace(space), space.read_outputs(show_secrets=True), args.client)
    console = Console(highlight=False, soft_wrap=True)
    if not connection.token:
        console.print(f"the token of {connection.client} has not been generated: make up STACK={args.stack}")
        return UNWELL
    return FINE if print_connection(connection, console, show_token=args.show_token) else UNWELL
