"""Engines that are not as Docker's defaults have them: another socket or data root, and no swap limits."""

from __future__ import annotations

import socket
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.engine import open_client
from tests.e2e.test_containers import in_containerd, named, services
from tests.e2e.test_no_change import unchanged
from tests.support.forwarding import ForwardedSocket
from tests.support.running import Engine, RunningStack
from tests.support.waiting import eventually

LOOKING_AT_THE_HOST = {"cadvisor", "node-exporter", "socket-proxy"}


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """A stack on an engine that only DOCKER_HOST names, as a rootless one's is, and that has no swap limits."""
    folder = tmp_path_factory.mktemp("engines")
    with ForwardedSocket(folder / "docker.sock", Path("/var/run/docker.sock"), swap=False) as forwarded:
        address = f"unix://{forwarded.path}"
        engine = Engine(open_client(address), env={"DOCKER_HOST": address})
        running = RunningStack(folder, "e2eswap", engine, ports=28120)
        try:
            running.first_up = running.up()
            yield running
        finally:
            running.discard()


@pytest.mark.local_engine
def test_the_socket_is_found(elsewhere: RunningStack) -> None:
    """The proxy has the socket that DOCKER_HOST names, so containers have metrics and lines."""
    mounts = elsewhere.container("socket-proxy").attrs["HostConfig"]["Mounts"]
    assert elsewhere.engine.env["DOCKER_HOST"] in [f"unix://{mount['Source']}" for mount in mounts]
    eventually(lambda: services(elsewhere) <= named(elsewhere), timeout=60, what="metrics of every service")
    marker = uuid.uuid4().hex
    elsewhere.http("api", 4000, "POST", "/demo/logs", {"msg": f"marker {marker}", "level": "info"})
    eventually(lambda: elsewhere.loki(f'{{job="containerlogs"}} |= "{marker}"'), timeout=30, what="a line")


@pytest.mark.local_engine
@pytest.mark.parametrize("command", ["up", "preview", "refresh"])
def test_missing_swap_limits_are_no_difference(elsewhere: RunningStack, command: str) -> None:
    """Memory is limited as ever, and no run finds anything to change."""
    assert elsewhere.first_up is not None and "cannot limit swap" in elsewhere.first_up.text
    hosts = [container.attrs["HostConfig"] for container in elsewhere.containers()]
    assert {host["MemorySwap"] for host in hosts} == {-1} and all(host["Memory"] > 0 for host in hosts)
    run = elsewhere.run(command)
    assert run.code == 0 and unchanged(run.text), run.text[-3000:]


@pytest.mark.local_engine
@pytest.mark.parametrize(
    ("docker", "says"),
    [
        ({"swapLimit": True}, "docker.swapLimit: true, but this engine cannot limit swap"),
        ({"socket": "/nowhere/docker.sock"}, "docker.socket: there is no '/nowhere/docker.sock'; the engine's own is"),
        ({"dataRoot": "/nowhere"}, "docker.dataRoot: '/nowhere', but the engine's data root is"),
        ({"imageStore": "containerd"}, "docker.imageStore: 'containerd', but this engine's is 'classic'"),
        ({"externalNetworks": ["nowhere"]}, "docker.externalNetworks: the engine has no network 'nowhere'"),
    ],
)
def test_what_contradicts_the_engine_is_refused(elsewhere: RunningStack, docker: dict[str, Any], says: str) -> None:
    """Each ends a run before Pulumi is asked for anything, with the key and what is right."""
    elsewhere.edit_settings(lambda config: config.update(docker=docker))
    try:
        for command in ("up", "preview"):
            run = elsewhere.run(command)
            assert run.code == 2 and says in run.text, run.text[-3000:]
    finally:
        elsewhere.edit_settings(lambda config: config.pop("docker"))


def _health(stack: RunningStack, workload: str) -> str:
    """What the engine says of a container's health; it has a while to start before it is called unhealthy."""
    return str(stack.container(workload).attrs["State"]["Health"]["Status"])


@pytest.mark.local_engine
def test_what_looks_at_the_host_has_no_selinux_label(elsewhere: RunningStack) -> None:
    """As an engine with SELinux is told; one without takes it, is refused by `make`, and finds nothing to change."""
    elsewhere.edit_settings(lambda config: config.update(docker={"selinux": True}))
    try:
        assert "docker.selinux: true, but" in elsewhere.run("preview").text
        elsewhere.pulumi("up", "--yes", "--skip-preview")
        options = {str(item.name): item.attrs["HostConfig"]["SecurityOpt"] for item in elsewhere.containers()}
        free = {name.removeprefix(f"{elsewhere.name}-") for name, has in options.items() if "label=disable" in has}
        assert free >= LOOKING_AT_THE_HOST and all(name.startswith((*LOOKING_AT_THE_HOST, "tools")) for name in free)
        assert unchanged(elsewhere.pulumi("preview", "--refresh", "--diff"))
    finally:
        elsewhere.edit_settings(lambda config: config.pop("docker"))
    elsewhere.up()


@pytest.mark.local_engine
def test_a_socket_without_an_engine_is_red(elsewhere: RunningStack, tmp_path: Path) -> None:
    """What `make` refuses and plain Pulumi does not: proxy, its target and both views of containers say it."""
    dead = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(dead))
    elsewhere.edit_settings(lambda config: config.update(docker={"socket": str(dead)}))
    try:
        refused = elsewhere.run("preview")
        assert refused.code == 2 and f"docker.socket: no engine answers at '{dead}'" in refused.text
        elsewhere.pulumi("up", "--yes", "--skip-preview")
        what = "a red proxy"
        eventually(lambda: elsewhere.prom('up{job="socket-proxy"} == 0'), timeout=60, what=what)
        eventually(lambda: _health(elsewhere, "socket-proxy") == "unhealthy", timeout=120, what=what)
        run = elsewhere.run("verify")
        assert run.code == 1, run.text[-3000:]
        for words in ("unhealthy", "503 Service Unavailable", "unseen there are no metrics of"):
            assert words in run.text, run.text[-3000:]
    finally:
        elsewhere.edit_settings(lambda config: config.pop("docker"))
    elsewhere.up()


@pytest.fixture
def moved(engine: Engine, tmp_path: Path) -> Iterator[RunningStack]:
    """A stack on an engine whose data is elsewhere; the one of the suite is back when it is over."""
    assert engine.restart is not None, "with --engine tcp or ssh the engine is the tests' own"
    engine.restart({"data-root": "/mnt/elsewhere"})
    running = RunningStack(tmp_path, "e2eroot", engine, ports=28140)
    try:
        running.up()
        yield running
    finally:
        running.discard()
        engine.restart({})


@pytest.mark.own_engine
def test_another_data_root_is_found(moved: RunningStack) -> None:
    """All containers are named, files are counted where layers can be seen, and no run finds anything to change."""
    sources = {mount["Source"] for mount in moved.container("cadvisor").attrs["HostConfig"]["Mounts"]}
    eventually(lambda: services(moved) <= named(moved), timeout=60, what="metrics of every service")
    if in_containerd(moved):
        assert sources == {"/sys"}
    else:
        assert sources == {"/sys", "/mnt/elsewhere"}
        files = "container_fs_usage_bytes"
        eventually(lambda: services(moved) <= named(moved, files), timeout=60, what="files of every service")
    assert not moved.prom('node_filesystem_size_bytes{mountpoint=~"/mnt/elsewhere/.+"}')
    run = moved.run("preview")
    assert run.code == 0 and unchanged(run.text), run.text[-3000:]


@pytest.mark.own_engine
def test_a_wrong_data_root_costs_figures_of_files_alone(moved: RunningStack) -> None:
    """What `make` refuses and plain Pulumi does not: the proxy hides layers that cAdvisor cannot see.

    An engine that keeps images in containerd has none at its data root, so that nobody mounts it.
    """
    moved.edit_settings(lambda config: config["docker"].update(dataRoot="/var/lib/docker"))
    assert "docker.dataRoot" in moved.run("preview").text
    moved.pulumi("up", "--yes", "--skip-preview")
    sources = {mount["Source"] for mount in moved.container("cadvisor").attrs["HostConfig"]["Mounts"]}
    assert sources == ({"/sys"} if in_containerd(moved) else {"/sys", "/var/lib/docker"})
    eventually(lambda: services(moved) <= named(moved), timeout=60, what="metrics of every service")
