"""Where the cluster lies."""

from __future__ import annotations

import ipaddress
import itertools
from dataclasses import replace
from pathlib import Path

from toolchain.cluster.layout import POD_CIDR, Layout, read_layout, write_file


def test_layout_survives_its_file(layout: Layout, tmp_path: Path) -> None:
    """The process that runs the cluster reads the very layout that was written for it."""
    wide = replace(layout, node_count=3)
    wide.write(tmp_path / "layout.json")
    assert read_layout(tmp_path / "layout.json") == wide


def test_each_directory_has_its_own_cgroup(layout: Layout, tmp_path: Path) -> None:
    """Neither two clusters on one machine nor two nodes share the parent of their pods: each removes what it misses."""
    wide = replace(layout, node_count=3)
    every = [one.find_cgroup(node) for one in (wide, replace(wide, directory=tmp_path / "other")) for node in one.nodes]
    assert len(set(every)) == 6


def test_nodes_share_no_address(layout: Layout) -> None:
    """Each has its own name and address, and pods of its own within those of the cluster."""
    nodes = replace(layout, node_count=3).nodes
    for part in ("name", "address", "pod_cidr"):
        assert len({getattr(node, part) for node in nodes}) == 3
    pods = [ipaddress.IPv4Network(node.pod_cidr) for node in nodes]
    assert all(one.subnet_of(ipaddress.IPv4Network(POD_CIDR)) for one in pods)
    assert not any(one.overlaps(other) for one, other in itertools.combinations(pods, 2))


def test_put_keeps_secrets_to_their_owner(tmp_path: Path) -> None:
    """A file has its mode from its first byte on, and a new text replaces the old one whole."""
    write_file(tmp_path / "token", "first, a long one")
    write_file(tmp_path / "token", "second")
    assert (tmp_path / "token").read_text() == "second"
    assert (tmp_path / "token").stat().st_mode & 0o777 == 0o600
    assert [p.name for p in tmp_path.iterdir() if p.is_file()] == ["token"]
