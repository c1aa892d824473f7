"""The rights that a deployment takes are those of what it does."""

from __future__ import annotations

from dataclasses import replace

from model.extra_objects import ExtraObject
from model.settings import KubernetesSettings
from model.workload import Access
from targets.kubernetes.ownership import list_references, pluralize_kind
from targets.kubernetes.rights import list_required_rights
from targets.kubernetes.shared import ClusterScope
from tests.support.workloads import AGENT, IMAGES, PLAIN, SERVER

PLACE = ClusterScope(stack="dev", settings=KubernetesSettings(), images=IMAGES)
MONITOR = ExtraObject(api="monitoring.coreos.com/v1", kind="ServiceMonitor", name="api", body={"spec": {}})
READER = replace(PLAIN, access=(Access(resources=("pods",), namespaces=("shop",)),))
NODE = replace(AGENT, placement="node-agent", exemptions=())


def test_whatever_is_written_is_asked_for() -> None:
    """Each object's kind, in the namespace where it is, with each verb that writing it takes."""
    wanted = set(list_required_rights(PLACE, [SERVER, READER, NODE], [MONITOR]))
    for item in list_references(PLACE, [SERVER, READER, NODE], [MONITOR]):
        for verb in ("get", "create", "patch"):
            assert (verb, item.group, pluralize_kind(item.kind), item.namespace) in wanted, item
    assert ("delete", "rbac.authorization.k8s.io", "roles", "shop") in wanted
    assert ("delete", "", "namespaces", "") not in wanted


def test_the_way_to_the_servers_is_asked_for() -> None:
    """Without it nobody would know after a deployment whether anything is scraped."""
    wanted = {*list_required_rights(PLACE, [SERVER])}
    assert {
        ("get", "", "pods/portforward", "monitoring-dev"),
        ("create", "", "pods/portforward", "monitoring-dev"),
    } <= wanted


def test_nothing_is_asked_for_twice() -> None:
    """Each question costs the cluster's answer."""
    wanted = [*list_required_rights(PLACE, [SERVER, READER, NODE], [MONITOR])]
    assert len(set(wanted)) == len(wanted)


def test_secrets_are_asked_for_where_there_are_some() -> None:
    """In the namespace of the workload that reads them."""
    assert ("create", "", "secrets", "monitoring-dev") in {*list_required_rights(PLACE, [SERVER])}
    assert not [right for right in list_required_rights(PLACE, [PLAIN, NODE]) if right[2] == "secrets"]


def test_the_rights_for_an_operator() -> None:
    """To read its definitions and to write its objects; without such objects neither."""
    wanted = {*list_required_rights(PLACE, [PLAIN], [MONITOR])}
    assert ("get", "apiextensions.k8s.io", "customresourcedefinitions", "") in wanted
    assert ("create", "monitoring.coreos.com", "servicemonitors", "monitoring-dev") in wanted
    assert not {right[1] for right in list_required_rights(PLACE, [PLAIN])} & {
        "monitoring.coreos.com",
        "apiextensions.k8s.io",
    }
