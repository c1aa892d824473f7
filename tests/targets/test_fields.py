"""Each target says of every field of a Workload what it makes of it, and it is so."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest

from model.settings import DockerSettings, KubernetesSettings
from model.workload import Workload
from targets.docker import check as docker_check
from targets.docker import manifests as docker
from targets.docker.shared import Scope, format_inputs
from targets.fields import Fields
from targets.kubernetes import check as kubernetes_check
from targets.kubernetes import manifests as kubernetes
from targets.kubernetes import sidecar, storage
from targets.kubernetes.shared import ClusterScope
from tests.support.fields import FULL, leaves, variants
from tests.support.workloads import IMAGES, PLAIN


class AnyImage(dict[str, Any]):
    """Images under all names."""

    def __missing__(self, name: str) -> Any:
        return IMAGES["server"].model_copy(update={"repository": name})


SCOPE = Scope(
    stack="dev",
    settings=DockerSettings.model_validate({"externalNetworks": ("shop",)}),
    images=AnyImage(),
)
PLACE = ClusterScope(stack="dev", settings=KubernetesSettings.model_validate({"ingressClass": "x"}), images=AnyImage())


def of_docker(workload: Workload) -> str:
    """All that an engine is asked for."""
    return json.dumps(format_inputs(docker.build_workload_objects(SCOPE, workload)), sort_keys=True)


def of_kubernetes(workload: Workload) -> str:
    """All that is written of a workload on a cluster: objects, documents, and what these do not say."""
    made = [
        list(kubernetes.build_workload_objects(PLACE, workload)),
        storage.build_config_map(PLACE, workload),
        kubernetes.describe_workload(workload),
        sidecar.compute_restart_digest(PLACE, workload),
    ]
    return json.dumps(made, sort_keys=True)


@dataclass(frozen=True)
class Checked:
    """A target by its table, its pure half and its check."""

    fields: Fields
    ask: Callable[[Workload], str]
    check: Callable[[list[Workload]], list[str]]


TARGETS: Mapping[str, Checked] = {
    "docker": Checked(docker_check.FIELDS, of_docker, docker_check.check),
    "kubernetes": Checked(kubernetes_check.FIELDS, of_kubernetes, kubernetes_check.check),
}


def cases() -> Iterator[Any]:
    """Every field on every target."""
    for name in TARGETS:
        for path in dict.fromkeys(leaves()):
            yield pytest.param(TARGETS[name], path, id=f"{name}-{path}")


@pytest.mark.parametrize(("target", "path"), list(cases()))
def test_a_field_is_expressed_refused_or_idle(target: Checked, path: str) -> None:
    """What is expressed changes what the platform is asked for, what is idle does not, and nothing is unknown."""
    kinds = target.fields.find_kinds(path)
    assert kinds, "the target's table does not have it"
    changes = [target.ask(after) != target.ask(before) for before, after in variants(path)]
    assert changes
    if "expressed" in kinds:
        assert all(changes)
    elif "idle" in kinds:
        assert not any(changes) and target.fields.idle


REFUSED = {
    "docker": [
        (replace(PLAIN, replicas=2), "replicas"),
        (replace(PLAIN, access=FULL.access), "rights on its API"),
        (replace(PLAIN, field_refs=FULL.field_refs), "node-name"),
        (replace(PLAIN, args=("",)), "an argument is empty"),
        (replace(PLAIN, host_mounts=FULL.host_mounts), "without declaring"),
    ],
    "kubernetes": [
        (replace(PLAIN, restart_with=("a",)), "started anew"),
        (replace(PLAIN, shared_volumes=FULL.shared_volumes), "borrows the volumes logs"),
        (replace(PLAIN, ports=FULL.ports[:1]), "cannot be published"),
        (replace(PLAIN, host_mounts=FULL.host_mounts), "only node-level agents"),
    ],
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_never_expressed_is_refused_with_words(name: str) -> None:
    """Each field that only another platform has is a sentence about its workload."""
    target = TARGETS[name]
    for workload, words in REFUSED[name]:
        (said,) = target.check([workload])
        assert said.startswith("workload 'plain': ") and words in said


@pytest.mark.parametrize("name", TARGETS)
def test_a_field_that_is_only_refused_has_a_case_above(name: str) -> None:
    """No such field can be given without a sentence."""
    target = TARGETS[name]
    said = {path for path in leaves() if target.fields.find_kinds(path) == {"refused"}}
    assert said
    for top in {path.partition(".")[0] for path in said}:
        given: Any = {top: getattr(FULL, top) if top != "replicas" else 2}
        assert target.check([replace(PLAIN, **given)]), top


def test_a_table_names_no_field_that_is_none() -> None:
    """What a Workload no longer has is not in a table."""
    known = {path for leaf in leaves() for path in (leaf, *_above(leaf))}
    for target in TARGETS.values():
        table = target.fields
        assert {*table.expressed, *table.refused, *table.idle} <= known
        assert all(table.idle.values())


def _above(path: str) -> Iterator[str]:
    while path := path.rpartition(".")[0]:
        yield path


def test_the_nearest_entry_holds() -> None:
    """A field is as the one above it unless the table has it itself."""
    table = Fields(expressed=frozenset({"ports"}), refused={}, idle={"ports.udp": "why"})
    assert (table.find_kinds("ports.number"), table.find_kinds("ports.udp"), table.find_kinds("x")) == (
        {"expressed"},
        {"idle"},
        set(),
    )
