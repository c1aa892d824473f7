"""The process that a cluster is: `python -m toolchain.cluster.runner LAYOUT` in the foreground until it is ended.

Everything, pods included, runs in process, mount and network namespaces of its own. The runner's one child holds them
and dies with it, by SIGKILL too, and all processes inside die with that child. The API is offered on the host's
loopback by a socket that is opened here and handed in. Each further node is a child of that child, in namespaces of its
own within; one that is killed is gone like a machine that lost its power, and the others go on.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

from toolchain.cluster import cgroups
from toolchain.cluster.api import Api, read_api
from toolchain.cluster.control_plane import start_control_plane
from toolchain.cluster.forward import forward_connections
from toolchain.cluster.layout import API_PORT, FIRST, NODE_IP, Layout, Node, read_layout, write_file
from toolchain.cluster.node import start_containerd, start_node
from toolchain.cluster.pki import write_pki
from toolchain.cluster.processes import ProcessEnded, Processes
from toolchain.cluster.storage import Provisioner
from toolchain.run import run_command

_NAMESPACES = ("--mount", "--pid", "--uts", "--ipc", "--fork", "--kill-child", "--mount-proc")
_BRIDGE = "node0"
_NODE_SECONDS = 180
_BACKLOG = 64


def run_outside(path: Path) -> int:
    """Prepare a fresh run, start the child that holds the namespaces, and clean up when it has ended."""
    layout = read_layout(path)
    # SIGTERM becomes an ordinary exit, so that what follows `finally` is done.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    clear_run(layout)
    for folder in (layout.logs, layout.volumes, *map(layout.find_folder, layout.nodes)):
        folder.mkdir(parents=True)
    for node in layout.nodes:
        cgroups.make_cgroup(layout.find_cgroup(node))
    listener = socket.create_server(("127.0.0.1", 0), backlog=_BACKLOG)
    write_pki(layout, listener.getsockname()[1])
    child = _start_unshared(path, listener.fileno())
    listener.close()
    try:
        write_file(layout.namespace, f"{child.pid}\n")
        return child.wait()
    finally:
        child.kill()
        child.wait()
        clear_run(layout)


def clear_run(layout: Layout) -> None:
    """Remove what a run, ended or killed, left behind; its logs stay until the next one."""
    for node in layout.nodes:
        cgroups.remove_cgroup(layout.find_cgroup(node))
    layout.kubeconfig.unlink(missing_ok=True)
    logs = layout.directory / "last-logs"
    if layout.logs.is_dir() and any(layout.logs.iterdir()):
        shutil.rmtree(logs, ignore_errors=True)
        layout.logs.rename(logs)
    shutil.rmtree(layout.run, ignore_errors=True)


def _start_unshared(path: Path, listener: int) -> subprocess.Popen[bytes]:
    inner = [sys.executable, "-m", "toolchain.cluster.runner", str(path), str(listener)]
    # setpriv has the kernel end the child with us, even where we are killed and can do nothing about it any more.
    command = ["setpriv", "--pdeathsig", "KILL", "unshare", "--net", *_NAMESPACES, *inner]
    return subprocess.Popen(command, pass_fds=[listener], stdin=subprocess.DEVNULL)


def run_inside(path: Path, listener: int) -> int:
    """Be the first process of the namespaces: mounts, network, then all processes; ends when one of them does."""
    layout = read_layout(path)
    processes = Processes(layout.logs)
    _mount_directories(layout, FIRST)
    _set_up_network()
    _serve_forward(socket.socket(fileno=listener))
    try:
        api = _start_all(layout, processes)
        for node in layout.nodes[1:]:
            _start_further(path, layout, node)
        for node in layout.nodes[1:]:
            processes.await_ready(node.name, _find_ready(layout, node).exists, seconds=_NODE_SECONDS)
        write_file(layout.ready, "")
        threading.Thread(target=Provisioner(api, layout.volumes).run_forever, daemon=True).start()
        processes.watch()
    except ProcessEnded as reason:
        print(reason, file=sys.stderr, flush=True)
    return 1


def _start_all(layout: Layout, processes: Processes) -> Api:
    start_containerd(layout, FIRST, processes)
    api = start_control_plane(layout, processes)
    start_node(layout, FIRST, processes, api)
    return api


def _start_further(path: Path, layout: Layout, node: Node) -> None:
    """Start a node of its own network, joined to ours by the bridge."""
    _join_network(layout, node)
    inner = [sys.executable, "-m", "toolchain.cluster.runner", str(path), "--node", str(node.number)]
    with (layout.logs / f"{node.name}.log").open("wb") as log:
        holder = subprocess.Popen(
            ["nsenter", f"--net=/run/netns/{node.name}", "unshare", *_NAMESPACES, *inner],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
        )  # fmt: skip
    write_file(layout.find_holder(node), f"{holder.pid}\n")


def _find_ready(layout: Layout, node: Node) -> Path:
    return layout.find_folder(node) / "ready"


def run_further(path: Path, number: int) -> int:
    """Be the first process of a further node; ends when one of its processes does."""
    layout, node = read_layout(path), Node(number)
    logs = layout.logs / node.name
    logs.mkdir()
    processes = Processes(logs)
    _mount_directories(layout, node)
    _allow_forwarding()
    try:
        start_containerd(layout, node, processes)
        start_node(layout, node, processes, read_api(layout.find_kubeconfig("admin")))
        write_file(_find_ready(layout, node), "")
        processes.watch()
    except ProcessEnded as reason:
        print(reason, file=sys.stderr, flush=True)
    return 1


def _mount_directories(layout: Layout, node: Node) -> None:
    """Give the node its own /run, /var/lib and /var/log; the latter two on disk, for pods that mount them."""
    run_command(["mount", "--make-rshared", "/"])
    run_command(["mount", "-t", "tmpfs", "tmpfs", "/run"])
    Path("/run/lock").mkdir()
    for inner in ("/var/lib", "/var/log"):
        directory = layout.find_folder(node) / Path(inner).name
        directory.mkdir()
        run_command(["mount", "--bind", str(directory), inner])
    # No name is ever resolved here, so an image that is not loaded fails at once instead of after a minute.
    nowhere = layout.find_folder(node) / "no-names"
    write_file(nowhere, "nameserver 127.0.0.1\n", 0o644)
    run_command(["mount", "--bind", str(nowhere), "/etc/resolv.conf"])


def _set_up_network() -> None:
    """Loopback, and a bridge with the node's address, which is the way to everywhere."""
    _run_ip(
        "link set lo up",
        f"link add {_BRIDGE} type bridge",
        f"addr add {NODE_IP}/24 dev {_BRIDGE}",
        f"link set {_BRIDGE} up",
        f"route add default dev {_BRIDGE}",
    )
    _allow_forwarding()


def _join_network(layout: Layout, node: Node) -> None:
    """A network namespace on the first node's bridge, with a way to the pods of every other node and back."""
    others = [other for other in layout.nodes if other != node]
    inside = [
        "link set lo up",
        f"addr add {node.address}/24 dev eth0",
        "link set eth0 up",
        f"route add default via {NODE_IP}",
        *(f"route add {other.pod_cidr} via {other.address}" for other in others),
    ]
    _run_ip(
        f"netns add {node.name}",
        f"link add to-{node.name} type veth peer name eth0 netns {node.name}",
        f"link set to-{node.name} master {_BRIDGE} up",
        *(f"-n {node.name} {arguments}" for arguments in inside),
        f"route add {node.pod_cidr} via {node.address}",
    )


def _run_ip(*every: str) -> None:
    for arguments in every:
        run_command(["ip", *arguments.split()])


def _allow_forwarding() -> None:
    for setting in ("net/ipv4/ip_forward", "net/bridge/bridge-nf-call-iptables"):
        if (switch := Path("/proc/sys", setting)).exists():
            switch.write_text("1")


def _serve_forward(listener: socket.socket) -> None:
    threading.Thread(target=forward_connections, args=(listener, ("127.0.0.1", API_PORT)), daemon=True).start()


if __name__ == "__main__":
    here = Path(sys.argv[1])
    match sys.argv[2:]:
        case ["--node", number]:
            status = run_further(here, int(number))
        case [listener]:
            status = run_inside(here, int(listener))
        case _:
            status = run_outside(here)
    sys.stdout.flush()
    # Threads that still serve connections would keep the end waiting.
    os._exit(status)
