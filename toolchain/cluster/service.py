"""Our own cluster: started as a process that outlives the command, filled with images, found again, stopped."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable
from pathlib import Path

from toolchain.cluster.api import read_api
from toolchain.cluster.images import OWN, build_node_loader
from toolchain.cluster.layout import Layout
from toolchain.context import HERE, Context
from toolchain.daemon import Daemon
from toolchain.engine import install_packages
from toolchain.errors import ToolchainError
from toolchain.images import ImageSpec
from toolchain.oci import BuiltImage
from toolchain.prerequisites import make_images
from toolchain.recipes import KUBERNETES_PROGRAMS, NETWORK_PLUGINS
from toolchain.run import run_command

MOST_NODES = 9
"""A cluster for tests; each node takes some 300 MiB of memory."""
START_SECONDS = 300
"""A node is Ready in some seconds; a machine that builds beside it takes longer."""
DNS_SECONDS = 120
PACKAGES = ("containerd", "runc", "iptables", "ipset", "iproute2", "openssl", "util-linux", "mount")
PROGRAMS = ("containerd", "ctr", "runc", "iptables", "ipset", "ip", "openssl", "setpriv", "unshare", "nsenter", "mount")
OTHER_PROGRAMS = "OBSERVABILITY_KUBERNETES_PROGRAMS"
"""Environment variable with a folder of Kubernetes' programs that a cluster of its own is made of, for tests."""
_HIDDEN = tuple(Path(p) for p in ("/run", "/var/run", "/var/lib", "/var/log"))
"""Where the node has directories of its own, so that the cluster's may not lie there."""
_ADDONS = Path(__file__).resolve().parent / "addons"


def build_cluster_daemon(context: Context, nodes: int = 1) -> Daemon:
    """The process that holds the cluster of so many nodes."""
    other = _find_other_programs(context)
    words = ["cluster", *([] if nodes == 1 else [str(nodes)]), *([other.name] if other else [])]
    return Daemon("cluster", context.cache.root / "-".join(words))


def _find_other_programs(context: Context) -> Path | None:
    return Path(named) if (named := context.environ.get(OTHER_PROGRAMS)) else None


def build_cluster_layout(context: Context, nodes: int = 1) -> Layout:
    """Where this cache's cluster of so many nodes lies; its programs need not be there."""
    programs = _find_other_programs(context) or KUBERNETES_PROGRAMS.find_path(context) / "bin"
    plugins = NETWORK_PLUGINS.find_path(context) / "root" / "usr" / "lib" / "cni"
    return Layout(build_cluster_daemon(context, nodes).directory, programs, plugins, nodes)


def find_kubeconfig(context: Context, nodes: int = 1) -> Path:
    """The kubeconfig of this cache's cluster; it is there while the cluster runs."""
    return build_cluster_layout(context, nodes).kubeconfig


def is_running(context: Context, nodes: int = 1) -> bool:
    """Whether the cluster runs and its nodes became Ready."""
    running = build_cluster_daemon(context, nodes).find_pid() is not None
    return running and build_cluster_layout(context, nodes).ready.exists()


def ensure_cluster(context: Context, specs: Iterable[ImageSpec], nodes: int = 1) -> Path:
    """A running cluster of so many nodes that hold these images; gives its kubeconfig."""
    with context.cache.lock("cluster"):
        layout = build_cluster_layout(context, nodes)
        started = not is_running(context, nodes)
        if started:
            _start_cluster(context, layout)
        _load_images(context, layout, [*OWN, *specs])
        if started or not _is_dns_ready(layout):
            _apply_addons(context, layout)
    return layout.kubeconfig


def stop_clusters(context: Context) -> bool:
    """Stop every cluster of this cache with all that runs in it; False when none runs."""
    folders = sorted(path for path in context.cache.root.glob("cluster*") if path.is_dir())
    return any([Daemon("cluster", folder).stop(seconds=30) for folder in folders])


def _start_cluster(context: Context, layout: Layout) -> None:
    _refuse_unsupported_host(context)
    if missing := [program for program in PROGRAMS if shutil.which(program) is None]:
        context.progress.say(f"the cluster needs {', '.join(missing)}: installing {', '.join(PACKAGES)} (apt-get)")
        install_packages(context, "cluster", PACKAGES, "see whether the distribution's mirror is reachable")
    KUBERNETES_PROGRAMS.ensure(context)
    NETWORK_PLUGINS.ensure(context)
    daemon = build_cluster_daemon(context, layout.node_count)
    daemon.stop(seconds=30)  # one that is half started
    layout.ready.unlink(missing_ok=True)
    layout.directory.mkdir(parents=True, exist_ok=True)
    layout.write(layout.directory / "layout.json")
    with context.progress.step("cluster: start"):
        daemon.start(build_runner_command(layout))
        daemon.await_ready(layout.ready.exists, seconds=START_SECONDS, advice=f"read the logs in {layout.logs}")


def build_runner_command(layout: Layout) -> list[str]:
    """The command of the process that is the cluster; it is started in / and has to find this package."""
    call = [sys.executable, "-m", "toolchain.cluster.runner", str(layout.directory / "layout.json")]
    return ["env", f"PYTHONPATH={HERE.parent}", *call]


def _refuse_unsupported_host(context: Context) -> None:
    advice = "name a cluster of yours with --context, or install kind"
    if not context.host.root:
        raise ToolchainError("a cluster from packages can be started by root alone", advice=advice)
    directory = context.cache.root.resolve()
    if hidden := next((h for h in _HIDDEN if directory.is_relative_to(h)), None):
        raise ToolchainError(
            f"the cluster would not find {directory}: its node has a {hidden} of its own",
            advice="set OBSERVABILITY_CACHE to another place",
        )


def _load_images(context: Context, layout: Layout, specs: Iterable[ImageSpec]) -> None:
    loader = build_node_loader(layout)

    def load_image(spec: ImageSpec, image: BuiltImage) -> None:
        if loader.load(spec, image):
            context.progress.say(f"{spec.name}: loaded as {spec.reference}")

    make_images(context, specs, load_image)


def _apply_addons(context: Context, layout: Layout) -> None:
    kubectl = [str(layout.programs / "kubectl"), f"--kubeconfig={layout.kubeconfig}"]
    with context.progress.step("cluster: name service and storage class"):
        run_command([*kubectl, "apply", "--filename", str(_ADDONS)])
        wait = ["--namespace=kube-system", "rollout", "status", "deployment/coredns", f"--timeout={DNS_SECONDS}s"]
        run_command([*kubectl, *wait], advice="python -m toolchain cluster --stop, then start it again")


def _is_dns_ready(layout: Layout) -> bool:
    """Whether the addons are there: a command that was interrupted may have left them out."""
    api = read_api(layout.kubeconfig)
    try:
        status = api.get("/apis/apps/v1/namespaces/kube-system/deployments/coredns")["status"]
    except OSError:
        return False
    return bool(status.get("readyReplicas"))
