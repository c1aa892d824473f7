"""Kubernetes objects by what they say: hardening, documents, volumes, identity, network."""

from __future__ import annotations

import gzip
import io
import tarfile
from base64 import b64decode
from dataclasses import replace
from typing import Any

import pytest

from model.declared import Declared
from model.settings import KubernetesSettings
from model.workload import Access, ConfigDir, DataVolume, HttpProbe, Port, Workload
from targets import manifests
from targets.manifests import Place
from tests.support.workloads import AGENT as ANYWHERE
from tests.support.workloads import IMAGES, PLAIN, SERVER

AGENT = replace(ANYWHERE, placement="node-agent")
EDGE = replace(
    SERVER,
    edge=True,
    host="m.example.com",
    ports=(Port(number=8080),),
    probe=HttpProbe(path="/ping", port=8082),
)
PLACE = Place(stack="dev", settings=KubernetesSettings(), images=IMAGES)


def pod(workload: Workload, place: Place = PLACE) -> dict[str, Any]:
    """The pod's specification."""
    return dict(manifests.workload_object(place, workload)["spec"]["template"]["spec"])


def every_container(spec: dict[str, Any]) -> list[dict[str, Any]]:
    """Containers of all kinds."""
    return [*spec.get("initContainers", []), *spec["containers"]]


@pytest.mark.parametrize("workload", [SERVER, PLAIN], ids=lambda w: w.name)
def test_a_pod_fits_the_restricted_level(workload: Workload) -> None:
    """Non-root, read-only, no capability, no escalation, the runtime's seccomp profile, and bounds: every container."""
    spec = pod(workload)
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in every_container(spec):
        own = container["securityContext"]
        assert own["allowPrivilegeEscalation"] is False
        assert own["readOnlyRootFilesystem"] is True
        assert own["capabilities"]["drop"] == ["ALL"]
        assert {"memory", "cpu"} == set(container["resources"]["limits"]) == set(container["resources"]["requests"])
    assert not [volume for volume in spec["volumes"] if "hostPath" in volume]


def test_the_kind_follows_from_the_workload() -> None:
    """Agents are on every node, data makes a StatefulSet, anything else is a Deployment."""
    assert manifests.controller(AGENT) == "DaemonSet"
    assert manifests.controller(replace(PLAIN, volumes=())) == "Deployment"
    assert manifests.controller(replace(PLAIN, volumes=(DataVolume(name="d", path="/d"),))) == "StatefulSet"


def test_agents_live_apart() -> None:
    """What sees files of nodes is in a namespace of its own; the stack's own one enforces the strictest level."""
    levels = {
        item["metadata"]["name"]: item["metadata"]["labels"]["pod-security.kubernetes.io/enforce"]
        for item in manifests.namespaces(PLACE, [PLAIN, AGENT])
    }
    assert levels == {"monitoring-dev": "restricted", "monitoring-dev-agents": "privileged"}
    assert [item["metadata"]["name"] for item in manifests.namespaces(PLACE, [PLAIN])] == ["monitoring-dev"]
    assert PLACE.home(AGENT) == "monitoring-dev-agents"


def test_documents_keep_their_paths() -> None:
    """Keys of a ConfigMap have no slash; the revision beside them is that of the documents."""
    config = ConfigDir(path="/etc/x", files={"a.yml": "1", "rules/b.yml": "2"})
    item = manifests.config_map(PLACE, replace(PLAIN, config=config))
    assert item is not None
    assert item["data"] == {"a.yml": "1", "rules__b.yml": "2", ".revision": config.revision()}


def test_large_documents_are_packed() -> None:
    """More than a ConfigMap may hold goes in as one archive, the same bytes for the same content."""
    files = {f"rules/{number}.yml": "- alert: Example\n" * 5000 for number in range(20)}
    item = manifests.config_map(PLACE, replace(PLAIN, config=ConfigDir(path="/etc/x", files=files)))
    assert item is not None and set(item["data"]) == {".revision"}
    packed = b64decode(item["binaryData"][".documents.tar.gz"])
    assert len(packed) < 900_000
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(packed))) as tar:
        assert {entry.name for entry in tar} == set(files)
    assert manifests.archive(files) == packed


def test_an_edited_document_leaves_the_pods_alone() -> None:
    """Only documents that are read at start change the pod template."""
    config = ConfigDir(path="/etc/x", files={"start.yml": "1", "live.yml": "1"}, restart_on=frozenset({"start.yml"}))
    before = manifests.workload_object(PLACE, replace(PLAIN, config=config))
    live = replace(config, files={**config.files, "live.yml": "2", "new.yml": "3"})
    assert manifests.workload_object(PLACE, replace(PLAIN, config=live)) == before
    start = replace(config, files={**config.files, "start.yml": "2"})
    assert manifests.workload_object(PLACE, replace(PLAIN, config=start)) != before


def test_claims_are_named_as_a_stateful_set_looks_for_them() -> None:
    """One claim for each volume of each instance, of the size and class that are wanted."""
    place = replace(PLACE, settings=KubernetesSettings.model_validate({"storageClass": "fast"}))
    workload = replace(PLAIN, name="db", replicas=2, volumes=(DataVolume(name="data", path="/d", size=5 * 2**30),))
    found = [item for _, item in manifests.claims(place, workload)]
    assert [item["metadata"]["name"] for item in found] == ["data-db-0", "data-db-1"]
    assert found[0]["spec"]["resources"]["requests"] == {"storage": "5Gi"}
    assert found[0]["spec"]["storageClassName"] == "fast"
    template = manifests.workload_object(place, workload)["spec"]["volumeClaimTemplates"]
    assert [item["metadata"]["name"] for item in template] == ["data"]


def test_a_token_is_there_only_for_those_who_ask() -> None:
    """Without declared access there is no role and no token; with it, rules in each scope and nothing more."""
    assert pod(PLAIN)["automountServiceAccountToken"] is False
    assert list(manifests.roles(PLACE, PLAIN)) == []
    access = (Access(resources=("pods",), namespaces=("a", "b")), Access(resources=("nodes",), verbs=("get",)))
    asking = replace(PLAIN, access=access)
    assert pod(asking)["automountServiceAccountToken"] is True
    kinds = [(item["kind"], item["metadata"].get("namespace")) for item in manifests.roles(PLACE, asking)]
    assert kinds == [
        ("Role", "a"), ("RoleBinding", "a"), ("Role", "b"), ("RoleBinding", "b"),
        ("ClusterRole", None), ("ClusterRoleBinding", None),
    ]  # fmt: skip


def test_the_network_is_closed_unless_declared() -> None:
    """A workload hears its own stack and talks to it; the edge's ports hear everyone, and who may talks to everyone."""
    deny, dns = manifests.closed(PLACE, "monitoring-dev")
    assert deny["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    assert {port["port"] for port in dns["spec"]["egress"][0]["ports"]} == {53}
    usual = manifests.policy(PLACE, PLAIN)["spec"]
    assert all("from" in rule for rule in usual["ingress"]) and all("to" in rule for rule in usual["egress"])
    open_to_all = manifests.policy(PLACE, replace(EDGE, egress="anywhere"))["spec"]
    own, anyone = open_to_all["ingress"]
    assert "from" in own and "from" not in anyone and open_to_all["egress"] == [{}]
    assert {port["port"] for port in anyone["ports"]} == {8080}, "what only the stack asks is not for everyone"
    assert {port["protocol"] for rule in (*usual["ingress"], own, anyone) for port in rule["ports"]} == {"TCP"}


def test_datagrams_are_let_in_where_a_port_takes_them() -> None:
    """Of the stack alone, and on no other port."""
    gossiping = replace(EDGE, ports=(*EDGE.ports, Port(number=9094, name="gossip", udp=True)))
    own, anyone = manifests.policy(PLACE, gossiping)["spec"]["ingress"]
    assert [port["port"] for port in own["ports"] if port["protocol"] == "UDP"] == [9094]
    assert {port["protocol"] for port in anyone["ports"]} == {"TCP"}


def test_the_edges_service_opens_what_is_for_people() -> None:
    """Health and metrics are not behind a load balancer; other Services have every port."""
    place = replace(PLACE, settings=KubernetesSettings.model_validate({"serviceType": "LoadBalancer"}))
    service, *_ = manifests.services(place, EDGE)
    assert service["spec"]["type"] == "LoadBalancer" and [port["port"] for port in service["spec"]["ports"]] == [8080]
    inner, *_ = manifests.services(place, replace(EDGE, edge=False))
    assert inner["spec"]["type"] == "ClusterIP" and {port["port"] for port in inner["spec"]["ports"]} == {8080, 8082}


def test_groups_are_supplemental() -> None:
    """A pod is in the groups that its workload names; in none where it names none."""
    assert pod(replace(PLAIN, groups=(33, 4)))["securityContext"]["supplementalGroups"] == [4, 33]
    assert "supplementalGroups" not in pod(PLAIN)["securityContext"]


def with_ingress(**more: object) -> Place:
    """The place, with an ingress controller in the cluster."""
    settings = KubernetesSettings.model_validate({"ingressClass": "nginx", **more})
    return replace(PLACE, settings=settings)


def test_an_ingress_leads_to_the_edge() -> None:
    """All paths of the host, by the wanted class, with its certificate and annotations; nothing waits for it."""
    place = with_ingress(tlsSecret="cert", ingressAnnotations={"cert-manager.io/cluster-issuer": "a"})
    made = manifests.ingress(place, EDGE)
    assert made is not None and made in list(manifests.of_workload(place, EDGE))
    assert made["spec"] == {
        "ingressClassName": "nginx",
        "rules": [
            {
                "host": "m.example.com",
                "http": {
                    "paths": [
                        {
                            "path": "/",
                            "pathType": "Prefix",
                            "backend": {"service": {"name": "server", "port": {"number": 8080}}},
                        }
                    ]
                },
            }
        ],
        "tls": [{"hosts": ["m.example.com"], "secretName": "cert"}],
    }
    notes = made["metadata"]["annotations"]
    assert notes["cert-manager.io/cluster-issuer"] == "a" and notes["pulumi.com/skipAwait"] == "true"
    service = next(manifests.services(place, EDGE))
    assert service["spec"]["type"] == "ClusterIP"


def test_nothing_else_gets_an_ingress() -> None:
    """Neither other workloads, nor the edge where no class is named."""
    assert manifests.ingress(with_ingress(), SERVER) is None
    assert manifests.ingress(PLACE, EDGE) is None


def test_only_the_controllers_namespace_is_let_in() -> None:
    """Where it is named; else everyone may come."""
    policy = manifests.policy(with_ingress(ingressNamespace="ingress"), EDGE)["spec"]["ingress"][1]
    assert policy["from"] == [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "ingress"}}}]
    assert "from" not in manifests.policy(with_ingress(), EDGE)["spec"]["ingress"][1]


def test_several_instances_keep_apart() -> None:
    """They spread over nodes and zones, and at most one is taken away on purpose."""
    several = replace(PLAIN, replicas=3)
    spec = pod(several)
    assert {item["topologyKey"] for item in spec["topologySpreadConstraints"]} == {
        "kubernetes.io/hostname", "topology.kubernetes.io/zone"
    }  # fmt: skip
    budget = manifests.disruption_budget(PLACE, several)
    assert budget is not None and budget["spec"]["maxUnavailable"] == 1
    assert manifests.disruption_budget(PLACE, PLAIN) is None


def test_scheduling_settings_reach_every_pod() -> None:
    """Tolerations, priority, pull secrets, labels and annotations are on all; the node selector is not on agents."""
    settings = KubernetesSettings.model_validate(
        {
            "nodeSelector": {"pool": "monitoring"},
            "tolerations": [{"key": "dedicated", "value": "monitoring", "operator": "Equal"}],
            "priorityClass": "high",
            "imagePullSecrets": ("registry",),
            "labels": {"team": "platform"},
            "annotations": {"owner": "platform"},
        },
        strict=False,
    )
    place = replace(PLACE, settings=settings)
    spec = pod(PLAIN, place)
    assert spec["nodeSelector"] == {"pool": "monitoring"}
    assert spec["tolerations"] == [{"key": "dedicated", "value": "monitoring", "operator": "Equal"}]
    assert (spec["priorityClassName"], spec["imagePullSecrets"]) == ("high", [{"name": "registry"}])
    assert "nodeSelector" not in pod(AGENT, place)
    item = manifests.service_account(place, PLAIN)["metadata"]
    assert item["labels"]["team"] == "platform" and item["annotations"]["owner"] == "platform"


@pytest.mark.parametrize(("size", "text"), [(5 * 2**30, "5Gi"), (128 * 2**20, "128Mi"), (1536, "1536"), (2048, "2Ki")])
def test_quantities_are_as_the_api_gives_them_back(size: int, text: str) -> None:
    """Else every refresh would show a difference."""
    assert manifests.quantity(size) == text


def test_cores_are_as_the_api_gives_them_back() -> None:
    """Whole cores without a unit, others in thousandths."""
    assert (manifests.millis(2.0), manifests.millis(0.25)) == ("2", "250m")


def test_neighbours_may_connect_and_be_reached() -> None:
    """The namespace of an operator's Prometheus is let in and out, beside the stack's own two, and no other."""
    closed, opened = (
        manifests.policy(place, SERVER)["spec"] for place in (PLACE, replace(PLACE, neighbours=("monitoring",)))
    )
    home = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}
    assert home not in closed["ingress"][0]["from"] and home not in closed["egress"][0]["to"]
    assert home in opened["ingress"][0]["from"] and home in opened["egress"][0]["to"]
    assert len(opened["ingress"][0]["from"]) == 3


def test_an_object_of_others_carries_our_labels_and_theirs() -> None:
    """Ours tell whose it is, theirs let it be found."""
    made = manifests.declared(
        PLACE, Declared(api="v1", kind="ConfigMap", name="a", labels={"r": "k"}, body={"data": {}})
    )
    assert (made["apiVersion"], made["kind"], made["data"]) == ("v1", "ConfigMap", {})
    assert made["metadata"]["namespace"] == "monitoring-dev"
    assert made["metadata"]["labels"].items() >= {"r": "k", "io.observability.stack": "dev"}.items()
    assert made["metadata"]["annotations"]["pulumi.com/deletionPropagationPolicy"] == "background"
