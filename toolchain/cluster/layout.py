"""Where everything of the cluster lies and which addresses it uses: the one place both sides of its namespaces read."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

NODE = "node1"
NODE_IP = "10.99.0.1"
SERVICE_CIDR = "10.96.0.0/16"
POD_CIDR = "10.244.0.0/24"
API_IP = "10.96.0.1"
DNS_IP = "10.96.0.10"
"""Addresses inside the cluster's own network namespace; the host has none of them."""
API_PORT = 6443
"""Of the API server in its namespace; on the host it is another one, on loopback."""
SOCKET = "/run/containerd/containerd.sock"
"""Of the cluster's own containerd, in its own mount namespace, so one that Docker runs is not in the way."""
POD_LOGS = "/var/log/pods"
"""Where pods find all pods' logs by a hostPath volume, as on any node."""
STORAGE_CLASS = "standard"
PROVISIONER = "observability.local/directory"


@dataclass(frozen=True)
class Layout:
    """One cluster: its directory, and where its programs and its network plug-ins are."""

    directory: Path
    programs: Path
    plugins: Path

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

    @property
    def cgroup(self) -> str:
        """The parent of all pods' cgroups, another one for each directory."""
        return "observability-" + hashlib.sha256(str(self.directory).encode()).hexdigest()[:8]

    def find_kubeconfig(self, user: str) -> Path:
        """The kubeconfig of one of the cluster's own processes, for use inside."""
        return self.run / f"{user}.kubeconfig"

    def write(self, path: Path) -> None:
        """Write the layout for the process that runs the cluster."""
        path.write_text(json.dumps({name: str(value) for name, value in asdict(self).items()}))


def read_layout(path: Path) -> Layout:
    """The layout that `Layout.write` wrote."""
    return Layout(**{name: Path(value) for name, value in json.loads(path.read_text()).items()})


def write_file(path: Path, text: str, mode: int = 0o600) -> None:
    """Write `text` to a new file that never has a wider mode than `mode`, whole or not at all."""
    draft = path.with_name(f".{path.name}.draft")
    draft.unlink(missing_ok=True)
    draft.touch(mode=0o600)
    draft.write_text(text)
    draft.chmod(mode)
    draft.rename(path)
