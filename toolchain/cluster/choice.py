"""Which cluster: the one that was named, else one by kind, else our own from packages."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from toolchain import plan, upstream, validators
from toolchain.assemble import find_image_path
from toolchain.cluster.images import Loader
from toolchain.cluster.service import (
    MOST_NODES,
    build_cluster_daemon,
    ensure_cluster,
    find_kubeconfig,
    is_running,
)
from toolchain.context import Context
from toolchain.errors import ToolchainError
from toolchain.host import find_program
from toolchain.images import ImageSpec
from toolchain.prerequisites import make_images
from toolchain.recipes import CLUSTER_SOURCES, RECIPES
from toolchain.run import run_command

ANSWER_SECONDS = 10
KIND_NAME = "observability"
KIND_IMAGE = ImageSpec("kindest-node", "kindest/node", "latest", None)
"""Asked for to learn whether kind's images can be had; kind itself takes the one of its own release."""


@dataclass(frozen=True)
class ClusterChoice:
    """A cluster that answers: its kubeconfig, and the context in it where that is not the current one.

    `built` names the images that were made from packages for it; empty where it pulls them itself.
    """

    kubeconfig: Path
    context: str | None = None
    built: tuple[str, ...] = ()

    def write(self, path: Path) -> None:
        """Write it as JSON."""
        document = {"kubeconfig": str(self.kubeconfig), "context": self.context, "built": list(self.built)}
        path.write_text(json.dumps(document) + "\n", encoding="utf-8")


def choose_cluster(context: Context, specs: Iterable[ImageSpec], *, named: str | None, nodes: int = 1) -> ClusterChoice:
    """A cluster to use. Raises ToolchainError when the one that was named does not answer.

    Several nodes are always those of a cluster of our own, which its kubeconfig names too.
    """
    buildable = [spec for spec in specs if spec.name in RECIPES]
    if nodes == 1:
        nodes = _count_own_nodes(context)
    if nodes > 1:
        return _have_own(context, buildable, nodes)
    if (existing := find_named_cluster(context, named)) is not None:
        _check_answer(context, existing)
        return existing
    if not is_running(context) and _has_kind(context):
        return _start_kind(context, [spec for spec in buildable if upstream.is_local(spec)])
    return _have_own(context, buildable)


def _have_own(context: Context, buildable: list[ImageSpec], nodes: int = 1) -> ClusterChoice:
    built = tuple(spec.name for spec in buildable)
    if is_running(context, nodes):
        return ClusterChoice(ensure_cluster(context, buildable, nodes), built=built)
    why = "no cluster was named and kind is of no use here: a cluster of one node"
    context.progress.say(f"{why if nodes == 1 else f'a cluster of {nodes} nodes'}, from packages")
    absent = [spec for spec in buildable if not find_image_path(context, spec).is_dir()]
    with plan.following_plan(context, plan.plan_sources(context, CLUSTER_SOURCES) + plan.plan_images(context, absent)):
        return ClusterChoice(ensure_cluster(context, buildable, nodes), built=built)


def find_named_cluster(context: Context, named: str | None) -> ClusterChoice | None:
    """The cluster that --context or KUBECONFIG names; our own kubeconfig there means no choice was made."""
    listed = _list_kubeconfigs(context)
    if len(listed) > 1:
        raise ToolchainError("KUBECONFIG names several files", advice="name one, with the context in it")
    own = {find_kubeconfig(context), _find_kind_kubeconfig(context)}
    if listed and listed[0] not in own:
        return ClusterChoice(listed[0], named)
    if named is None:
        return None
    return ClusterChoice(
        listed[0] if listed else Path(context.environ.get("HOME", "~")).expanduser() / ".kube/config", named
    )


def _list_kubeconfigs(context: Context) -> list[Path]:
    return [Path(p) for p in context.environ.get("KUBECONFIG", "").split(":") if p]


def _count_own_nodes(context: Context) -> int:
    """How many nodes our own cluster has that KUBECONFIG names; 1 where it names none of these."""
    several = range(2, MOST_NODES + 1)
    named = ((path, nodes) for path in _list_kubeconfigs(context) for nodes in several)
    return next((nodes for path, nodes in named if path == find_kubeconfig(context, nodes)), 1)


def _check_answer(context: Context, chosen: ClusterChoice) -> None:
    kubectl = validators.ensure_validator(context, "kubectl")
    which = [f"--context={chosen.context}"] if chosen.context else []
    ask = [*which, f"--request-timeout={ANSWER_SECONDS}s", "get", "--raw", "/readyz"]
    if not chosen.kubeconfig.is_file():
        raise ToolchainError(f"there is no kubeconfig {chosen.kubeconfig}", advice="set KUBECONFIG to the right file")
    advice = f"look at: kubectl --kubeconfig={chosen.kubeconfig} config get-contexts"
    run_command([str(kubectl), f"--kubeconfig={chosen.kubeconfig}", *ask], advice=advice, timeout=ANSWER_SECONDS + 5)


def _find_kind_kubeconfig(context: Context) -> Path:
    return build_cluster_daemon(context).directory / "kind.kubeconfig"


def _has_kind(context: Context) -> bool:
    program = find_program("kind", context.environ, outside=context.cache.root)
    return program is not None and not upstream.find_unreachable([KIND_IMAGE])


def _start_kind(context: Context, local: list[ImageSpec]) -> ClusterChoice:
    """A cluster by kind with our own images in it; it pulls the others itself."""
    kubeconfig, name = _find_kind_kubeconfig(context), f"--name={KIND_NAME}"
    directory = kubeconfig.parent
    directory.mkdir(parents=True, exist_ok=True)
    if KIND_NAME not in run_command(["kind", "get", "clusters"]).split():
        (directory / "kind-loaded.json").unlink(missing_ok=True)
        with context.progress.step("cluster: kind create cluster"):
            run_command(["kind", "create", "cluster", name, f"--kubeconfig={kubeconfig}", "--wait=180s"])
    kubeconfig.chmod(0o600)

    def load_archive(archive: Path) -> None:
        run_command(["kind", "load", "image-archive", name, str(archive)])

    loader = Loader(directory / "scratch", directory / "kind-loaded.json", load_archive)
    make_images(context, local, loader.load)
    return ClusterChoice(kubeconfig)


def stop_kind(context: Context) -> bool:
    """Remove the cluster that kind made; False when there is none."""
    kubeconfig = _find_kind_kubeconfig(context)
    if not kubeconfig.exists():
        return False
    run_command(["kind", "delete", "cluster", f"--name={KIND_NAME}", f"--kubeconfig={kubeconfig}"])
    kubeconfig.unlink(missing_ok=True)
    return True
