"""The socket proxy lets reads of the agents through, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from components.socket_proxy import render_config
from model.settings import DockerSettings
from tests.support.planned import scraped_as, workload
from tests.support.systems import plan_shop


def allowed(path: str) -> bool:
    """Whether haproxy.cfg's expression matches a path."""
    (expression,) = re.findall(r"acl allowed path,url_dec -m reg -i (\S+)", render_config(DockerSettings()))
    return re.search(expression, path, re.IGNORECASE) is not None


@pytest.mark.parametrize(
    "path",
    ["/_ping", "/v1.41/containers/json", "/containers/abc/logs", "/v1.44/containers/a-b_c.d/json", "/events"],
)
def test_reads_pass(path: str) -> None:
    """What log discovery and container metrics ask for is allowed, with and without a version."""
    assert allowed(path)


@pytest.mark.parametrize(
    "path",
    [
        "/containers/abc/exec",
        "/containers/create",
        "/containers/abc/archive",
        "/containers/abc/logs/../exec",
        "/v1.41/secrets",
        "/swarm",
        "/volumes",
        "/x/containers/json",
        "/containers/json/x",
    ],
)
def test_everything_else_is_refused(path: str) -> None:
    """No other call is allowed, whatever it looks like."""
    assert not allowed(path)


def test_only_reading_methods(tmp_path: Path) -> None:
    """A request must be a read and on an allowed path."""
    assert "acl reads method GET HEAD" in render_config(DockerSettings())
    assert "deny deny_status 403 unless reads allowed" in render_config(DockerSettings())


def test_the_socket_is_a_declared_exemption(tmp_path: Path) -> None:
    """The socket is mounted with its reason, and the proxy is no root."""
    plan = plan_shop(tmp_path)
    found = workload(plan, "socket-proxy")
    assert found.is_exempt("docker-socket") and not found.is_exempt("root-user")
    scraped_as(plan, "socket-proxy")


@pytest.mark.parametrize(
    ("docker", "source"),
    [
        ("{}", "/var/run/docker.sock"),
        ('{"host": "tcp://10.0.0.5:2376"}', "/var/run/docker.sock"),
        ('{"host": "unix:///run/user/1000/docker.sock"}', "/run/user/1000/docker.sock"),
        ('{"host": "unix:///run/user/1000/docker.sock", "socket": "/run/docker.sock"}', "/run/docker.sock"),
    ],
)
def test_the_socket_is_that_of_the_engine(tmp_path: Path, docker: str, source: str) -> None:
    """What is said of the socket counts, then a unix:// address of the engine, then Docker's own default."""
    found = workload(plan_shop(tmp_path, settings={"docker": docker}), "socket-proxy")
    assert [(mount.source, mount.create) for mount in found.host_mounts] == [(source, False)]


def test_info_is_changed_only_where_layers_cannot_be_seen() -> None:
    """With the classic image store the answer depends on the engine's own; with containerd's it is always short."""
    classic = render_config(DockerSettings.model_validate({"dataRoot": "/data/docker"}))
    assert "if info answered containerd or info answered !{ var(txn.root) -m str /data/docker }" in classic
    assert render_config(DockerSettings.model_validate({"imageStore": "containerd"})).count("if info answered\n") == 1
