"""The cluster from packages behaves like any other one where a stack relies on it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.kubernetes.conftest import WAIT_SECONDS, Kubectl
from tests.support.pods import pod, web
from tests.support.waiting import eventually


def ready(kubectl: Kubectl, name: str) -> None:
    """Wait until the pod is Ready."""
    kubectl("wait", "--for=condition=Ready", f"pod/{name}", "--timeout=60s")


def claim(size: str) -> dict[str, Any]:
    """A claim of the default storage class."""
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data"}, "spec": spec}


def test_node_and_name_service_are_ready(kubectl: Kubectl) -> None:
    """The node is Ready, and so is CoreDNS."""
    (node,) = kubectl.get("nodes")["items"]
    assert ("Ready", "True") in {(c["type"], c["status"]) for c in node["status"]["conditions"]}
    assert kubectl.get("deployment", "coredns", "-n", "kube-system")["status"]["readyReplicas"] == 1


def test_kubeconfig_is_its_owners_alone(kubeconfig: Path) -> None:
    """It holds the administrator's token and points to loopback."""
    assert kubeconfig.stat().st_mode & 0o777 == 0o600
    (cluster,) = json.loads(kubeconfig.read_text())["clusters"]
    assert cluster["cluster"]["server"].startswith("https://127.0.0.1:")


def test_hardened_pod_runs_from_a_loaded_image(kubectl: Kubectl) -> None:
    """Non-root, read-only root, no capability: the image is there under the name that a pod gives it."""
    kubectl.apply(pod("am", "alertmanager", "/bin/alertmanager", "--version"))
    eventually(
        lambda: "alertmanager, version" in kubectl.attempt("logs", "am").stdout,
        timeout=WAIT_SECONDS,
        what="the version is logged",
    )
    kubectl.apply(pod("shell", "busybox", "sleep", "3600"))
    ready(kubectl, "shell")
    assert kubectl("exec", "shell", "--", "id", "-u").strip() == "10000"
    assert kubectl.attempt("exec", "shell", "--", "touch", "/file").returncode != 0


def test_privileged_pod_is_refused(kubectl: Kubectl) -> None:
    """The namespace's Pod Security level is enforced."""
    wrong = pod("wrong", "busybox", "sleep", "1")
    wrong["spec"]["containers"][0]["securityContext"] = {"privileged": True}
    refused = kubectl.attempt("apply", "--filename=-", document=wrong)
    assert "violates PodSecurity" in refused.stderr


def test_claim_is_bound_written_and_grown(kubectl: Kubectl) -> None:
    """A claim binds, any user can write to it, it grows when asked to, and refuses to shrink."""
    kubectl.apply(claim("1Gi"))
    volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]
    kubectl.apply(pod("writer", "busybox", "sh", "-c", "echo kept > /data/file && sleep 3600", volumes=volumes))
    ready(kubectl, "writer")
    eventually(
        lambda: "kept" in kubectl.attempt("exec", "writer", "--", "cat", "/data/file").stdout,
        timeout=WAIT_SECONDS,
        what="the file is there",
    )
    kubectl.apply(claim("2Gi"))
    eventually(
        lambda: kubectl.get("pvc", "data")["status"]["capacity"]["storage"] == "2Gi",
        timeout=WAIT_SECONDS,
        what="the claim has grown",
    )
    assert "shrunk" in kubectl.attempt("apply", "--filename=-", document=claim("1Gi")).stderr.replace("less", "shrunk")


def test_service_is_found_by_name(kubectl: Kubectl) -> None:
    """A pod reaches another one through its service's name."""
    kubectl.apply(web("web", "hello", 8080))
    spec = {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8080}]}
    kubectl.apply({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": spec})
    kubectl.apply(pod("client", "busybox", "sleep", "3600"))
    ready(kubectl, "web")
    ready(kubectl, "client")
    full = f"web.{kubectl.namespace}.svc.cluster.local"

    def looked_up() -> bool:
        return kubectl.attempt("exec", "client", "--", "nslookup", full).returncode == 0

    eventually(looked_up, timeout=WAIT_SECONDS, what="the name is known")
    get = ("exec", "client", "--", "sh", "-c", f"printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc {full} 80")
    eventually(lambda: "hello" in kubectl.attempt(*get).stdout, timeout=WAIT_SECONDS, what="the service answers")


def test_network_policies_are_enforced(kubectl: Kubectl) -> None:
    """A pod is reached until a policy closes it, and by those again that another one lets in."""
    kubectl.apply(web("web", "hello", 8080))
    kubectl.apply(pod("client", "busybox", "sleep", "3600"))
    ready(kubectl, "web")
    ready(kubectl, "client")
    address = kubectl.get("pod", "web")["status"]["podIP"]

    def reached() -> bool:
        return kubectl.attempt("exec", "client", "--", "nc", "-w", "2", address, "8080", "-e", "true").returncode == 0

    def policy(name: str, **spec: Any) -> dict[str, Any]:
        kind = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": name}}
        return {**kind, "spec": {"podSelector": {"matchLabels": {"app": "web"}}, "policyTypes": ["Ingress"], **spec}}

    eventually(reached, timeout=WAIT_SECONDS, what="it is reached")
    kubectl.apply(policy("closed"))
    eventually(lambda: not reached(), timeout=WAIT_SECONDS, what="it is closed")
    kubectl.apply(policy("open", ingress=[{"from": [{"podSelector": {"matchLabels": {"app": "client"}}}]}]))
    eventually(reached, timeout=WAIT_SECONDS, what="it is reached again")


def test_pod_logs_lie_where_agents_look(kubectl: Kubectl) -> None:
    """A node-level agent that mounts the log folders sees the real files, under both names."""
    kubectl.apply(pod("speaker", "busybox", "sh", "-c", "echo spoken words; sleep 3600"))
    ready(kubectl, "speaker")
    paths = [("logs", "/var/log/pods"), ("links", "/var/log/containers")]
    agent = pod("agent", "busybox", "sleep", "3600")
    container = agent["spec"]["containers"][0]
    container["securityContext"] |= {"runAsUser": 0, "runAsNonRoot": False}
    container["volumeMounts"] = [{"name": name, "mountPath": path, "readOnly": True} for name, path in paths]
    agent["spec"]["volumes"] = [{"name": name, "hostPath": {"path": path}} for name, path in paths]
    kubectl("label", "namespace", kubectl.namespace, "pod-security.kubernetes.io/enforce=privileged", "--overwrite")
    kubectl.apply(agent)
    ready(kubectl, "agent")
    found = kubectl("exec", "agent", "--", "sh", "-c", "cat /var/log/containers/speaker_*.log")
    assert "spoken words" in found
    files = kubectl("exec", "agent", "--", "sh", "-c", f"ls /var/log/pods/{kubectl.namespace}_speaker_*/main")
    assert files.strip() == "0.log"


@pytest.mark.parametrize(("path", "metric"), [("metrics", "kubelet_"), ("metrics/cadvisor", "container_memory")])
def test_kubelet_metrics_need_a_role(kubectl: Kubectl, path: str, metric: str) -> None:
    """The kubelet's metrics come through the API server for who may read them, and for nobody else."""
    (node,) = kubectl.get("nodes")["items"]
    raw = f"/api/v1/nodes/{node['metadata']['name']}/proxy/{path}"
    eventually(lambda: metric in kubectl("get", "--raw", raw), timeout=WAIT_SECONDS, what="the metric is there")
    stranger = f"--as=system:serviceaccount:{kubectl.namespace}:default"
    assert "orbidden" in kubectl.attempt("get", "--raw", raw, stranger).stderr


def test_objects_of_the_cluster_are_counted(kubectl: Kubectl) -> None:
    """kube-state-metrics serves the state of the pods that its role lets it read."""
    kubectl("create", "role", "reader", "--verb=list,watch", "--resource=pods")
    kubectl("create", "rolebinding", "reader", "--role=reader", f"--serviceaccount={kubectl.namespace}:default")
    kubectl.apply(pod("ksm", "kube-state-metrics", args=["--resources=pods", f"--namespaces={kubectl.namespace}"]))
    ready(kubectl, "ksm")
    raw = f"/api/v1/namespaces/{kubectl.namespace}/pods/ksm:8080/proxy/metrics"
    eventually(
        lambda: 'pod="ksm"' in kubectl.attempt("get", "--raw", raw).stdout,
        timeout=WAIT_SECONDS,
        what="its own pod is counted",
    )
