"""Who reaches a workload: Services, the Ingress and NetworkPolicies, as plain data.

Formats: https://kubernetes.io/docs/reference/kubernetes-api/service-resources/.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from model.naming import derive_agent_namespace
from model.workload import HttpProbe, Workload
from targets.kubernetes.shared import (
    ClusterScope,
    Object,
    build_metadata,
    build_selector,
    build_workload_metadata,
    find_controller_kind,
)


def build_default_deny(scope: ClusterScope, namespace: str) -> Iterator[Object]:
    """Nothing is let in or out of a namespace unless a workload's own policy says so, save questions to DNS."""
    policy = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy"}
    both = ["Ingress", "Egress"]
    yield {
        **policy,
        "metadata": build_metadata(scope, "deny-all", namespace),
        "spec": {"podSelector": {}, "policyTypes": both},
    }
    # a policy is asked about the port of the pod, which need not be that of the Service: OpenShift's is 5353
    servers = [
        {**_build_namespace_selector("kube-system"), "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}}},
        _build_namespace_selector("openshift-dns"),
    ]
    # and one that a node has for itself is no pod at all
    names = [{"port": 53, "protocol": protocol} for protocol in ("UDP", "TCP")]
    yield {
        **policy,
        "metadata": build_metadata(scope, "allow-dns", namespace),
        "spec": {"podSelector": {}, "policyTypes": ["Egress"], "egress": [{"ports": names}, {"to": servers}]},
    }


def build_policy(scope: ClusterScope, workload: Workload) -> Object:
    """The stack's own pods and its neighbours' may connect to a workload's ports, people to the edge's; out it goes as
    far as declared.
    """
    ours = [
        _build_namespace_selector(namespace)
        for namespace in (scope.namespace, derive_agent_namespace(scope.namespace), *scope.allowed_namespaces)
    ]
    datagrams = [{"port": port.number, "protocol": "UDP"} for port in workload.ports if port.udp]
    ingress_rules = (
        [{"from": ours, "ports": [*_build_ports(list_listening_ports(workload)), *datagrams]}]
        if list_listening_ports(workload)
        else []
    )
    if workload.exposed:
        ingress_namespace = scope.settings.ingress_namespace
        by = {"from": [_build_namespace_selector(ingress_namespace)]} if ingress_namespace else {}
        ingress_rules.append({**by, "ports": _build_ports([port.number for port in workload.ports])})
    if inbound := [port.number for port in workload.ports if port.inbound]:
        ingress_rules.append({"from": [{"namespaceSelector": {}}], "ports": _build_ports(inbound)})
    anywhere = workload.egress == "anywhere" or bool(workload.access)
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": build_workload_metadata(scope, workload),
        "spec": {
            "podSelector": {"matchLabels": build_selector(scope, workload.name)},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": ingress_rules,
            "egress": [{}] if anywhere else [{"to": ours}],
        },
    }


def _build_namespace_selector(name: str) -> Object:
    return {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}}


def _build_ports(numbers: Sequence[int]) -> list[Object]:
    return [{"port": number, "protocol": "TCP"} for number in numbers]


def build_ingress(scope: ClusterScope, workload: Workload) -> Object | None:
    """What leads people from the edge's host to it, by a controller that is in the cluster already.

    Source: https://kubernetes.io/docs/concepts/services-networking/ingress/
    """
    settings = scope.settings
    if not (workload.exposed and settings.ingress_class and workload.ports):
        return None
    backend = {"service": {"name": workload.name, "port": {"number": workload.ports[0].number}}}
    rule = {"host": workload.host, "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}
    spec: Object = {"ingressClassName": settings.ingress_class, "rules": [rule]}
    if settings.tls_secret:
        spec["tls"] = [{"hosts": [workload.host], "secretName": settings.tls_secret}]
    meta = build_workload_metadata(scope, workload)
    # not every controller says when it is done, so that waiting for it could last for ever
    meta["annotations"] |= {"pulumi.com/skipAwait": "true", **settings.ingress_annotations}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": meta, "spec": spec}


def list_listening_ports(workload: Workload) -> list[int]:
    """Every TCP port on which something is expected to answer."""
    probed = [workload.probe.port] if isinstance(workload.probe, HttpProbe) else []
    reloaded = [workload.config.reload.port] if workload.config and workload.config.reload else []
    return sorted({*(port.number for port in workload.ports), *probed, *reloaded})


def build_services(scope: ClusterScope, workload: Workload) -> Iterator[Object]:
    """A Service under each of the workload's names, and a headless one that gives every instance a name of its own.

    That of the edge, which may be open to the world, has the ports that are meant for people and no other one.
    """
    numbers = [port.number for port in workload.ports] if workload.exposed else list_listening_ports(workload)
    if not numbers:
        return
    named = {port.number: port.name for port in workload.ports}
    outside = {port.number: port.outside or port.number for port in workload.ports}
    ports = [
        {"name": named.get(n, f"port-{n}"), "port": outside.get(n, n), "targetPort": n, "protocol": "TCP"}
        for n in numbers
    ]
    pods = build_selector(scope, workload.name)
    for name in (workload.name, *workload.aliases):
        meta = build_workload_metadata(scope, workload) | {"name": name}
        kind = scope.settings.service_type if workload.exposed else "ClusterIP"
        yield _build_service(meta, {"type": kind, "selector": pods, "ports": ports})
    if find_controller_kind(workload) == "StatefulSet":
        headless = {"clusterIP": "None", "publishNotReadyAddresses": True, "selector": pods, "ports": ports}
        yield _build_service(build_workload_metadata(scope, workload, "-pods"), headless)


def _build_service(meta: Object, spec: Object) -> Object:
    # its endpoints come with the pods, for which there is a wait already
    meta = {**meta, "annotations": {**meta["annotations"], "pulumi.com/skipAwait": "true"}}
    return {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": spec}
