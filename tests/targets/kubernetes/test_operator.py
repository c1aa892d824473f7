"""Whether an operator is there that will read a stack's objects, asked of an API that a test answers for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from kubernetes.client.exceptions import ApiException  # type: ignore[import-untyped]  # it publishes no types

from model.extra_objects import ExtraObject
from model.operator import GROUP
from model.settings import KubernetesSettings
from targets.kubernetes.operator import check_operator, check_rules, check_schemas, matches_labels
from targets.kubernetes.shared import ClusterScope
from tests.support.operators import definition
from tests.support.validating import tool
from tests.support.workloads import IMAGES

PLACE = ClusterScope(stack="dev", settings=KubernetesSettings(), images=IMAGES)
API = f"{GROUP}/v1"
RULE = ExtraObject(
    api=API, kind="PrometheusRule", name="api", labels={"release": "k"},
    body={"spec": {"groups": [{"name": "api", "rules": [{"record": "a:b:c", "expr": "up"}]}]}},
)  # fmt: skip
MONITOR = ExtraObject(
    api=API, kind="ServiceMonitor", name="api", labels={"release": "k"},
    body={"spec": {"selector": {"matchLabels": {"a": "b"}}, "endpoints": [{"targetPort": 80, "interval": "15s"}]}},
)  # fmt: skip
ANY: dict[str, Any] = {}


def prometheus(**spec: Any) -> dict[str, Any]:
    """A Prometheus of the operator that selects everything, unless said otherwise."""
    every = {f"{kind}{part}": ANY for kind in ("rule", "serviceMonitor") for part in ("Selector", "NamespaceSelector")}
    return {"metadata": {"name": "k8s", "namespace": "monitoring"}, "spec": {**every, **spec}}


class Cluster:
    """An API that knows some definitions and what runs by them."""

    def __init__(self, *kinds: str, running: list[dict[str, Any]] | None = None, forbidden: bool = False) -> None:
        self._kinds, self._forbidden = kinds, forbidden
        self._running = [prometheus()] if running is None else running

    def call_api(self, path: str, method: str, **_: Any) -> Any:
        """A definition, or the list of what runs."""
        assert method == "GET"
        last = path.rpartition("/")[2]
        if last == "prometheuses":
            if self._forbidden:
                raise ApiException(status=403)
            return SimpleNamespace(data=json.dumps({"items": self._running}).encode())
        for kind in self._kinds:
            if last == f"{kind.lower()}s.monitoring.coreos.com":
                return SimpleNamespace(data=json.dumps(definition(kind)).encode())
        raise ApiException(status=404)


@pytest.fixture(autouse=True)
def _promtool(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tool("promtool").parent))


def test_nothing_is_asked_without_an_operator() -> None:
    """A stack with a Prometheus of its own has no objects, and no API is asked."""
    assert check_operator(None, PLACE, []) == []


def test_nothing_is_in_the_way() -> None:
    """Definitions that take the objects, a Prometheus that selects them, rules that promtool takes."""
    assert check_operator(Cluster("PrometheusRule", "ServiceMonitor"), PLACE, [RULE, MONITOR]) == []


def test_a_missing_operator_is_one_message() -> None:
    """With what is missing, and both ways out."""
    (found,) = check_operator(Cluster(), PLACE, [RULE, MONITOR])
    assert found.startswith("no Prometheus Operator is installed: the cluster does not know prometheusrules.monitoring")
    assert "servicemonitors.monitoring.coreos.com" in found and "kube-prometheus-stack" in found
    assert "prometheus.mode: own" in found


def test_an_old_operator_is_told_so() -> None:
    """When only some definitions are missing."""
    (found,) = check_operator(Cluster("PrometheusRule"), PLACE, [RULE, MONITOR])
    assert "Operator is old: the cluster does not know servicemonitors.monitoring.coreos.com;" in found


@pytest.mark.parametrize(
    ("endpoint", "text"),
    [
        ({"interval": "15 s"}, 'spec.endpoints[0].interval: "15 s" must match ^(0|'),
        ({"interval": "often"}, 'spec.endpoints[0].interval: "often" must match'),
        ({"intervall": "15s"}, "spec.endpoints[0].intervall: unknown field 'intervall'; did you mean 'interval'?"),
        ({"scheme": "ftp"}, 'spec.endpoints[0].scheme: "ftp" is not known'),
        ({"honorLabels": "yes"}, 'spec.endpoints[0].honorLabels: "yes" must be of type boolean'),
        ({"relabelings": [{"action": "kep"}]}, 'relabelings[0].action: "kep" is not known; did you mean'),
    ],
    ids=str,
)
def test_the_real_definition_refuses(endpoint: Mapping[str, Any], text: str) -> None:
    """A wrong interval, field or value, with its object, path and value."""
    bad = replace(MONITOR, body={"spec": {**MONITOR.body["spec"], "endpoints": [endpoint]}})
    (found,) = check_operator(Cluster("ServiceMonitor"), PLACE, [bad])
    assert found.startswith("ServiceMonitor api: ") and text in found


def test_a_version_that_is_not_served_is_told() -> None:
    """With those that are."""
    (found,) = check_schemas(
        {"ServiceMonitor": definition("ServiceMonitor")}, [replace(MONITOR, api="monitoring.coreos.com/v2")]
    )
    assert found == "ServiceMonitor api: the operator serves it as v1, and not as v2"


def test_objects_that_nobody_would_read_are_refused() -> None:
    """The message has who runs, the labels that were given, and the settings that would help."""
    picky = prometheus(serviceMonitorSelector={"matchLabels": {"release": "other"}})
    (found,) = check_operator(Cluster("ServiceMonitor", running=[picky]), PLACE, [MONITOR])
    assert "no object of prometheuses.monitoring.coreos.com (monitoring/k8s) selects servicemonitors labelled" in found
    assert "release=k in namespace monitoring-dev" in found and "prometheus.operator.labels" in found
    assert check_operator(Cluster("ServiceMonitor", running=[picky, prometheus()]), PLACE, [MONITOR]) == []


def test_namespaces_are_selected_too() -> None:
    """By the labels that ours will have; without a selector a Prometheus looks at its own namespace alone."""
    chosen = {"matchLabels": {"kubernetes.io/metadata.name": "monitoring-dev"}}
    for selector, good in ((chosen, True), ({"matchLabels": {"a": "b"}}, False), (None, False)):
        running = [prometheus(ruleNamespaceSelector=selector)]
        assert (check_operator(Cluster("PrometheusRule", running=running), PLACE, [RULE]) == []) is good
    running = [{**prometheus(ruleNamespaceSelector=None), "metadata": {"name": "k", "namespace": "monitoring-dev"}}]
    assert check_operator(Cluster("PrometheusRule", running=running), PLACE, [RULE]) == []


def test_nothing_that_runs_is_told() -> None:
    """An operator without any Prometheus reads nothing; where this user may not look, nothing can be said."""
    (found,) = check_operator(Cluster("PrometheusRule", running=[]), PLACE, [RULE])
    assert "(none at all)" in found
    assert check_operator(Cluster("PrometheusRule", forbidden=True), PLACE, [RULE]) == []


@pytest.mark.parametrize(
    ("selector", "good"),
    [
        (None, False),
        ({}, True),
        ({"matchLabels": {"a": "1"}}, True),
        ({"matchLabels": {"a": "2"}}, False),
        ({"matchExpressions": [{"key": "a", "operator": "In", "values": ["1"]}]}, True),
        ({"matchExpressions": [{"key": "a", "operator": "NotIn", "values": ["1"]}]}, False),
        ({"matchExpressions": [{"key": "b", "operator": "Exists"}]}, False),
        ({"matchExpressions": [{"key": "b", "operator": "DoesNotExist"}]}, True),
    ],
    ids=str,
)
def test_selectors_mean_what_the_api_means(selector: Mapping[str, Any] | None, good: bool) -> None:
    """Labels and expressions, all of which must hold."""
    assert matches_labels(selector, {"a": "1"}) is good


def test_promtool_refuses_before_anything_is_made() -> None:
    """Its own words are told, with the object's name."""
    bad = replace(RULE, body={"spec": {"groups": [{"name": "api", "rules": [{"record": "a:b:c", "expr": "sum("}]}]}})
    (found,) = check_operator(Cluster("PrometheusRule"), PLACE, [bad])
    assert found.startswith("promtool refuses the rules: ") and "api.yml" in found and "could not parse" in found


def test_rules_are_never_left_unjudged(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without promtool nothing is deployed."""
    monkeypatch.setenv("PATH", "")
    (found,) = check_rules([RULE])
    assert "no promtool judges the rules" in found and "make toolchain" in found
    assert [*check_rules([MONITOR])] == []
