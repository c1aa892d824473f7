"""etcd, the API server, the controllers and the scheduler.

Flags: https://etcd.io/docs/v3.6/op-guide/configuration/ and
https://kubernetes.io/docs/reference/command-line-tools-reference/
"""

from __future__ import annotations

import ssl
import urllib.request

from toolchain.cluster.api import Api, read_api
from toolchain.cluster.layout import API_PORT, NODE_IP, SERVICE_CIDR, Layout
from toolchain.cluster.processes import Processes

CONTROLLERS_PORT = 10257
SCHEDULER_PORT = 10259
_ETCD = "http://127.0.0.1:2379"
_ETCD_PEER = "http://127.0.0.1:2380"
_QUICK_EVICTION = (
    "--default-not-ready-toleration-seconds=30",
    "--default-unreachable-toleration-seconds=30",
)
"""Pods of a node that is gone are made anew after half a minute in place of five."""
_UNAUTHENTICATED = "/healthz,/readyz,/livez"


def start_control_plane(layout: Layout, processes: Processes) -> Api:
    """Start all four in order, each when what it needs answers; gives the API."""
    api = read_api(layout.find_kubeconfig("admin"))
    processes.start("etcd", build_etcd_command(layout))
    processes.await_ready("etcd healthy", lambda: '"true"' in _read_text(f"{_ETCD}/health"))
    processes.start("kube-apiserver", build_api_server_command(layout))
    processes.await_ready("API server ready", lambda: api.get_text("/readyz") == "ok")
    processes.start("kube-controller-manager", build_controllers_command(layout))
    processes.start("kube-scheduler", build_scheduler_command(layout))
    for port, path in ((CONTROLLERS_PORT, "healthz"), (SCHEDULER_PORT, "readyz")):
        processes.await_ready(f"{path} on {port}", lambda u=f"https://127.0.0.1:{port}/{path}": _read_text(u) == "ok")  # type: ignore[misc]
    return api


def build_etcd_command(layout: Layout) -> list[str]:
    """etcd without waiting for the disk: what it holds is as short-lived as the cluster."""
    return [
        str(layout.programs / "etcd"),
        f"--data-dir={layout.run}/etcd",
        f"--listen-client-urls={_ETCD}",
        f"--advertise-client-urls={_ETCD}",
        f"--listen-peer-urls={_ETCD_PEER}",
        f"--initial-advertise-peer-urls={_ETCD_PEER}",
        f"--initial-cluster=default={_ETCD_PEER}",
        "--unsafe-no-fsync",
    ]


def build_api_server_command(layout: Layout) -> list[str]:
    """The API server: node and role authorization, the usual admission, and the aggregation layer."""
    pki = layout.pki
    return [
        str(layout.programs / "kube-apiserver"),
        f"--etcd-servers={_ETCD}",
        f"--secure-port={API_PORT}",
        f"--advertise-address={NODE_IP}",
        f"--service-cluster-ip-range={SERVICE_CIDR}",
        f"--tls-cert-file={pki}/api.crt",
        f"--tls-private-key-file={pki}/api.key",
        f"--client-ca-file={pki}/ca.crt",
        f"--token-auth-file={pki}/tokens.csv",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        "--allow-privileged=true",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={pki}/accounts.pub",
        f"--service-account-signing-key-file={pki}/accounts.key",
        f"--kubelet-client-certificate={pki}/api.crt",
        f"--kubelet-client-key={pki}/api.key",
        "--kubelet-preferred-address-types=InternalIP",
        f"--requestheader-client-ca-file={pki}/front-ca.crt",
        "--requestheader-allowed-names=front-proxy-client",
        "--requestheader-username-headers=X-Remote-User",
        "--requestheader-group-headers=X-Remote-Group",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-",
        f"--proxy-client-cert-file={pki}/front.crt",
        f"--proxy-client-key-file={pki}/front.key",
        "--profiling=false",
        *(_QUICK_EVICTION if layout.node_count > 1 else ()),
    ]


def build_controllers_command(layout: Layout) -> list[str]:
    """The controllers, each with its own service account's rights."""
    pki = layout.pki
    return [
        str(layout.programs / "kube-controller-manager"),
        f"--kubeconfig={layout.find_kubeconfig('controllers')}",
        f"--service-account-private-key-file={pki}/accounts.key",
        f"--root-ca-file={pki}/ca.crt",
        f"--cluster-signing-cert-file={pki}/ca.crt",
        f"--cluster-signing-key-file={pki}/ca.key",
        "--use-service-account-credentials=true",
        "--leader-elect=false",
        "--bind-address=127.0.0.1",
        f"--secure-port={CONTROLLERS_PORT}",
        f"--authorization-always-allow-paths={_UNAUTHENTICATED}",
        "--profiling=false",
    ]


def build_scheduler_command(layout: Layout) -> list[str]:
    """The scheduler."""
    return [
        str(layout.programs / "kube-scheduler"),
        f"--kubeconfig={layout.find_kubeconfig('scheduler')}",
        "--leader-elect=false",
        "--bind-address=127.0.0.1",
        f"--secure-port={SCHEDULER_PORT}",
        f"--authorization-always-allow-paths={_UNAUTHENTICATED}",
        "--profiling=false",
    ]


def _read_text(url: str) -> str:
    # Health endpoints on loopback, with certificates that the processes sign for themselves.
    blind = ssl._create_unverified_context() if url.startswith("https") else None  # noqa: S323
    with urllib.request.urlopen(url, timeout=2, context=blind) as answer:  # noqa: S310 - our own addresses
        return str(answer.read().decode())
