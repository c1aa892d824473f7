"""What a run leaves behind."""

from __future__ import annotations

from dataclasses import replace

import pytest

from toolchain.cluster import cgroups, runner
from toolchain.cluster.layout import Layout


def test_a_killed_run_is_cleared_away(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys, volumes and the kubeconfig go; the logs of the last run can still be read."""
    layout = replace(layout, node_count=2)
    removed: list[str] = []
    monkeypatch.setattr(cgroups, "remove_cgroup", removed.append)
    for folder in (layout.logs, layout.pki):
        folder.mkdir()
    (layout.logs / "etcd.log").write_text("last words")
    layout.kubeconfig.write_text("token")
    runner.clear_run(layout)
    assert removed == [layout.find_cgroup(node) for node in layout.nodes]
    assert [p.name for p in layout.directory.iterdir()] == ["last-logs"]
    assert (layout.directory / "last-logs" / "etcd.log").read_text() == "last words"
