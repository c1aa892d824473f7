"""An ingress controller that is in the cluster already leads people to the stack, by the name of its host."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from kubernetes import client as kubernetes  # type: ignore[import-untyped]  # it publishes no types

from stack.assemble import load_images
from tests.e2e.test_no_change import unchanged
from tests.support.clusters import ClusterStack, start_cluster
from tests.support.networks import on_node
from tests.support.running import ROOT
from tests.support.waiting import eventually

NAME = "e2e-ingress-controller"
CLASS = "e2e-people"
HOST = "stack.e2e.test"
PORT = 8000


def controller() -> list[dict[str, Any]]:
    """Traefik as an ingress controller of its own, in a namespace of its own, for ingresses of its class alone.

    Source: https://doc.traefik.io/traefik/reference/install-configuration/providers/kubernetes/kubernetes-ingress/
    """
    meta = {"name": NAME, "namespace": NAME, "labels": {"app": NAME}}
    group = "rbac.authorization.k8s.io"
    rules = {
        ("",): ["services", "endpoints", "secrets", "nodes"],
        ("discovery.k8s.io",): ["endpointslices"],
        ("networking.k8s.io",): ["ingresses", "ingressclasses"],
    }
    container = {
        "name": "traefik",
        "image": load_images(ROOT)["traefik"].reference(None),
        "args": [
            "--providers.kubernetesingress=true",
            f"--providers.kubernetesingress.ingressclass={CLASS}",
            f"--entrypoints.web.address=:{PORT}",
        ],
        "ports": [{"containerPort": PORT}],
        "readinessProbe": {"tcpSocket": {"port": PORT}, "periodSeconds": 1},
    }
    pod = {
        "metadata": {"labels": {"app": NAME}},
        "spec": {"serviceAccountName": NAME, "containers": [container]},
    }
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAME}},
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta},
        {
            "apiVersion": f"{group}/v1",
            "kind": "ClusterRole",
            "metadata": {"name": NAME},
            "rules": [
                {"apiGroups": list(groups), "resources": resources, "verbs": ["get", "list", "watch"]}
                for groups, resources in rules.items()
            ],
        },
        {
            "apiVersion": f"{group}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": NAME},
            "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": NAME},
            "subjects": [{"kind": "ServiceAccount", "name": NAME, "namespace": NAME}],
        },
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "IngressClass",
            "metadata": {"name": CLASS},
            "spec": {"controller": "traefik.io/ingress-controller"},
        },
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": meta,
            "spec": {"selector": {"matchLabels": {"app": NAME}}, "template": pod},
        },
    ]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClusterStack]:
    """A stack that is reached by an ingress; neither it nor the controller is there yet."""
    own = ClusterStack(tmp_path_factory.mktemp("ingress"), "e2e-ingress", start_cluster(), ports=28400)
    own.edit_settings(
        lambda config: config.update(
            baseUrl=f"https://{HOST}",
            kubernetes={"ingressClass": CLASS, "ingressNamespace": NAME},
            prometheus={"evaluationInterval": "5s"},
            alertmanager={},
        )
    )
    everything = {"apiVersion": "v1", "kind": "List", "items": controller()}
    try:
        yield own
    finally:
        own.run("down", "--purge")
        own.kubectl("delete", "--ignore-not-found", "--filename=-", document=everything)


def ask(stack: ClusterStack, path: str, host: str = HOST) -> http.client.HTTPResponse:
    """What the controller answers to a GET from the node, as a load balancer would ask it."""
    pods = stack.api.list_namespaced_pod(NAME, label_selector=f"app={NAME}").items
    (address,) = [pod.status.pod_ip for pod in pods if pod.status.phase == "Running"]
    connection = http.client.HTTPConnection(address, PORT, timeout=10)
    connection.sock = on_node(stack.kubeconfig, lambda: socket.create_connection((address, PORT), timeout=10))
    connection.request("GET", path, headers={"Host": host})
    return connection.getresponse()


def test_an_unknown_class_is_refused_before_anything_is_made(stack: ClusterStack) -> None:
    """With the class that is wanted, and the ones that are there."""
    run = stack.run("up")
    assert run.code != 0 and f"kubernetes.ingressClass '{CLASS}' is not in this cluster" in run.text, run.text[-2000:]
    with pytest.raises(kubernetes.exceptions.ApiException):
        stack.api.read_namespace(stack.namespace)


def test_the_controller_leads_to_the_stack(stack: ClusterStack) -> None:
    """The host's name leads to Traefik, and from there each path to its part; another name leads nowhere."""
    everything = {"apiVersion": "v1", "kind": "List", "items": controller()}
    stack.kubectl("apply", "--filename=-", document=everything)
    stack.first_up = stack.up()
    eventually(lambda: ask(stack, "/api/health").status == 200, timeout=60, what="Grafana through the ingress")
    assert ask(stack, "/prometheus/-/healthy").status == 401, "the login is Traefik's"
    assert ask(stack, "/api/search").status == 401, "Grafana's own login guards it"
    assert ask(stack, "/", host="other.e2e.test").status == 404


def test_there_is_no_second_way_in(stack: ClusterStack) -> None:
    """Traefik's Service has an address of the cluster alone, and its policy lets the controller in by name."""
    assert stack.api.read_namespaced_service("traefik", stack.namespace).spec.type == "ClusterIP"
    found = kubernetes.NetworkingV1Api(stack.api.api_client).read_namespaced_network_policy("traefik", stack.namespace)
    _, people = found.spec.ingress
    assert people._from[0].namespace_selector.match_labels == {"kubernetes.io/metadata.name": NAME}
    assert {port.port for port in people.ports} == {8080}


def test_second_up_changes_nothing(stack: ClusterStack) -> None:
    """Whatever the controller writes into the ingress is no difference."""
    run = stack.up()
    assert unchanged(run.text), run.text[-3000:]
    run = stack.run("refresh")
    assert run.code == 0 and unchanged(run.text), run.text[-3000:]
