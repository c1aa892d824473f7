"""`observability mcp`: what it prints, and that it tries both ways on a server that runs."""

from __future__ import annotations

import asyncio
import io
import json
import os
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from cli.mcp import Connection, build_command, build_connection, describe_health, list_trials, print_connection
from mcp_server import metrics
from model.errors import ConfigError
from tests.support.agents import TOKEN, faking, serving_document
from tests.support.systems import ROOT, plan_cluster, plan_shop

ENABLED = {"mcp": json.dumps({"enabled": True, "clients": ["ann", "bob"]})}
OUTPUTS = {"mcp-token-ann": TOKEN, "mcp-token-bob": "b" * 48}


@pytest.fixture
def module_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that is started finds the server's package, as it does in its image."""
    monkeypatch.setenv("PYTHONPATH", f"{ROOT / 'images' / 'mcp'}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")


def test_a_client_is_one_of_the_settings(tmp_path: Path) -> None:
    """The first one unless another is named, with its own token; a name that is none is refused."""
    plan = plan_shop(tmp_path, settings=ENABLED)
    assert build_connection(plan, OUTPUTS).token == TOKEN
    assert build_connection(plan, OUTPUTS, "bob").token == "b" * 48
    with pytest.raises(ConfigError, match=r"mcp\.clients: 'bop' is none of the clients; did you mean 'bob'"):
        build_connection(plan, OUTPUTS, "bop")


def test_a_stack_without_a_server_says_so(tmp_path: Path) -> None:
    """The mistake is in the stack's file, and says what to write."""
    with pytest.raises(ConfigError, match=r"mcp\.enabled: false, so there is nothing to connect to"):
        build_connection(plan_shop(tmp_path), {})


def test_what_a_client_gets(tmp_path: Path) -> None:
    """Address and a variable for HTTP, a command for stdio; no token in either."""
    connection = build_connection(plan_shop(tmp_path, settings=ENABLED), OUTPUTS)
    assert connection.build_http() == {
        "type": "http",
        "url": "http://127.0.0.1:8080/mcp",
        "headers": {"Authorization": "Bearer ${OBSERVABILITY_MCP_TOKEN}"},
    }
    stdio = connection.build_stdio()
    assert stdio["command"] == "docker" and stdio["args"][:3] == ["exec", "--interactive", "dev-mcp"]
    assert stdio["args"][-5:] == ["stdio", "--document", "/etc/mcp/stack.json", "--audit", "/proc/1/fd/1"]


def test_engines_and_clusters_that_are_named(tmp_path: Path) -> None:
    """A client reaches the engine or the cluster of the settings, wherever its own points to."""
    host = {"docker": '{"host": "ssh://ops@m.example.com"}'}
    command = build_command(plan_shop(tmp_path / "a", settings={**ENABLED, **host}))
    assert command[:3] == ("docker", "--host", "ssh://ops@m.example.com")
    tls = {"docker": '{"host": "tcp://m.example.com:2376", "certPath": "/home/ops/certs"}'}
    command = build_command(plan_shop(tmp_path / "c", settings={**ENABLED, **tls}))
    assert command[:4] == ("docker", "--host", "tcp://m.example.com:2376", "--tlsverify")
    files = ("--tlscacert", "/home/ops/certs/ca.pem", "--tlscert", "/home/ops/certs/cert.pem")
    assert command[4:11] == (*files, "--tlskey", "/home/ops/certs/key.pem", "exec")
    context = {"kubernetes": '{"context": "shop", "kubeconfig": "/home/ops/shop.yaml"}'}
    command = build_command(plan_cluster(tmp_path / "b", settings={**ENABLED, **context}))
    assert command[:5] == ("kubectl", "--kubeconfig", "/home/ops/shop.yaml", "--context", "shop")
    assert command[5:8] == ("exec", "--stdin", "--namespace")
    assert command[8:13] == ("monitoring-dev", "deployment/mcp", "--container", "mcp", "--")


def serve(folder: Path, look: Callable[[Connection], Any], **more: Any) -> Any:
    """What is seen of a server that runs while it does."""
    metrics.init_series(())
    with faking() as fake:
        fake.vectors["count by (service) (up)"] = [({"service": "api"}, 1)]

        async def run() -> Any:
            document = {"sources": {"prometheus": fake.address}, "services": {"api": {}}, **more}
            async with serving_document(folder, document) as served:
                inside = ("-m", "mcp_server", "stdio", "--document", str(folder / "stack.json"))
                command = (sys.executable, *inside, "--audit", str(folder / "audit"))
                connection = Connection("dev", served.url, "ann", TOKEN, command)
                return await asyncio.to_thread(look, connection)

        return asyncio.run(run())


@pytest.mark.usefixtures("module_path")
def test_both_ways_are_tried(tmp_path: Path) -> None:
    """A tool is called over HTTP and over stdio, by whose own audit line that is seen."""
    trials = serve(tmp_path, lambda connection: list(list_trials(connection)))
    words = "works: service_health says 1 services, 1 of them not well"
    assert trials == [("HTTP", True, words), ("stdio", True, words)]
    assert json.loads((tmp_path / "audit").read_text())["who"] == "stdio"


def test_what_fails_is_said(tmp_path: Path) -> None:
    """A wrong token, nobody there, a program that is not there, one that says nothing."""

    def look(connection: Connection) -> list[list[tuple[str, bool, str]]]:
        wrong = replace(connection, token="x" * 30, command=("sh", "-c", "echo sorry >&2; exit 3"))
        nobody = replace(connection, url="http://127.0.0.1:1/mcp", command=("no-such-program",))
        return [list(list_trials(each)) for each in (wrong, nobody)]

    (http, stdio), (nobody, missing) = serve(tmp_path, look)
    assert not http[1] and http[2].endswith("/mcp: 401 Unauthorized")
    assert not stdio[1] and stdio[2] == "fails: sh: ended with 3: sorry"
    assert not nobody[1] and "127.0.0.1:1/mcp: " in nobody[2]
    assert missing == ("stdio", True, "not tried: no-such-program is not on the PATH here")


def test_whoever_else_listens_here_gets_no_token(tmp_path: Path) -> None:
    """A stack of another machine whose base URL names this one is not asked over HTTP; what leads there is said."""

    def look(connection: Connection) -> list[tuple[str, bool, str]]:
        return list(list_trials(replace(connection, elsewhere=True, command=("no-such-program",))))

    (name, works, words), _ = serve(tmp_path, look)
    assert (name, works) == ("HTTP", True)
    assert words.endswith(
        "/mcp is this machine, and the stack is on another one; make open STACK=dev leads there from here"
    )


def test_an_answer_of_something_else_is_a_failure() -> None:
    """A page that answers 200 is no server."""
    with pytest.raises(ValueError, match="no answer of service_health"):
        describe_health({"error": {"code": 1}})
    with pytest.raises(ValueError, match="no answer of service_health"):
        describe_health([])


@pytest.mark.parametrize("show", [False, True])
def test_the_token_is_shown_on_demand(monkeypatch: pytest.MonkeyPatch, *, show: bool) -> None:
    """Otherwise nothing of what is printed is a secret, so that it can be shared."""
    monkeypatch.setattr("cli.mcp.list_trials", lambda connection: iter([("HTTP", True, "works")]))
    connection = Connection("dev", "https://m.example.com/mcp", "ann", TOKEN, ("docker", "exec"))
    printed, out = io.StringIO(), io.StringIO()
    with redirect_stdout(out):
        assert print_connection(connection, Console(file=printed), show_token=show)
    assert TOKEN not in out.getvalue() and (TOKEN in printed.getvalue()) == show
    documents = out.getvalue().replace("}\n{", "}\x00{").split("\x00")
    entries = [json.loads(text)["mcpServers"]["observability-dev"] for text in documents]
    assert [sorted(entry) for entry in entries] == [["headers", "type", "url"], ["args", "command"]]
