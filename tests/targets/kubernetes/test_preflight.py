"""What stands in the way of a deployment, asked of an API server that a test answers for."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from model.extra_objects import ExtraObject
from model.settings import KubernetesSettings
from model.workload import DataVolume, Port
from targets.kubernetes import preflight
from targets.kubernetes.preflight import check_cluster
from targets.kubernetes.shared import ClusterScope
from tests.support.workloads import IMAGES, PLAIN

DATABASE = replace(PLAIN, name="db", volumes=(DataVolume(name="data", path="/d", size=5 * 2**30),))


class Server(ThreadingHTTPServer):
    """An API server: `namespaces` and `claims` by name, labels of other objects by path, what its user may not do."""

    request_queue_size = 64  # all reviews of access are asked at once; what finds no place is sent again after 1 s

    def __init__(self) -> None:
        self.namespaces: dict[str, dict[str, str]] = {}
        self.objects: dict[str, dict[str, str]] = {}
        self.claims: dict[str, str] = {}
        self.forbidden: set[str] = set()
        self.classes: list[str] = []
        self.asked: list[str] = []
        self.expandable = True
        super().__init__(("127.0.0.1", 0), Handler)


class Handler(BaseHTTPRequestHandler):
    """Answers in the API's own formats."""

    server: Server

    def do_GET(self) -> None:
        """Version, namespaces, claims, classes of ingress and of storage; an operator is not there."""
        self._answer(*self._found(self.path.split("?")[0].strip("/").split("/")))

    def _found(self, parts: list[str]) -> tuple[int, dict[str, Any]]:
        missing: tuple[int, dict[str, Any]] = (404, {"kind": "Status", "code": 404})
        status = 200
        answer: dict[str, Any] = {"provisioner": "x", "allowVolumeExpansion": self.server.expandable}
        if parts == ["version"]:
            answer = dict.fromkeys(
                ("major", "minor", "gitVersion", "gitCommit", "gitTreeState", "buildDate", "goVersion", "compiler",
                 "platform"), "1",
            )  # fmt: skip
        elif parts[:3] == ["api", "v1", "namespaces"] and len(parts) == 4:
            labels = self.server.namespaces.get(parts[3])
            if labels is None:
                return missing
            answer = {"metadata": {"name": parts[3], "labels": labels}}
        elif parts[-1] == "ingressclasses":
            status = 403 if "ingressclasses" in self.server.forbidden else 200
            answer = {"items": [{"metadata": {"name": name}} for name in self.server.classes]}
        elif parts[-1] == "persistentvolumeclaims":
            items = [
                {
                    "metadata": {"name": name},
                    "spec": {"storageClassName": "slow", "resources": {"requests": {"storage": held}}},
                }
                for name, held in self.server.claims.items()
            ]
            answer = {"items": items}
        elif parts[-1].endswith("monitoring.coreos.com"):
            self.server.asked.append(parts[-1])
            return missing
        elif parts[0] != "apis" or parts[1] != "storage.k8s.io":
            return self._object("/" + "/".join(parts))
        return status, answer

    def _object(self, path: str) -> tuple[int, dict[str, Any]]:
        if path not in self.server.objects:
            return 404, {"kind": "Status", "code": 404}
        return 200, {"metadata": {"name": path.rpartition("/")[2], "labels": self.server.objects[path]}}

    def do_POST(self) -> None:
        """Access reviews."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        wanted = body["spec"]["resourceAttributes"]
        allowed = wanted["resource"] not in self.server.forbidden
        self._answer(201, {"spec": body["spec"], "status": {"allowed": allowed}})

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""

    def _answer(self, status: int, document: dict[str, Any]) -> None:
        data = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@pytest.fixture
def server() -> Iterator[Server]:
    """A running API server."""
    with Server() as running:
        threading.Thread(target=running.serve_forever, args=(0.02,), daemon=True).start()
        yield running
        running.shutdown()


def scope(folder: Path, address: str, **settings: Any) -> ClusterScope:
    """A place on the cluster at `address`, known to a kubeconfig as the context `test`."""
    path = folder / "kubeconfig"
    document = {
        "apiVersion": "v1", "kind": "Config", "current-context": "test",
        "clusters": [{"name": "c", "cluster": {"server": address}}],
        "users": [{"name": "u", "user": {"token": "t"}}],
        "contexts": [{"name": "test", "context": {"cluster": "c", "user": "u"}}],
    }  # fmt: skip
    path.write_text(json.dumps(document))
    given = KubernetesSettings.model_validate({"kubeconfig": str(path), **settings})
    return ClusterScope(stack="dev", settings=given, images=IMAGES)


def ask(folder: Path, server: Server, **settings: Any) -> list[str]:
    """Everything in the way of a database."""
    return check_cluster(scope(folder, f"http://127.0.0.1:{server.server_port}", **settings), [DATABASE])


def test_nothing_is_in_the_way_of_an_empty_cluster(server: Server, tmp_path: Path) -> None:
    """Nor of one that holds this very stack."""
    assert ask(tmp_path, server) == []
    server.namespaces["monitoring-dev"] = {"io.observability.stack": "dev"}
    server.claims["data-db-0"] = "5Gi"
    assert ask(tmp_path, server) == []


def test_all_is_told_at_once(server: Server, tmp_path: Path) -> None:
    """Somebody else's namespace, missing rights, and a volume that would shrink."""
    server.namespaces["monitoring-dev"] = {}
    server.forbidden = {"statefulsets"}
    server.claims["data-db-0"] = "8Gi"
    rights, taken, volume = ask(tmp_path, server)
    assert rights == (
        "this user may not get/create/patch/delete statefulsets.apps in namespace monitoring-dev;"
        " ask for a role that allows it"
    )
    assert "was not made by this program; choose another namespace" in taken
    assert "has 8Gi and cannot shrink to 5Gi" in volume


def test_the_owner_of_a_namespace_is_named(server: Server, tmp_path: Path) -> None:
    """Another stack's is no more ours than a stranger's."""
    server.namespaces["monitoring-dev"] = {"io.observability.stack": "prod"}
    assert "belongs to the stack 'prod'" in ask(tmp_path, server)[0]


def test_growing_needs_a_class_that_lets_it(server: Server, tmp_path: Path) -> None:
    """A volume grows where its storage class says so."""
    server.claims["data-db-0"] = "1Gi"
    assert ask(tmp_path, server) == []
    server.expandable = False
    assert "does not let volumes grow" in ask(tmp_path, server)[0]


def test_an_unknown_ingress_class_is_named_with_the_nearest(server: Server, tmp_path: Path) -> None:
    """Nobody would care for the ingress, so it is refused; a class that is there is fine."""
    server.classes = ["nginx", "traefik"]
    assert ask(tmp_path, server, ingressClass="nginx") == []
    (found,) = ask(tmp_path, server, ingressClass="ngnix")
    assert found == "kubernetes.ingressClass 'ngnix' is not in this cluster; did you mean 'nginx'?"
    server.classes = []
    assert ask(tmp_path, server, ingressClass="nginx") == [
        "kubernetes.ingressClass 'nginx' is not in this cluster; none is defined"
    ]


def test_an_ingress_needs_rights_of_its_own(server: Server, tmp_path: Path) -> None:
    """To make it, and to look at the classes; without a class neither is asked for."""
    server.forbidden = {"ingresses", "ingressclasses"}
    assert ask(tmp_path, server) == []
    cluster = scope(tmp_path, f"http://127.0.0.1:{server.server_port}", ingressClass="nginx")
    exposed = replace(DATABASE, exposed=True, host="m.example.com", ports=(Port(number=8080),))
    here, everywhere = sorted(check_cluster(cluster, [exposed]))
    assert "may not list ingressclasses.networking.k8s.io cluster-wide" in everywhere
    assert "may not get/create/patch/delete ingresses.networking.k8s.io in namespace monitoring-dev" in here


def test_an_unknown_context_is_named_with_the_nearest(server: Server, tmp_path: Path) -> None:
    """One message, and what would be right."""
    (found,) = ask(tmp_path, server, context="tset")
    assert "no context 'tset'" in found and "test" in found


def test_a_silent_cluster_is_told_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One message with the address that was asked."""
    monkeypatch.setattr(preflight, "SECONDS", 0.2)
    (found,) = check_cluster(scope(tmp_path, "http://127.0.0.1:9"), [DATABASE])
    assert "no cluster answers at http://127.0.0.1:9" in found


def test_a_missing_kubeconfig_is_told(tmp_path: Path) -> None:
    """With what to set."""
    settings = KubernetesSettings(kubeconfig=str(tmp_path / "none"))
    (found,) = check_cluster(ClusterScope(stack="dev", settings=settings, images=IMAGES), [DATABASE])
    assert "no kubeconfig can be read" in found and "KUBECONFIG" in found


MONITOR = ExtraObject(api="monitoring.coreos.com/v1", kind="ServiceMonitor", name="api", body={"spec": {}})


def test_an_operator_that_is_not_there_is_told_with_the_rest(server: Server, tmp_path: Path) -> None:
    """Its missing definitions stand beside whatever else is in the way."""
    server.namespaces["monitoring-dev"] = {}
    here = scope(tmp_path, f"http://127.0.0.1:{server.server_port}")
    operator, taken = check_cluster(here, [DATABASE], [MONITOR])
    assert operator.startswith("no Prometheus Operator is installed: the cluster does not know servicemonitors.")
    assert "was not made by this program" in taken


def test_definitions_that_may_not_be_read_are_not_asked_for(server: Server, tmp_path: Path) -> None:
    """The missing right is told, and nothing that follows from it."""
    here = scope(tmp_path, f"http://127.0.0.1:{server.server_port}")
    server.forbidden = {"customresourcedefinitions"}
    (found,) = check_cluster(here, [DATABASE], [MONITOR])
    assert "may not get customresourcedefinitions.apiextensions.k8s.io cluster-wide" in found
    assert server.asked == []


def test_objects_of_others_are_told_with_the_rest(server: Server, tmp_path: Path) -> None:
    """A foreign object in the stack's own namespace, beside a volume that would shrink."""
    server.namespaces["monitoring-dev"] = {"io.observability.stack": "dev"}
    server.objects["/api/v1/namespaces/monitoring-dev/serviceaccounts/db"] = {"app": "other"}
    server.claims["data-db-0"] = "8Gi"
    taken, volume = ask(tmp_path, server)
    assert taken == (
        "ServiceAccount db in namespace monitoring-dev exists and was not made by this program; remove it,"
        " or choose another namespace with kubernetes.namespace"
    )
    assert "cannot shrink" in volume
