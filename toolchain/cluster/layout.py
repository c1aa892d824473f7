"""Where everything of the cluster lies and which addresses it uses: the one place both sides of its namespaces read."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

NODE_IP = "10.99.0.1"
"""Of the first node, where the API server is."""
SERVICE_CIDR = "10.96.0.0/16"
POD_CIDR = "10.244.0.0/16"
"""Of the pods of all nodes."""
API_IP = "10.96.0.1"
DNS_IP = "10.96.0.10"
"""Addresses inside the cluster's own network namespaces; the host has none of them."""
API_PORT = 6443
"""Of the API server in its namespace; on the host it is another one, on loopback."""
SOCKET = "/run/containerd/containerd.sock"
"""Of the cluster's own containerd, in its own mount namespace, so one that Docker runs is not in the way."""
POD_LOGS = "/var/log/pods"
"""Where pods find all pods' logs by a hostPath volume, as on any node."""
STORAGE_CLASS = "standard"
PROVISIONER = "observability.local/directory"


@dataclass(frozen=True)
class Node:
    """A node by its number, from 1 on; the first one has the control plane beside it."""

    number: int

    @property
    def name(self) -> str:
        """Its name in the API, which is its host name too."""
        return f"node{self.number}"

    @property
    def address(self) -> str:
        """Its address on the bridge that joins all nodes."""
        return f"10.99.0.{self.number}"

    @property
    def pod_cidr(self) -> str:
        """The addresses of its pods."""
        return f"10.244.{self.number - 1}.0/24"


FIRST = Node(1)


@dataclass(frozen=True)
class Layout:
    """One cluster: its directory, where its programs and its network plug-ins are, and how many nodes it has."""

    directory: Path
    programs: Path
    plugins: Path
    node_count: int = 1

    @property
    def nodes(self) -> tuple[Node, ...]:
        """Its nodes, the first one first."""
        return tuple(Node(number) for number in range(1, self.node_count + 1))

    @property
    def run(self) -> Path:
        """All that one run of the cluster writes; a new run begins with an empty one."""
        return self.directory / "run"

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig, mode 0600, with the API's port on the host's loopback."""
        return self.directory / "kubeconfig"

    @property
    def ready(self) -> Path:
        """Exists once the node is Ready."""
        return self.run / "ready"

    @property
    def namespace(self) -> Path:
        """Holds the number of a process in the cluster's mount namespace, to enter it by."""
        return self.run / "namespace.pid"

    @property
    def pki(self) -> Path:
        """Keys and certificates of this run."""
        return self.run / "pki"

    @property
    def logs(self) -> Path:
        """The processes' own logs."""
        return self.run / "log"

    @property
    def volumes(self) -> Path:
        """One directory for each persistent volume."""
        return self.run / "volumes"

    def find_cgroup(self, node: Node) -> str:
        """The parent of the cgroups of a node's pods, another one for each directory."""
        name = "observability-" + hashlib.sha256(str(self.directory).encode()).hexdigest()[:8]
        return name if node == FIRST else f"{name}-{node.name}"

    def find_folder(self, node: Node) -> Path:
        """Where a node's own files lie."""
        return self.run / node.name

    def find_holder(self, node: Node) -> Path:
        """Holds the number, in the first node's process namespace, of the process that a further node is."""
        return self.find_folder(node) / "holder.pid"

    def find_kubeconfig(self, user: str) -> Path:
        """The kubeconfig of one of the cluster's own processes, for use inside."""
        return self.run / f"{user}.kubeconfig"

    def write(self, path: Path) -> None:
        """Write the layout for the process that runs the cluster."""
        path.write_text(json.dumps(asdict(self), default=str))


def read_layout(path: Path) -> Layout:
    """The layout that `Layout.write` wrote."""
    written = json.loads(path.read_text())
    count = written.pop("node_count", 1)
    return Layout(**{name: Path(value) for name, value in written.items()}, node_count=count)


def write_file(path: Path, text: str, mode: int = 0o600) -> None:
    """Write `text` to a new file that never has a wider mode than `mode`, whole or not at all."""
    draft = path.with_name(f".{path.name}.draft")
    draft.unlink(missing_ok=True)
    draft.touch(mode=0o600)
    draft.write_text(text)
    draft.chmod(mode)
    draft.rename(path)
