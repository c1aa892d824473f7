"""The node's configuration."""

from __future__ import annotations

import tomllib

from toolchain.cluster.images import PAUSE_REFERENCE
from toolchain.cluster.layout import FIRST, POD_CIDR, SERVICE_CIDR, SOCKET, Layout, Node
from toolchain.cluster.node import (
    build_kubelet_config,
    build_network,
    build_policies_command,
    build_proxy_config,
    render_containerd_config,
)
from toolchain.cluster.pki import USERS


def test_containerd_is_our_own(layout: Layout) -> None:
    """It has a socket and a store of its own, and the pause image that is loaded."""
    config = tomllib.loads(render_containerd_config(layout, FIRST))
    assert config["grpc"]["address"] == SOCKET
    assert config["root"].startswith(str(layout.run))
    assert config["plugins"]["io.containerd.grpc.v1.cri"]["sandbox_image"] == PAUSE_REFERENCE


def test_kubelet_asks_the_api_who_may_read_it(layout: Layout) -> None:
    """Metrics and logs of the kubelet need a token and a role; pods' logs lie where agents look for them."""
    config = build_kubelet_config(layout, FIRST)
    assert config["authorization"] == {"mode": "Webhook"}
    assert config["podLogsDir"] == "/var/log/pods"
    assert config["readOnlyPort"] == 0


def test_network_and_proxy_agree(layout: Layout) -> None:
    """The proxy takes the pods of every node for pods, and no pod loses its address on the way to another node."""
    assert build_proxy_config(layout, FIRST)["clusterCIDR"] == POD_CIDR
    network = str(build_network(Node(2)))
    assert Node(2).pod_cidr in network and "ipMasq" not in network


def test_policies_are_enforced_for_this_node(layout: Layout) -> None:
    """kube-router is told the node's own name and the addresses that services really have."""
    command = build_policies_command(layout, Node(2))
    assert "--hostname-override=node2" in command
    assert f"--service-cluster-ip-range={SERVICE_CIDR}" in command
    assert layout.find_kubeconfig("policies").stem in USERS
