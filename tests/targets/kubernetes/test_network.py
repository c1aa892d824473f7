"""Who reaches a workload."""

from __future__ import annotations

from dataclasses import replace

from model.settings import KubernetesSettings
from model.workload import HttpProbe, Port
from targets.kubernetes import manifests, network
from targets.kubernetes.shared import ClusterScope
from tests.support.workloads import IMAGES, PLAIN, SERVER

EDGE = replace(
    SERVER,
    exposed=True,
    host="m.example.com",
    ports=(Port(number=8080),),
    probe=HttpProbe(path="/ping", port=8082),
)
PLACE = ClusterScope(stack="dev", settings=KubernetesSettings(), images=IMAGES)


def with_ingress(**more: object) -> ClusterScope:
    """The place, with an ingress controller in the cluster."""
    settings = KubernetesSettings.model_validate({"ingressClass": "nginx", **more})
    return replace(PLACE, settings=settings)


def test_the_network_is_closed_unless_declared() -> None:
    """A workload hears its own stack and talks to it; the edge's ports hear everyone, and who may talks to everyone."""
    deny, dns = network.build_default_deny(PLACE, "monitoring-dev")
    assert deny["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    anywhere, servers = dns["spec"]["egress"]
    assert {port["port"] for port in anywhere["ports"]} == {53}
    # whatever port their pods have: policies know nothing of the Service's
    assert "ports" not in servers and servers["to"][0]["podSelector"] == {"matchLabels": {"k8s-app": "kube-dns"}}
    assert all("namespaceSelector" in peer for peer in servers["to"])
    usual = network.build_policy(PLACE, PLAIN)["spec"]
    assert all("from" in rule for rule in usual["ingress"]) and all("to" in rule for rule in usual["egress"])
    open_to_all = network.build_policy(PLACE, replace(EDGE, egress="anywhere"))["spec"]
    own, anyone = open_to_all["ingress"]
    assert "from" in own and "from" not in anyone and open_to_all["egress"] == [{}]
    assert {port["port"] for port in anyone["ports"]} == {8080}, "what only the stack asks is not for everyone"
    assert {port["protocol"] for rule in (*usual["ingress"], own, anyone) for port in rule["ports"]} == {"TCP"}


def test_datagrams_are_let_in_where_a_port_takes_them() -> None:
    """Of the stack alone, and on no other port."""
    gossiping = replace(EDGE, ports=(*EDGE.ports, Port(number=9094, name="gossip", udp=True)))
    own, anyone = network.build_policy(PLACE, gossiping)["spec"]["ingress"]
    assert [port["port"] for port in own["ports"] if port["protocol"] == "UDP"] == [9094]
    assert {port["protocol"] for port in anyone["ports"]} == {"TCP"}


def test_inbound_ports_are_open_to_every_namespace() -> None:
    """Programs of others send to these ports, and reach no other one of the workload."""
    taking = replace(PLAIN, ports=(Port(number=4318, inbound=True), Port(number=8888, name="metrics")))
    own, anyone = network.build_policy(PLACE, taking)["spec"]["ingress"]
    assert anyone == {"from": [{"namespaceSelector": {}}], "ports": [{"port": 4318, "protocol": "TCP"}]}
    assert {port["port"] for port in own["ports"]} >= {4318, 8888}


def test_the_edges_service_opens_what_is_for_people() -> None:
    """Health and metrics are not behind a load balancer; other Services have every port."""
    scope = replace(PLACE, settings=KubernetesSettings.model_validate({"serviceType": "LoadBalancer"}))
    service, *_ = network.build_services(scope, EDGE)
    assert service["spec"]["type"] == "LoadBalancer" and [port["port"] for port in service["spec"]["ports"]] == [8080]
    inner, *_ = network.build_services(scope, replace(EDGE, exposed=False))
    assert inner["spec"]["type"] == "ClusterIP" and {port["port"] for port in inner["spec"]["ports"]} == {8080, 8082}


def test_an_ingress_leads_to_the_edge() -> None:
    """All paths of the host, by the wanted class, with its certificate and annotations; nothing waits for it."""
    scope = with_ingress(tlsSecret="cert", ingressAnnotations={"cert-manager.io/cluster-issuer": "a"})
    made = network.build_ingress(scope, EDGE)
    assert made is not None and made in list(manifests.build_workload_objects(scope, EDGE))
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
    service = next(network.build_services(scope, EDGE))
    assert service["spec"]["type"] == "ClusterIP"


def test_nothing_else_gets_an_ingress() -> None:
    """Neither other workloads, nor the edge where no class is named."""
    assert network.build_ingress(with_ingress(), SERVER) is None
    assert network.build_ingress(PLACE, EDGE) is None


def test_only_the_controllers_namespace_is_let_in() -> None:
    """Where it is named; else everyone may come."""
    policy = network.build_policy(with_ingress(ingressNamespace="ingress"), EDGE)["spec"]["ingress"][1]
    assert policy["from"] == [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "ingress"}}}]
    assert "from" not in network.build_policy(with_ingress(), EDGE)["spec"]["ingress"][1]


def test_neighbours_may_connect_and_be_reached() -> None:
    """The namespace of an operator's Prometheus is let in and out, beside the stack's own two, and no other."""
    closed, opened = (
        network.build_policy(scope, SERVER)["spec"]
        for scope in (PLACE, replace(PLACE, allowed_namespaces=("monitoring",)))
    )
    home = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}
    assert home not in closed["ingress"][0]["from"] and home not in closed["egress"][0]["to"]
    assert home in opened["ingress"][0]["from"] and home in opened["egress"][0]["to"]
    assert len(opened["ingress"][0]["from"]) == 3
