"""One deployed stack for the whole suite, on the engine that --engine names."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import docker
import pytest

from tests.support.clusters import ClusterStack, start_cluster
from tests.support.remote import RemoteEngine
from tests.support.running import Engine, RunningStack

CANARY = "canary-d41f7c9e5b2a4e8f"
"""A configured secret whose every appearance outside its file is a leak."""
ORDER = [
    "up",
    "no_change",
    "hardening",
    "containers",
    "secrets",
    "logs",
    "in_place",
    "rotate",
    "alerts",
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
    "deliveries",
    "down",
    "systems",
]


def pytest_addoption(parser: pytest.Parser) -> None:
    """--engine: which Docker engine the suite runs on."""
    parser.addoption("--engine", choices=["local", "tcp", "ssh", "kubernetes"], default="local")


def pytest_configure(config: pytest.Config) -> None:
    """Declares the marker of tests that restart the engine: people's own is left alone."""
    config.addinivalue_line("markers", "own_engine: runs where the engine is the tests' own, with --engine tcp or ssh")
    config.addinivalue_line("markers", "local_engine: runs where the engine's socket is a file of this machine")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Runs the files in the order of a stack's life, and leaves out what this engine is not for."""
    kind = config.getoption("--engine")
    idle = {"own_engine": kind not in ("tcp", "ssh"), "local_engine": kind != "local"}
    left = [item for item in items if any(idle[name] and item.get_closest_marker(name) for name in idle)]
    config.hook.pytest_deselected(items=left)
    items[:] = [item for item in items if item not in left]

    def place(item: pytest.Item) -> int:
        name = item.path.stem.removeprefix("test_")
        return ORDER.index(name) if name in ORDER else len(ORDER)

    items.sort(key=place)


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
    running.edit_settings(_with_receiver)
    running.secret("pager-url", f"http://demo-webhook:8080/demo/webhook?key={CANARY}")
    running.first_up = running.up()
    yield running
    if os.environ.get("E2E_KEEP"):
        return
    running.run("down", "--purge")


def _with_receiver(config: dict[str, Any]) -> None:
    """A second receiver whose URL is a secret of the stack's configuration."""
    config["alertmanager"] |= {
        "receivers": [
            {"name": "default", "webhook": {"url": "http://demo-webhook:8080/demo/webhook"}},
            {"name": "pager", "webhook": {"urlSecret": "pager-url"}},
        ],
        "routes": [{"severity": "critical", "receiver": "pager"}],
    }
