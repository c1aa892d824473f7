"""What a cluster has of a stack, compared with what is declared: the same plain data that `register` registers.

Two questions, both by reading. Does every declared value stand in the object as the API server gives it back?
Defaults that the server adds are not asked about. And which other fields belong to somebody who is neither this program
nor a controller? The server itself records whose each field is:
https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management. See docs/adr/0025.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from model.deviation import Deviation, Drift, format_value
from model.extra_objects import SECRETS
from model.naming import LABEL
from targets.kubernetes.ownership import Reference, get_reference
from targets.kubernetes.reading import list_labelled, read_objects
from targets.kubernetes.shared import Object, parse_quantity

CONTROLLERS = ("kube-", "kubelet", "cloud-controller-manager", "pulumi")
"""Begins of field managers that are no people: Kubernetes' own, and the provider."""
RESTART = "kubectl.kubernetes.io/restartedAt"
"""Left by `kubectl rollout restart`, which changes nothing of what runs."""
BY_HAND = "make up leaves fields that others added: kubectl edit"
KEYS = ("name", "mountPath", "containerPort", "port", "topologyKey", "uid")
"""What tells the entries of a list from each other, where they have it in common."""
_SKIPPED = frozenset({"apiVersion", "kind", "status"})


def compare_cluster(client: Any, stack: str, declared: Sequence[Object]) -> Drift:
    """Reads all that a stack declares, and what else has its label, and compares it."""
    references = sorted({get_reference(item) for item in declared})
    drift = compare_objects(declared, read_objects(client, references))
    namespaces = [item.name for item in references if item.kind == "Namespace"]
    within = [item for item in references if item.namespace]
    pods = [Reference("v1", "Pod", name, "") for name in namespaces]
    listed, unread = list_labelled(client, [*within, *pods], stack)
    return drift + list_extra(declared, listed, stack) + Drift(unread=tuple(unread))


def compare_objects(declared: Iterable[Object], answers: Mapping[Reference, Any]) -> Drift:
    """Everything that is not as declared.

    Args:
        declared: what the cluster is asked for.
        answers: the object itself by its reference, None where there is none, and a text where it cannot be read.
    """
    drift = Drift()
    for item in declared:
        reference = get_reference(item)
        answer = answers[reference]
        if isinstance(answer, str):
            drift += Drift(unread=(f"{reference} cannot be read: {answer}",))
        elif answer is None:
            drift += Drift(deviations=(_build(reference, "presence", "there", "missing"),))
        else:
            drift += Drift(deviations=tuple(compare_object(item, answer)))
    return drift


def list_extra(declared: Iterable[Object], listed: Iterable[Mapping[str, Any]], stack: str) -> Drift:
    """Objects with the stack's label that nobody declares; those of controllers have an owner.

    A claim that is left over holds data: it is worth knowing, and no drift.
    """
    known = {get_reference(item) for item in declared}
    deviations, notes = [], []
    for item in listed:
        reference, meta = get_reference(item), item["metadata"]
        ours = (meta.get("labels") or {}).get(f"{LABEL}.stack") == stack
        if not ours or reference in known or meta.get("ownerReferences") or meta.get("deletionTimestamp"):
            continue
        if reference.kind == "PersistentVolumeClaim":
            notes.append(f"{reference}: no part of the stack uses it any more; its data stays until it is deleted")
        else:
            deviations.append(
                _build(
                    reference,
                    "presence",
                    "not declared",
                    "there",
                    f"delete it: kubectl delete {reference.kind.lower()}",
                )
            )
    return Drift(deviations=tuple(deviations), notes=tuple(notes))


def compare_object(declared: Object, answer: Mapping[str, Any]) -> Iterator[Deviation]:
    """Every declared value that is another one, and every field that somebody added."""
    reference = get_reference(declared)
    if answer["metadata"].get("deletionTimestamp"):
        yield _build(reference, "presence", "there", "being deleted")
    meta = {key: declared["metadata"].get(key) or {} for key in ("labels", "annotations")}
    content = {key: value for key, value in declared.items() if key not in _SKIPPED | {"metadata"}}
    changed = [*_compare_values(content, answer, ""), *_compare_values({"metadata": meta}, answer, "")]
    for path, expected, running in changed:
        yield _build(reference, path, expected, running)
    for path, manager in _list_added(declared, answer):
        if not any(path.startswith(other) or other.startswith(path) for other, _, _ in changed):
            yield _build(reference, path, "not declared", f"there, by {manager}", BY_HAND)


def _build(reference: Reference, what: str, declared: Any, running: Any, repair: str = "") -> Deviation:
    place = f"{reference.namespace}/" if reference.namespace else ""
    more = {"repair": repair} if repair else {}
    return Deviation(
        kind=reference.kind, name=f"{place}{reference.name}", what=what, declared=format_value(declared),
        running=format_value(running), **more,
    )  # fmt: skip


# -- values ------------------------------------------------------------------------------------------------------------

Change = tuple[str, Any, Any]
"""The path of a field, what is declared, and what is there."""


def _compare_values(declared: Any, running: Any, path: str) -> Iterator[Change]:
    if isinstance(declared, Mapping):
        yield from _compare_mappings(declared, running, path)
    elif isinstance(declared, (list, tuple)):
        yield from _compare_lists(declared, running if isinstance(running, list) else [], path)
    elif not _is_same(declared, running):
        yield path, declared, "missing" if running is None else running


def _compare_mappings(declared: Mapping[str, Any], running: Any, path: str) -> Iterator[Change]:
    there = running if isinstance(running, Mapping) else {}
    for key, value in declared.items():
        if key == "volumeClaimTemplates":
            continue  # it is given once, and says nothing of volumes that are there
        if key == "name" and (value == SECRETS or path.endswith(".secret")):
            continue  # a Secret of other content has another end to its name
        yield from _compare_values(value, there.get(key), f"{path}.{key}" if path else key)


def _compare_lists(declared: Sequence[Any], running: Sequence[Any], path: str) -> Iterator[Change]:
    key = _find_key(declared)
    if key is None:
        if len(declared) != len(running):
            yield path, f"{len(declared)} entries", f"{len(running)} entries"
            return
        for number, (value, other) in enumerate(zip(declared, running, strict=True)):
            yield from _compare_values(value, other, f"{path}[{number}]")
        return
    there = {item.get(key): item for item in running if isinstance(item, Mapping)}
    for item in declared:
        where = f"{path}[{item[key]}]"
        if item[key] in there:
            yield from _compare_values(item, there[item[key]], where)
        else:
            yield where, "there", "missing"
    names = {item[key] for item in declared}
    # a service account's token comes by itself where there is one
    for name in there.keys() - names:
        if not str(name).startswith("kube-api-access-"):
            yield f"{path}[{name}]", "not declared", "there"


def _find_key(items: Sequence[Any]) -> str | None:
    for key in KEYS:
        values = [item.get(key) for item in items if isinstance(item, Mapping)]
        if values and len(values) == len(items) and None not in values and len(set(map(str, values))) == len(values):
            return key
    return None


def _is_same(declared: Any, running: Any) -> bool:
    """Numbers and quantities are compared by what they mean; an empty text is one that is not there."""
    if declared == running or (declared in ("", None, False) and running in ("", None, False)):
        return True
    if isinstance(declared, bool) or isinstance(running, bool) or running is None:
        return False
    one, other = _parse_quantity(declared), _parse_quantity(running)
    return one is not None and one == other


def _parse_quantity(value: Any) -> float | None:
    try:
        return parse_quantity(str(value))
    except ValueError:
        return None


# -- whose a field is --------------------------------------------------------------------------------------------------


def _list_added(declared: Object, answer: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Paths of fields that belong to somebody else and are not declared, and to whom."""
    for entry in answer["metadata"].get("managedFields") or ():
        manager = str(entry.get("manager", ""))
        if manager.startswith(CONTROLLERS) or entry.get("subresource") == "status":
            continue
        for path in _list_paths(entry.get("fieldsV1") or {}):
            first = path[0] if path else ""
            if first not in ("metadata", *_SKIPPED, "") and RESTART not in path and not _is_declared(declared, path):
                yield ".".join(path).replace(".[", "["), manager


def _list_paths(fields: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The leaves of `fieldsV1`: `f:` is a field, `k:` an entry of a list by its key, `v:` one by its value."""
    inner = {key: value for key, value in fields.items() if key != "."}
    if not inner:
        yield path
    for key, value in inner.items():
        kind, _, name = key.partition(":")
        yield from _list_paths(value or {}, (*path, name if kind == "f" else f"[{name}]"))


def _is_declared(value: Any, path: Sequence[str]) -> bool:
    """Whether a path leads through declared values."""
    if not path:
        return True
    first, rest = path[0], path[1:]
    if isinstance(value, (list, tuple)):
        entry = _find_entry(value, first)
        return entry is not None and _is_declared(entry, rest)
    return isinstance(value, Mapping) and first in value and _is_declared(value[first], rest)


def _find_entry(items: Sequence[Any], part: str) -> Any:
    """The entry that a key such as `[{"name":"loki"}]` means; None where nobody declares one."""
    wanted = json.loads(part.removeprefix("[").removesuffix("]"))
    for item in items:
        if item == wanted or (
            isinstance(item, Mapping)
            and isinstance(wanted, Mapping)
            and all(key not in item or str(item[key]) == str(value) for key, value in wanted.items())
        ):
            return item
    return None
