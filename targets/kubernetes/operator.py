"""Asks a cluster whether an operator is there that will read a stack's objects, and judges them as it would.

Everything is told before the first object is touched: missing CustomResourceDefinitions, objects that these would not
take, labels that no Prometheus of the operator selects, rules that promtool refuses.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from kubernetes.client.exceptions import ApiException  # type: ignore[import-untyped]  # it publishes no types

from model.extra_objects import ExtraObject
from model.operator import GROUP
from targets.kubernetes import manifests, shared
from targets.kubernetes.api import ask_api
from targets.kubernetes.shared import ClusterScope
from targets.kubernetes.structural import check_value as misfits

SECONDS = 5
"""How long the cluster may take for an answer: a definition has up to a megabyte."""
CHART = "the chart kube-prometheus-stack"
PROMTOOL_SECONDS = 60
SELECTED_BY = {
    "ServiceMonitor": ("prometheuses", "serviceMonitor"),
    "PodMonitor": ("prometheuses", "podMonitor"),
    "Probe": ("prometheuses", "probe"),
    "ScrapeConfig": ("prometheuses", "scrapeConfig"),
    "PrometheusRule": ("prometheuses", "rule"),
    "AlertmanagerConfig": ("alertmanagers", "alertmanagerConfig"),
}
"""For each kind the resource that selects its objects, and the beginning of the names of its two selectors."""
Definition = Mapping[str, Any]


def pluralize_kind(kind: str) -> str:
    """The name of a kind in addresses: `ServiceMonitor` is `servicemonitors`, `Prometheus` is `prometheuses`."""
    return kind.lower() + ("es" if kind.endswith("s") else "s")


def list_kinds(extra_objects: Sequence[ExtraObject]) -> list[str]:
    """The kinds of the operator's API among the objects."""
    return sorted({item.kind for item in extra_objects if item.api.startswith(GROUP)})


def check_operator(client: Any, scope: ClusterScope, extra_objects: Sequence[ExtraObject]) -> list[str]:
    """Everything that stands in the way of the objects, as sentences."""
    if not list_kinds(extra_objects):
        return []
    definitions = {kind: find_definition(client, kind) for kind in list_kinds(extra_objects)}
    missing = [f"{pluralize_kind(kind)}.{GROUP}" for kind, item in definitions.items() if item is None]
    if missing:
        text = (
            "no Prometheus Operator is installed"
            if len(missing) == len(definitions)
            else "the Prometheus Operator is old"
        )
        return [
            f"{text}: the cluster does not know {', '.join(missing)}; install it (such as by {CHART}),"
            " or let the stack run its own with prometheus.mode: own"
        ]
    known = {kind: item for kind, item in definitions.items() if item is not None}
    return [
        *check_schemas(known, extra_objects),
        *check_selectors(client, scope, extra_objects),
        *check_rules(extra_objects),
    ]


def find_definition(client: Any, kind: str) -> Definition | None:
    """The CustomResourceDefinition of a kind; None when the cluster has none."""
    document: Definition | None = _get_document(
        client, f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{pluralize_kind(kind)}.{GROUP}"
    )
    return document


def check_schemas(definitions: Mapping[str, Definition], extra_objects: Sequence[ExtraObject]) -> Iterator[str]:
    """What the definitions' own schemas say of the objects."""
    for item in extra_objects:
        if item.kind not in definitions:
            continue
        version = item.api.partition("/")[2]
        served = {v["name"]: v for v in definitions[item.kind]["spec"]["versions"] if v["served"]}
        if version not in served:
            yield f"{item.kind} {item.name}: the operator serves it as {', '.join(served)}, and not as {version}"
            continue
        schema = served[version]["schema"]["openAPIV3Schema"]
        spec = {"properties": {"spec": schema["properties"]["spec"]}, "required": ["spec"], "type": "object"}
        yield from (f"{item.kind} {item.name}: {text}" for text in misfits(item.body, spec))


# -- selection -------------------------------------------------------------------------------------------------------


def check_selectors(client: Any, scope: ClusterScope, extra_objects: Sequence[ExtraObject]) -> Iterator[str]:
    """Kinds whose objects would be read by nobody, by the selectors of whatever the operator runs.

    Where this user may not look, the operator's own log tells.
    """
    stack_labels = shared.build_metadata(scope, scope.namespace, None)["labels"]
    namespace_labels = {**stack_labels, "kubernetes.io/metadata.name": scope.namespace}
    running: dict[str, list[Any] | None] = {}
    for kind in list_kinds(extra_objects):
        resource, prefix = SELECTED_BY[kind]
        if resource not in running:
            running[resource] = _list_resources(client, resource)
        readers = running[resource]
        first = next(item for item in extra_objects if item.kind == kind)
        labels = manifests.build_extra_object(scope, first)["metadata"]["labels"]
        if readers is not None and not any(
            _selects_object(reader, prefix, scope, namespace_labels, labels) for reader in readers
        ):
            names = ", ".join(f"{r['metadata']['namespace']}/{r['metadata']['name']}" for r in readers) or "none at all"
            labels_text = ", ".join(f"{key}={value}" for key, value in sorted(first.labels.items()))
            yield (
                f"no object of {resource}.{GROUP} ({names}) selects {pluralize_kind(kind)} labelled {labels_text}"
                f" in namespace {scope.namespace}; set prometheus.operator.labels and kubernetes.labels to what its"
                f" {prefix}Selector and {prefix}NamespaceSelector ask for"
            )


def _list_resources(client: Any, resource: str) -> list[Any] | None:
    try:
        answer = _get_document(client, f"/apis/{GROUP}/v1/{resource}")
    except ApiException as error:
        if error.status == 403:
            return None
        raise
    return list(answer["items"]) if answer else []


def _selects_object(
    reader: Mapping[str, Any],
    prefix: str,
    scope: ClusterScope,
    namespace_labels: Mapping[str, str],
    labels: Mapping[str, str],
) -> bool:
    spec, own = reader["spec"], reader["metadata"]["namespace"]
    selector = spec.get(f"{prefix}NamespaceSelector")
    there = own == scope.namespace if selector is None else matches_labels(selector, namespace_labels)
    return there and matches_labels(spec.get(f"{prefix}Selector"), labels)


def matches_labels(selector: Mapping[str, Any] | None, labels: Mapping[str, str]) -> bool:
    """Whether a label selector takes something with these labels; an absent one takes nothing, an empty one all.

    Source: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors
    """
    if selector is None:
        return False
    plain = all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items())
    return plain and all(_meets_expression(item, labels) for item in selector.get("matchExpressions", ()))


def _meets_expression(item: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    key, values = item["key"], item.get("values", ())
    return {
        "In": key in labels and labels.get(key) in values,
        "NotIn": labels.get(key) not in values,
        "Exists": key in labels,
        "DoesNotExist": key not in labels,
    }[item["operator"]]


# -- rules -----------------------------------------------------------------------------------------------------------


def check_rules(extra_objects: Sequence[ExtraObject]) -> Iterator[str]:
    """What promtool says of the rules; it is asked here, as no process of ours will be."""
    rules = [item for item in extra_objects if item.kind == "PrometheusRule"]
    if not rules:
        return
    program = shutil.which("promtool")
    if program is None:
        yield 'no promtool judges the rules; put it on the PATH: eval "$(python -m toolchain env)" after make toolchain'
        return
    with tempfile.TemporaryDirectory() as folder:
        names = [f"{item.name}.yml" for item in rules]
        for name, item in zip(names, rules, strict=True):
            text = yaml.safe_dump(json.loads(json.dumps(item.body["spec"])))
            (Path(folder) / name).write_text(text, encoding="utf-8")
        done = subprocess.run(
            [program, "check", "rules", "--lint=none", *names],
            cwd=folder, capture_output=True, text=True, check=False, timeout=PROMTOOL_SECONDS,
        )  # fmt: skip
        if done.returncode:
            yield f"promtool refuses the rules: {' '.join(done.stderr.split())}"


# -- the API ---------------------------------------------------------------------------------------------------------


def _get_document(client: Any, path: str) -> Any:
    """An answer; None when there is no such thing."""
    try:
        return ask_api(client, path, seconds=SECONDS)
    except ApiException as error:
        if error.status == 404:
            return None
        raise
