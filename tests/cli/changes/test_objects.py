"""What a cluster replaces, and what it changes in place."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from cli.changes.objects import compare_objects
from cli.changes.values import Change, Detail
from tests.support.yaml_files import write_yaml

SET: dict[str, Any] = {
    "kind": "StatefulSet",
    "metadata": {"name": "loki", "namespace": "m"},
    "spec": {
        "replicas": 1,
        "serviceName": "loki",
        "template": {"spec": {"containers": [{"name": "loki", "image": "loki:1", "args": ["--a=1"],
                                              "resources": {"limits": {"memory": "1Gi"}}}]}},
    },
}  # fmt: skip
CLAIM: dict[str, Any] = {
    "kind": "PersistentVolumeClaim",
    "metadata": {"name": "loki-data", "namespace": "m"},
    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "10Gi"}}},
}
SERVICE: dict[str, Any] = {
    "kind": "Service",
    "metadata": {"name": "loki"},
    "spec": {"clusterIP": "None", "ports": [80]},
}


def changed(item: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """An object with another value at a path."""
    made = copy.deepcopy(item)
    *above, last = path.split(".")
    inner: Any = made
    for key in above:
        inner = inner[int(key)] if key.isdigit() else inner[key]
    inner[last] = value
    return made


def compare(before: Any, after: Any) -> dict[str, Change]:
    """The changes of one document by area and verb."""
    sides = ({"kubernetes/loki.yaml": write_yaml(item)} if item else {} for item in (before, after))
    return {f"{item.area}: {item.verb}": item for item in compare_objects(*sides)}


INSIDE = "spec.template.spec.containers.0"


def test_a_template_gives_new_pods() -> None:
    """One pod is away for a while, several follow one another."""
    changes = compare(SET, changed(SET, f"{INSIDE}.args", ["--a=2"]))
    assert changes["downtime: gets new pods"].details == (Detail("containers[loki].args --a", "1", "2"),)
    assert changes["downtime: gets new pods"].note.startswith("Log lines")
    three = changed(SET, "spec.replicas", 3)
    assert compare(three, changed(three, f"{INSIDE}.args", []))["downtime: gets new pods"].note.startswith("One pod")


def test_limits_and_replicas_have_their_area() -> None:
    """Each with both values."""
    changes = compare(SET, changed(SET, f"{INSIDE}.resources", {"limits": {"memory": "2Gi"}}))
    assert changes["resources: changes"].details == (Detail("loki.limits.memory", "1Gi", "2Gi"),)
    assert changes["downtime: gets new pods"].details == (Detail("another limit"),)
    assert compare(SET, changed(SET, "spec.replicas", 2)).keys() == {"resources: changes"}


@pytest.mark.parametrize(
    ("item", "path", "name"),
    [
        (SET, "spec.serviceName", "downtime: is deleted and made anew"),
        (SERVICE, "spec.clusterIP", "settings: is deleted and made anew"),
        (SERVICE, "spec.ports", "settings: changes"),
        (SET, "spec.x", "settings: changes"),
    ],
)
def test_some_fields_force_another_object(item: Any, path: str, name: str) -> None:
    """Those that the provider cannot change; all others change in place."""
    assert list(compare(item, changed(item, path, "x"))) == [name]


@pytest.mark.parametrize(
    ("after", "name", "words"),
    [
        (None, "data: is no longer used", "nothing reads"),
        (changed(CLAIM, "spec.accessModes", ["ReadWriteMany"]), "data: changes", "removed with its data"),
        (changed(CLAIM, "spec.resources.requests.storage", "5Gi"), "data: changes", "smaller"),
        (changed(CLAIM, "spec.resources.requests.storage", "20Gi"), "resources: changes", ""),
    ],
)
def test_claims_say_what_comes_of_their_data(after: Any, name: str, words: str) -> None:
    """One that is gone, bound otherwise, smaller; a larger one is only a resource."""
    changes = compare(CLAIM, after)
    assert list(changes) == [name] and words in changes[name].note
    assert list(compare(None, CLAIM)) == ["data: is new"]


def test_objects_come_and_go() -> None:
    """What runs is a part of the stack; ConfigMaps of documents repeat them; rules are compared elsewhere."""
    assert list(compare(None, SET)) == ["downtime: is new"] and list(compare(SERVICE, None)) == ["settings: is removed"]
    assert not list(compare_objects({}, {"kubernetes/loki-config.yaml": write_yaml(SERVICE)}))
    assert not compare(None, {"kind": "PrometheusRule", "metadata": {"name": "x"}})
