"""node-exporter: what it may see, and why."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from components.exporters.node.component import build_excluded_mounts
from tests.support.planned import explained, scraped_as, workload
from tests.support.systems import plan_shop


def test_it_watches_and_is_watched(tmp_path: Path) -> None:
    """node-exporter is scraped, and what it sees has alerts."""
    plan = plan_shop(tmp_path)
    scraped_as(plan, "node-exporter")
    explained(plan, "host")


def test_host_mounts_are_declared(tmp_path: Path) -> None:
    """Every path of the host has its reason, and none is the engine's socket or its folder."""
    found = workload(plan_shop(tmp_path), "node-exporter")
    assert found.is_exempt("host-mount") and all(mount.reason for mount in found.host_mounts)
    assert not {mount.source for mount in found.host_mounts} & {"/var/run", "/run", "/var/run/docker.sock"}


def test_it_is_no_root(tmp_path: Path) -> None:
    """The host is seen by an ordinary user, so root's sockets and files stay closed to it."""
    assert not workload(plan_shop(tmp_path), "node-exporter").is_exempt("root-user")


@pytest.mark.parametrize(
    ("root", "path", "disk"),
    [
        ("/var/lib/docker", "/data", True),
        ("/var/lib/docker", "/var/lib/docker", True),
        ("/var/lib/docker", "/var/lib/docker/overlay2/3f2a/merged", False),
        ("/var/lib/docker", "/data/docker/overlay2/3f2a/merged", True),
        ("/data/docker", "/data/docker/overlay2/3f2a/merged", False),
        ("/data/docker", "/data/docker", True),
        ("/home/u/.local/share/docker", "/home/u/xlocal/share/docker/overlay2/3f2a", True),
    ],
)
def test_mounts_of_containers_are_no_disks(root: str, path: str, disk: bool) -> None:
    """What the engine mounts below its data root is left out, wherever that is; the root itself may be a disk."""
    assert (re.search(build_excluded_mounts(root), path) is None) is disk
