"""The cluster as a process of this machine."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from toolchain.cache import Cache
from toolchain.cluster import service
from toolchain.context import HERE, Context
from toolchain.errors import ToolchainError
from toolchain.host import Host


def test_nothing_runs_at_first(context: Context) -> None:
    """Without a process there is no cluster, and nothing to stop."""
    assert not service.is_running(context)
    assert not service.stop_clusters(context)
    assert service.find_kubeconfig(context) == context.cache.root / "cluster" / "kubeconfig"
    assert service.find_kubeconfig(context, 3) == context.cache.root / "cluster-3" / "kubeconfig"


def test_only_root_may_start_one(context: Context) -> None:
    """Everybody else is told what to do instead."""
    with pytest.raises(ToolchainError, match="root alone"):
        service.ensure_cluster(context, [])


@pytest.mark.parametrize("root", ["/var/lib/cache", "/run/cache"])
def test_a_cache_that_the_node_would_hide_is_refused(context: Context, root: str) -> None:
    """The node has directories of its own there, so the cluster would not find itself."""
    theirs = replace(context, cache=Cache(Path(root)), host=Host("amd64", "debian-bookworm", root=True))
    with pytest.raises(ToolchainError, match="OBSERVABILITY_CACHE"):
        service._refuse_unsupported_host(theirs)


def test_the_process_finds_the_package(context: Context) -> None:
    """It is started in another directory than the checkout's."""
    assert f"PYTHONPATH={HERE.parent}" in service.build_runner_command(service.build_cluster_layout(context))
