"""cadvisor: what it may see, and why."""

from __future__ import annotations

from pathlib import Path

from tests.support.planned import explained, scraped_as, workload
from tests.support.systems import plan_shop


def test_it_watches_and_is_watched(tmp_path: Path) -> None:
    """cadvisor is scraped, and what it sees has alerts."""
    plan = plan_shop(tmp_path)
    scraped_as(plan, "cadvisor")
    explained(plan, "containers")


def test_host_mounts_are_declared(tmp_path: Path) -> None:
    """Every path of the host has its reason, and none is the engine's socket or its folder."""
    found = workload(plan_shop(tmp_path), "cadvisor")
    assert found.is_exempt("host-mount") and all(mount.reason for mount in found.host_mounts)
    assert not {mount.source for mount in found.host_mounts} & {"/var/run", "/run", "/var/run/docker.sock"}


def test_root_has_a_reason(tmp_path: Path) -> None:
    """cAdvisor runs as root with its reason, keeps no capability, and reaches the engine through the proxy."""
    found = workload(plan_shop(tmp_path), "cadvisor")
    assert found.is_exempt("root-user") and found.list_capabilities() == ()
    assert "-docker=tcp://socket-proxy:2375" in found.args


def test_it_sees_the_engines_data_root(tmp_path: Path) -> None:
    """Layers are looked for where the engine says that they are, below the same path as on the host."""
    found = workload(plan_shop(tmp_path, settings={"docker": '{"dataRoot": "/data/docker"}'}), "cadvisor")
    assert [(mount.source, mount.path) for mount in found.host_mounts] == [
        ("/sys", "/sys"),
        ("/data/docker", "/data/docker"),
    ]


def test_it_is_no_root_where_there_are_no_layers(tmp_path: Path) -> None:
    """With images in containerd there are no figures of file systems, so it needs neither root nor the data root."""
    found = workload(plan_shop(tmp_path, settings={"docker": '{"imageStore": "containerd"}'}), "cadvisor")
    assert not found.is_exempt("root-user")
    assert [mount.source for mount in found.host_mounts] == ["/sys"]
    (flag,) = (argument for argument in found.args if argument.startswith("-disable_metrics="))
    assert "disk" in flag.split(",")


def test_a_new_proxy_starts_it_anew(tmp_path: Path) -> None:
    """It asks for the engine's driver at its start alone, through the proxy."""
    assert workload(plan_shop(tmp_path), "cadvisor").restart_with == ("socket-proxy",)
