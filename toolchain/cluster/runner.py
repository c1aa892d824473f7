"""The process that a cluster is: `python -m toolchain.cluster.runner LAYOUT` in the foreground until it is ended.

Everything, pods included, runs in process, mount and network namespaces of its own. The runner's one child holds them
and dies with it, by SIGKILL too, and all processes inside die with that child. The API is offered on the host's
loopback by a socket that is opened here and handed in.
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
from toolchain.cluster.api import Api
from toolchain.cluster.control_plane import start_control_plane
from toolchain.cluster.forward import forward_connections
from toolchain.cluster.layout import API_PORT, NODE_IP, Layout, read_layout, write_file
from toolchain.cluster.node import start_containerd, start_node
from toolchain.cluster.pki import write_pki
from toolchain.cluster.processes import ProcessEnded, Processes
from toolchain.cluster.storage import Provisioner
from toolchain.run import run_command

_NAMESPACES = ("--net", "--mount", "--pid", "--uts", "--ipc", "--fork", "--kill-child", "--mount-proc")
_BACKLOG = 64


def run_outside(path: Path) -> int:
    """Prepare a fresh run, start the child that holds the namespaces, and clean up when it has ended."""
    layout = read_layout(path)
    # SIGTERM becomes an ordinary exit, so that what follows `finally` is done.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    clear_run(layout)
    for folder in (layout.logs, layout.volumes):
        folder.mkdir(parents=True)
    cgroups.make_cgroup(layout.cgroup)
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
    cgroups.remove_cgroup(layout.cgroup)
    layout.kubeconfig.unlink(missing_ok=True)
    logs = layout.directory / "last-logs"
    if layout.logs.is_dir() and any(layout.logs.iterdir()):
        shutil.rmtree(logs, ignore_errors=True)
        layout.logs.rename(logs)
    shutil.rmtree(layout.run, ignore_errors=True)


def _start_unshared(path: Path, listener: int) -> subprocess.Popen[bytes]:
    inner = [sys.executable, "-m", "toolchain.cluster.runner", str(path), str(listener)]
    # setpriv has the kernel end the child with us, even where we are killed and can do nothing about it any more.
    command = ["setpriv", "--pdeathsig", "KILL", "unshare", *_NAMESPACES, *inner]
    return subprocess.Popen(command, pass_fds=[listener], stdin=subprocess.DEVNULL)


def run_inside(path: Path, listener: int) -> int:
    """Be the first process of the namespaces: mounts, network, then all processes; ends when one of them does."""
    layout = read_layout(path)
    processes = Processes(layout.logs)
    _mount_directories(layout)
    _set_up_network()
    _serve_forward(socket.socket(fileno=listener))
    try:
        api = _start_all(layout, processes)
        write_file(layout.ready, "")
        threading.Thread(target=Provisioner(api, layout.volumes).run_forever, daemon=True).start()
        processes.watch()
    except ProcessEnded as reason:
        print(reason, file=sys.stderr, flush=True)
    return 1


def _start_all(layout: Layout, processes: Processes) -> Api:
    start_containerd(layout, processes)
    api = start_control_plane(layout, processes)
    start_node(layout, processes, api)
    return api


def _mount_directories(layout: Layout) -> None:
    """Give the node its own /run, /var/lib and /var/log; the latter two on disk, for pods that mount them."""
    run_command(["mount", "--make-rshared", "/"])
    run_command(["mount", "-t", "tmpfs", "tmpfs", "/run"])
    Path("/run/lock").mkdir()
    for inner in ("/var/lib", "/var/log"):
        directory = layout.run / "node" / Path(inner).name
        directory.mkdir(parents=True)
        run_command(["mount", "--bind", str(directory), inner])
    # No name is ever resolved here, so an image that is not loaded fails at once instead of after a minute.
    write_file(layout.run / "no-names", "nameserver 127.0.0.1\n", 0o644)
    run_command(["mount", "--bind", f"{layout.run}/no-names", "/etc/resolv.conf"])


def _set_up_network() -> None:
    """Loopback, and a bridge with the node's address, which is the way to everywhere."""
    for arguments in (
        "link set lo up",
        "link add node0 type bridge",
        f"addr add {NODE_IP}/24 dev node0",
        "link set node0 up",
        "route add default dev node0",
    ):
        run_command(["ip", *arguments.split()])
    for setting in ("net/ipv4/ip_forward", "net/bridge/bridge-nf-call-iptables"):
        if (switch := Path("/proc/sys", setting)).exists():
            switch.write_text("1")


def _serve_forward(listener: socket.socket) -> None:
    threading.Thread(target=forward_connections, args=(listener, ("127.0.0.1", API_PORT)), daemon=True).start()


if __name__ == "__main__":
    here = Path(sys.argv[1])
    status = run_inside(here, int(sys.argv[2])) if len(sys.argv) > 2 else run_outside(here)
    sys.stdout.flush()
    # Threads that still serve connections would keep the end waiting.
    os._exit(status)
