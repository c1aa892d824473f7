"""What a cluster does to the objects of a stack."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cli.changes.parts import ROLLING, explain_absence
from cli.changes.values import (
    CHANGED,
    DATA,
    DOWNTIME,
    GONE,
    NEW,
    RESOURCES,
    SETTINGS,
    Change,
    Detail,
    Documents,
    compare_values,
    list_changed,
    parse_amount,
    parse_documents,
)

FOLDER = "kubernetes/"
CONFIG = "-config.yaml"
"""How documents of ConfigMaps end, which repeat what others say."""
_STATEFUL = ("podManagementPolicy", "revisionHistoryLimit", "selector", "serviceName", "volumeClaimTemplates")
_BOUND = ("accessModes", "selector", "storageClassName", "volumeName")
FORCED: Mapping[str, tuple[str, ...]] = {
    "StatefulSet": tuple(f"spec.{name}" for name in _STATEFUL),
    "Deployment": ("spec.selector",),
    "DaemonSet": ("spec.selector",),
    "Job": ("spec.completions", "spec.parallelism", "spec.selector", "spec.template"),
    "PersistentVolumeClaim": tuple(f"spec.{name}" for name in _BOUND),
    "PodDisruptionBudget": ("spec",),
    "RoleBinding": ("roleRef",),
    "ClusterRoleBinding": ("roleRef",),
    "Service": ("spec.clusterIP",),
    "StorageClass": ("parameters", "provisioner"),
    "Secret": ("type",),
}
"""Fields by kind that force another object. Source: provider/pkg/provider/diff.go of pulumi-kubernetes 4.32."""
_RUNNING = ("Deployment", "StatefulSet", "DaemonSet")
_COVERED = ("PrometheusRule", "AlertmanagerConfig")
"""Kinds that are compared rule by rule, or route by route."""
_CLAIM = "PersistentVolumeClaim"
_Key = tuple[str, str, str]


def compare_objects(before: Documents, after: Documents) -> Iterator[Change]:
    """Claims, then what runs, then all other objects."""
    old, new = _list_objects(before, after), _list_objects(after, before)
    for key in sorted(old.keys() | new.keys(), key=lambda key: (key[0] != _CLAIM, key[0] not in _RUNNING, key)):
        one, other = old.get(key), new.get(key)
        if one == other or key[0] in _COVERED:
            continue
        if key[0] == _CLAIM:
            yield from _compare_claims(key[2], one, other)
        elif one is None or other is None:
            yield _describe_whole(key, one, other)
        elif key[0] in _RUNNING:
            yield from _compare_running(key, one, other)
        else:
            yield _compare_plain(key, one, other)


def _list_objects(documents: Documents, others: Documents) -> dict[_Key, dict[str, Any]]:
    """Objects by kind, namespace and name, of those documents that are not in `others` as they are."""
    paths = [path for path in list_changed(documents, others, FOLDER) if not path.endswith(CONFIG)]
    every = (item for path in paths for item in parse_documents(documents.get(path, "")))
    return {(str(item["kind"]), str(_get(item, "namespace")), str(_get(item, "name"))): item for item in every}


def _get(item: Mapping[str, Any], key: str) -> Any:
    return (item.get("metadata") or {}).get(key) or ""


def _describe_whole(key: _Key, one: Any, other: Any) -> Change:
    """An object that is new or gone; what runs is a part of the stack."""
    area, verb = DOWNTIME if key[0] in _RUNNING else SETTINGS, NEW if one is None else GONE
    return Change(area, verb, key[2] if area == DOWNTIME else f"{key[0]} {key[2]}")


def _compare_plain(key: _Key, one: Mapping[str, Any], other: Mapping[str, Any]) -> Change:
    details = tuple(compare_values(one, other))
    verb = "is deleted and made anew" if _is_forced(key[0], details) else CHANGED
    return Change(SETTINGS, verb, f"{key[0]} {key[2]}", details)


def _is_forced(kind: str, details: tuple[Detail, ...]) -> bool:
    return any(item.name == path or item.name.startswith((f"{path}.", f"{path}[")) for item in details
               for path in FORCED.get(kind, ()))  # fmt: skip


def _compare_claims(name: str, one: Any, other: Any) -> Iterator[Change]:
    if other is None:
        note = "It stays with its data, and nothing reads them any more."
        yield Change(DATA, "is no longer used", f"claim {name}", (), note)
    elif one is None:
        yield Change(DATA, NEW, f"claim {name}", tuple(compare_values({}, _list_claimed(other))), "It begins empty.")
    else:
        details = tuple(compare_values(one, other))
        sizes = [parse_amount(str(_list_claimed(item).get("storage"))) or 0 for item in (one, other)]
        if _is_forced(_CLAIM, details):
            note = "A claim cannot be changed so: the run fails until it is removed with its data."
            yield Change(DATA, CHANGED, f"claim {name}", details, note)
        elif sizes[1] < sizes[0]:
            yield Change(DATA, CHANGED, f"claim {name}", details, "A claim cannot become smaller: the run fails.")
        else:
            yield Change(RESOURCES, CHANGED, f"claim {name}", details)


def _list_claimed(claim: Mapping[str, Any]) -> dict[str, Any]:
    spec = claim.get("spec") or {}
    storage = ((spec.get("resources") or {}).get("requests") or {}).get("storage")
    return {
        key: value for key, value in (("storage", storage), ("storageClassName", spec.get("storageClassName"))) if value
    }


def _compare_running(key: _Key, one: Mapping[str, Any], other: Mapping[str, Any]) -> Iterator[Change]:
    """Whether pods are replaced, then their images, limits and number."""
    kind, _, name = key
    details = tuple(compare_values(one, other))
    inside = tuple(item for item in details if item.name.startswith("spec.template."))
    if _is_forced(kind, details):
        yield Change(DOWNTIME, "is deleted and made anew", name, details, explain_absence(name))
    elif inside:
        shown = tuple(dict.fromkeys(_shorten_detail(item) for item in inside))
        yield Change(DOWNTIME, "gets new pods", name, shown, ROLLING if _is_rolling(other) else explain_absence(name))
    limits = tuple(compare_values(_list_limits(one), _list_limits(other)))
    counts = tuple(item for item in details if item.name == "spec.replicas")
    if limits or counts:
        yield Change(RESOURCES, CHANGED, f"limits of {name}" if limits else name, (*limits, *counts))
    rest = tuple(item for item in details if item not in (*inside, *counts))
    if rest and not _is_forced(kind, details):
        yield Change(SETTINGS, CHANGED, f"{kind} {name}", rest)


def _is_rolling(item: Mapping[str, Any]) -> bool:
    spec = item["spec"]
    recreated = (spec.get("strategy") or {}).get("type") == "Recreate"
    return not recreated and item["kind"] != "DaemonSet" and int(spec.get("replicas", 1)) > 1


def _list_limits(item: Mapping[str, Any]) -> dict[str, Any]:
    """Limits and requests of the containers that run as long as their pod, by the container's name."""
    containers = ((item["spec"].get("template") or {}).get("spec") or {}).get("containers") or ()
    return {str(each["name"]): each["resources"] for each in containers if each.get("resources")}


def _shorten_detail(item: Detail) -> Detail:
    if ".resources" in item.name:
        return Detail("another limit")
    return Detail(item.name.removeprefix("spec.template.").removeprefix("spec."), item.before, item.after)
