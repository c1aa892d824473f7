"""The node: containerd, the kubelet, kube-proxy and kube-router, with their configuration."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from toolchain.cluster.api import Api
from toolchain.cluster.images import PAUSE_REFERENCE
from toolchain.cluster.layout import (
    DNS_IP,
    NODE_IP,
    POD_CIDR,
    POD_LOGS,
    SERVICE_CIDR,
    SOCKET,
    Layout,
    Node,
    write_file,
)
from toolchain.cluster.processes import Processes

Config = dict[str, object]
POLICY_CHAIN = "KUBE-ROUTER-FORWARD"
"""The firewall's chain that kube-router makes when it first enforces."""
_SNAPSHOTTERS = ("btrfs", "zfs", "aufs", "devmapper")


def start_containerd(layout: Layout, node: Node, processes: Processes) -> None:
    """Start the node's own containerd and wait until it answers."""
    folder = layout.find_folder(node)
    write_file(folder / "containerd.toml", render_containerd_config(layout, node))
    (folder / "cni").mkdir()
    write_file(folder / "cni" / "10-bridge.conflist", json.dumps(build_network(node)))
    processes.start("containerd", ["containerd", "--config", f"{folder}/containerd.toml"])
    ask = ["ctr", "--address", SOCKET, "version"]
    processes.await_ready("containerd", lambda: subprocess.run(ask, capture_output=True, check=False).returncode == 0)


def start_node(layout: Layout, node: Node, processes: Processes, api: Api) -> None:
    """Start the kubelet and kube-proxy, wait until the node is Ready, and have its network enforce policies."""
    folder = layout.find_folder(node)
    write_file(folder / "resolv.conf", f"nameserver {NODE_IP}\n", 0o644)
    kubelet, proxy = folder / "kubelet.yaml", folder / "proxy.yaml"
    write_file(kubelet, json.dumps(build_kubelet_config(layout, node)))
    write_file(proxy, json.dumps(build_proxy_config(layout, node)))
    processes.start("kubelet", build_kubelet_command(layout, node, kubelet))
    processes.start("kube-proxy", [str(layout.programs / "kube-proxy"), f"--config={proxy}"])
    processes.await_ready("node Ready", lambda: _is_ready(api, node), seconds=120)
    processes.start("kube-router", build_policies_command(layout, node))
    chain = ["iptables", "--wait", "--list-rules", POLICY_CHAIN]
    processes.await_ready(
        "network policies", lambda: subprocess.run(chain, capture_output=True, check=False).returncode == 0
    )


def render_containerd_config(layout: Layout, node: Node) -> str:
    """https://github.com/containerd/containerd/blob/main/docs/cri/config.md"""
    disabled = ", ".join(f'"io.containerd.snapshotter.v1.{name}"' for name in _SNAPSHOTTERS)
    cri = '[plugins."io.containerd.grpc.v1.cri"'
    return f"""version = 2
root = "{layout.find_folder(node)}/containerd"
state = "/run/containerd"
disabled_plugins = [{disabled}]
[grpc]
  address = "{SOCKET}"
{cri}]
  sandbox_image = "{PAUSE_REFERENCE}"
  restrict_oom_score_adj = true
{cri}.cni]
  bin_dir = "{layout.plugins}"
  conf_dir = "{layout.find_folder(node)}/cni"
"""


def build_network(node: Node) -> Config:
    """A bridge for the pods and their host ports (https://www.cni.dev/plugins/current/main/bridge/).

    Pods keep their addresses on the way to another node, whose policies name them.
    """
    ipam = {
        "type": "host-local",
        "ranges": [[{"subnet": node.pod_cidr}]],
        "routes": [{"dst": "0.0.0.0/0"}],
        "dataDir": "/run/cni-ipam",
    }
    bridge = {"type": "bridge", "bridge": "cni0", "isGateway": True, "hairpinMode": True, "ipam": ipam}
    ports = {"type": "portmap", "capabilities": {"portMappings": True}}
    return {"cniVersion": "1.0.0", "name": "pods", "plugins": [bridge, ports]}


def build_kubelet_config(layout: Layout, node: Node) -> Config:
    """https://kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1/"""
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": node.address,
        "healthzBindAddress": "127.0.0.1",
        "readOnlyPort": 0,
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": f"{layout.pki}/ca.crt"},
        },
        "authorization": {"mode": "Webhook"},
        "clusterDNS": [DNS_IP],
        "clusterDomain": "cluster.local",
        "resolvConf": f"{layout.find_folder(node)}/resolv.conf",
        "containerRuntimeEndpoint": f"unix://{SOCKET}",
        "podLogsDir": POD_LOGS,
        "failCgroupV1": False,
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{layout.find_cgroup(node)}",
        "failSwapOn": False,
        # Images come by hand and cannot be pulled again, so none is ever collected and a full disk evicts late.
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
        "evictionHard": {"memory.available": "100Mi", "nodefs.available": "1%", "imagefs.available": "1%"},
        # A tenth of the usual minute: a changed ConfigMap or Secret reaches its pod while somebody looks.
        "syncFrequency": "6s",
        "nodeStatusUpdateFrequency": "10s",
    }


def build_kubelet_command(layout: Layout, node: Node, config: Path) -> list[str]:
    """The kubelet's flags, for what its configuration cannot say."""
    return [
        str(layout.programs / "kubelet"),
        f"--config={config}",
        f"--kubeconfig={layout.find_kubeconfig(f'kubelet-{node.name}')}",
        "--root-dir=/var/lib/kubelet",
        f"--cert-dir={layout.find_folder(node)}/kubelet-pki",
        f"--node-ip={node.address}",
        f"--hostname-override={node.name}",
    ]


def build_proxy_config(layout: Layout, node: Node) -> Config:
    """https://kubernetes.io/docs/reference/config-api/kube-proxy-config.v1alpha1/"""
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "iptables",
        "clusterCIDR": POD_CIDR,
        "clientConnection": {"kubeconfig": str(layout.find_kubeconfig("proxy"))},
        "bindAddress": node.address,
        "hostnameOverride": node.name,
        # These are the machine's own settings, which a cluster in a namespace may not change.
        "conntrack": {"maxPerCore": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
        "iptables": {"minSyncPeriod": "0s"},
    }


def build_policies_command(layout: Layout, node: Node) -> list[str]:
    """kube-router's network policies alone: a bridge does not enforce any, and kube-proxy has the services.

    Flags: https://github.com/cloudnativelabs/kube-router/blob/master/docs/user-guide.md
    """
    return [
        str(layout.programs / "kube-router"),
        f"--kubeconfig={layout.find_kubeconfig('policies')}",
        f"--hostname-override={node.name}",
        f"--service-cluster-ip-range={SERVICE_CIDR}",
    ]


def _is_ready(api: Api, node: Node) -> bool:
    conditions = api.get(f"/api/v1/nodes/{node.name}")["status"]["conditions"]
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)
