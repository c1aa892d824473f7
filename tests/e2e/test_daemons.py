"""Engines whose daemon.json says something else: each stack is as it should be, or is refused in words."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.e2e.test_containers import named, services
from tests.e2e.test_no_change import unchanged
from tests.support.running import Engine, RunningStack
from tests.support.waiting import eventually

DAEMONS: Mapping[str, Mapping[str, Any]] = {
    "log-driver local": {"log-driver": "local"},
    "live-restore": {"live-restore": True},
    "user namespaces": {"userns-remap": "default"},
}
"""Settings by what they are called; https://docs.docker.com/reference/cli/dockerd/#daemon-configuration-file."""
NEWEST: Mapping[str, Mapping[str, Any]] = {"nftables": {"firewall-backend": "nftables"}}
"""Those that older engines do not have."""
PARAMETERS = [*DAEMONS, *(pytest.param(name, marks=pytest.mark.newest_engine) for name in NEWEST)]


@pytest.fixture(scope="module", params=PARAMETERS)
def odd(request: pytest.FixtureRequest, engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A stack on an engine with one of these settings; the suite's own engine is back when it is over."""
    assert engine.restart is not None, "the engine is the tests' own"
    engine.restart({**DAEMONS, **NEWEST}[request.param])
    running = RunningStack(tmp_path_factory.mktemp("daemon"), "e2edaemon", engine, ports=28160)
    try:
        running.first_up = running.up()
        yield running
    finally:
        running.discard()
        engine.restart({})


@pytest.mark.own_engine
def test_containers_have_metrics(odd: RunningStack) -> None:
    """Every service is measured under its name."""
    eventually(lambda: services(odd) <= named(odd), timeout=60, what="metrics of every service")


@pytest.mark.own_engine
def test_lines_arrive(odd: RunningStack) -> None:
    """A line that a service writes is in Loki."""
    marker = uuid.uuid4().hex
    odd.http("api", 4000, "POST", "/demo/logs", {"msg": f"marker {marker}", "level": "info"})
    eventually(lambda: odd.loki(f'{{job="containerlogs"}} |= "{marker}"'), timeout=30, what="a line")


@pytest.mark.own_engine
def test_limits_hold(odd: RunningStack) -> None:
    """Memory is limited, nothing gains privileges, and files are read-only, as the settings ask."""
    hosts = [container.attrs["HostConfig"] for container in odd.containers("service")]
    assert all(host["Memory"] > 0 and host["ReadonlyRootfs"] for host in hosts)
    assert all("no-new-privileges:true" in host["SecurityOpt"] for host in hosts)


@pytest.mark.own_engine
def test_nothing_is_left_to_change(odd: RunningStack) -> None:
    """No second diff."""
    run = odd.run("preview")
    assert run.code == 0 and unchanged(run.text), run.text[-3000:]
