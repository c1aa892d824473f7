"""The cluster as a process of this machine."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

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


def test_the_server_of_names_has_time_to_answer() -> None:
    """A node that is busy for a second has names all the same: each probe waits for five."""
    objects = yaml.safe_load_all((service._ADDONS / "coredns.yaml").read_text(encoding="utf-8"))
    (pod,) = [each["spec"]["template"]["spec"] for each in objects if each["kind"] == "Deployment"]
    probes = {key: value["timeoutSeconds"] for key, value in pod["containers"][0].items() if key.endswith("Probe")}
    assert probes == {"startupProbe": 5, "readinessProbe": 5, "livenessProbe": 5}


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


def test_programs_of_another_release_make_a_cluster_of_their_own(context: Context) -> None:
    """It lies beside the usual one, which goes on; both are ended together."""
    programs = Path("/releases/older")
    theirs = replace(context, environ={**context.environ, service.OTHER_PROGRAMS: str(programs)})
    layout = service.build_cluster_layout(theirs, 2)
    assert layout.programs == programs and layout.directory == context.cache.root / "cluster-2-older"
    daemon = service.build_cluster_daemon(theirs, 2)
    daemon.start(["sleep", "60"])
    assert service.stop_clusters(context) and daemon.find_pid() is None
