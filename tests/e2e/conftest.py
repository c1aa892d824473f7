"""One deployed stack for the whole suite, on the engine that --engine names."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker
import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from cli.render import plan_file
from tests.support.alerting import RECEIVER
from tests.support.clusters import ClusterStack, start_cluster
from tests.support.everyone import VENDORS
from tests.support.remote import RemoteEngine
from tests.support.running import Engine, RunningStack

CANARY = "canary-d41f7c9e5b2a4e8f"
"""A part of each configured secret, whose every appearance outside of the secret's file is a leak."""
IDLE = {name: way for name, way in VENDORS.items() if name != "webhook"} | {
    "mail": {
        "email": {
            "to": "ops@example.com", "from": "stack@example.com", "smarthost": "mail.example.com:587",
            "username": "stack", "passwordSecret": "mail",
        }
    }
}  # fmt: skip
"""A receiver of each vendor, to which no alert leads: their secrets are the stack's all the same."""
MACHINES = [{"name": "shipper", "may": ["push"]}, {"name": "reader", "may": ["federate"]}]
ORDER = [
    "up",
    "no_change",
    "hardening",
    "containers",
    "secrets",
    "machines",
    "logs",
    "in_place",
    "rotate",
    "looks",
    "alerts",
    "mcp",
    "standalone",
    "host",
    "engines",
    "foreign",
    "closed",
    "on_cluster",
    "cluster_life",
    "scaled_loki",
    "ingress",
    "operator",
    "recovery",
    "drift",
    "deliveries",
    "down",
    "systems",
]


def pytest_addoption(parser: pytest.Parser) -> None:
    """--engine: which Docker engine the suite runs on."""
    parser.addoption("--engine", choices=["local", "tcp", "newest", "ssh", "kubernetes"], default="local")


def pytest_configure(config: pytest.Config) -> None:
    """Declares the marker of tests that restart the engine: people's own is left alone."""
    config.addinivalue_line("markers", "own_engine: runs where the engine is the tests' own: --engine tcp, newest, ssh")
    config.addinivalue_line("markers", "newest_engine: needs what Docker Engine 29 has: --engine newest")
    config.addinivalue_line("markers", "docker_engine: stops and kills containers: not --engine kubernetes")
    config.addinivalue_line("markers", "local_engine: runs where the engine's socket is a file of this machine")


class _TwoParts(LoadScopeScheduling):  # type: ignore[misc]
    """For `-n2`: a worker for what uses the one deployed stack, another for all that brings its own parts.

    pytest-xdist 3.8 has groups for this (`--dist=loadgroup`), which pytest 9.2 drops without a word (issue 1386 there).
    """

    def _split_scope(self, nodeid: str) -> str:
        return "stack" if _place(nodeid) < len(ORDER) else "others"


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    """Divides the tests between two workers, as they all are waiting for something most of the time."""
    return _TwoParts(config, log)


def _place(nodeid: str) -> int:
    """Where the file of a test stands in a stack's life; behind its end where it needs none."""
    name = Path(nodeid.partition("::")[0]).stem.removeprefix("test_")
    return ORDER.index(name) if name in ORDER else len(ORDER)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Runs the files in the order of a stack's life, and leaves out what this engine is not for."""
    kind = config.getoption("--engine")
    idle = {"own_engine": kind not in ("tcp", "newest", "ssh"), "local_engine": kind != "local"}
    idle |= {"docker_engine": kind == "kubernetes", "newest_engine": kind != "newest"}
    left = [item for item in items if any(idle[name] and item.get_closest_marker(name) for name in idle)]
    config.hook.pytest_deselected(items=left)
    items[:] = [item for item in items if item not in left]
    items.sort(key=lambda item: _place(item.nodeid))


@pytest.fixture(scope="session")
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """The engine under test; a remote one has a network and a filesystem of its own."""
    kind = request.config.getoption("--engine")
    if kind == "kubernetes":
        yield Engine(None)
        return
    if kind == "local":
        yield Engine(docker.from_env())
        return
    with RemoteEngine(tmp_path_factory.mktemp("engine"), kind) as remote:
        yield remote.engine


@pytest.fixture(scope="session")
def stack(
    engine: Engine, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[RunningStack]:
    """The deployed stack; whatever is left of it at the end is removed."""
    folder = tmp_path_factory.mktemp("stack")
    if request.config.getoption("--engine") == "kubernetes":
        running: RunningStack = ClusterStack(folder, "e2e", start_cluster(), ports=28080)
    else:
        running = RunningStack(folder, "e2e", engine, ports=28080)
    running.edit_settings(_with_secrets)
    given = configured(running)
    running.secret("pager-url", given["pager-url"])  # which makes the stack; the others come at once
    running.pulumi("config", "set-all", *(word for pair in given.items() for word in ("--secret", "=".join(pair))))
    running.first_up = running.up()
    yield running
    if os.environ.get("E2E_KEEP"):
        return
    running.discard()


def configured(stack: RunningStack) -> dict[str, str]:
    """The secrets that people set, by name; each value has CANARY in it."""
    asked = plan_file(stack.stack_file, stack.name).secrets.values()
    names = [secret.name for secret in asked if not secret.generate and not secret.made]
    return {name: f"http://demo-webhook:8080/demo/webhook?key={CANARY}-{name}" for name in names}


def _with_secrets(config: dict[str, Any]) -> None:
    """Secrets of every kind that works here: of receivers and of machines."""
    here = json.loads(json.dumps(IDLE).replace(RECEIVER, "http://demo-webhook:8080"))
    config["access"] = {"machines": MACHINES}
    config["alertmanager"] |= {
        "receivers": [
            {"name": "default", "webhook": {"url": "http://demo-webhook:8080/demo/webhook"}},
            {"name": "pager", "webhook": {"urlSecret": "pager-url"}},
            *({"name": name, **way} for name, way in here.items()),
        ],
        "routes": [
            {"severity": "critical", "receiver": "pager"},
            *({"matchers": [f'instance="{name}"'], "receiver": name} for name in here),
        ],
    }
