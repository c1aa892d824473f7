"""A second Docker engine on this machine that shares neither network nor files with the deployer.

It lives in a network namespace and a mount namespace of its own, in which the checkout, the temporary folder and the
home directory are hidden, and is reached over a virtual link: by TCP with client certificates, or by SSH. It is the
distribution's, or with `newest` the one that the toolchain builds, which keeps images in containerd.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import docker

from cli.engine import open_client
from tests.support.running import ROOT, Engine
from tests.support.waiting import eventually

NAMESPACE, HERE, THERE, PORT = "obs-e2e", "10.213.0.1", "10.213.0.2", 2376


def _run(*command: str, cwd: Path | None = None) -> None:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")


def make_certificates(folder: Path) -> None:
    """A certificate authority, and a server's and a client's certificate, as Docker's tls options want them."""
    days = ("-days", "2")
    _run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca-key.pem", "-out", "ca.pem",
         *days, "-subj", "/CN=test engine CA", cwd=folder)  # fmt: skip
    for name, usage in (("server", "serverAuth"), ("client", "clientAuth")):
        extensions = folder / f"{name}.ext"
        extensions.write_text(f"subjectAltName=IP:{THERE}\nextendedKeyUsage={usage}\n")
        key = "key.pem" if name == "client" else "server-key.pem"
        certificate = "cert.pem" if name == "client" else "server-cert.pem"
        _run("openssl", "req", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", f"{name}.csr",
             "-subj", f"/CN={name}", cwd=folder)  # fmt: skip
        _run("openssl", "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca-key.pem",
             "-CAcreateserial", "-out", certificate, *days, "-extfile", str(extensions), cwd=folder)  # fmt: skip


def newest_programs() -> Path:
    """The folder with the programs of the newest engine, built where they are not there yet."""
    command = [sys.executable, "-m", "toolchain", "engine", "--newest"]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    return Path(done.stdout.strip().splitlines()[-1])


class Forwarder:
    """Makes a port of loopback reachable at an address of the test's own network."""

    def __init__(self, address: str, port: int) -> None:
        self._port = port
        self._listener = socket.create_server((address, port))
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(("127.0.0.1", self._port))
            except OSError:
                near.close()
                continue
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self._pump, args=(source, sink), daemon=True).start()

    @staticmethod
    def _pump(source: socket.socket, sink: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            source.close()

    def close(self) -> None:
        """Stops listening."""
        self._listener.close()


class RemoteEngine:
    """The second engine as a context manager; `engine` is what tests are given."""

    def __init__(self, folder: Path, kind: str, registry_port: int = 5000) -> None:
        self._folder, self._kind, self._registry_port = folder, kind, registry_port
        self._view = folder / "view"
        self._processes: list[subprocess.Popen[bytes]] = []
        self._daemon: subprocess.Popen[bytes] | None = None
        self.engine: Engine

    def __enter__(self) -> RemoteEngine:
        needed = (
            "ip",
            "openssl",
            "nsenter",
            "dockerd",
            *(("sshd", "ssh", "ssh-keygen") if self._kind == "ssh" else ()),
            *(("nft",) if self._kind == "newest" else ()),
        )
        if missing := [program for program in needed if not shutil.which(program)]:
            raise RuntimeError(
                f"the second engine needs {', '.join(missing)}: install iproute2, openssl, openssh-server, nftables"
            )
        self._view.mkdir()
        make_certificates(self._view)
        if self._kind == "newest":
            shutil.copytree(newest_programs(), self._view / "bin")
        for left in (["netns", "delete", NAMESPACE], ["link", "delete", "obs-e2e"]):  # by a run that was killed
            subprocess.run(["ip", *left], capture_output=True, check=False)
        _run("ip", "netns", "add", NAMESPACE)
        _run("ip", "link", "add", "obs-e2e", "type", "veth", "peer", "name", "eth0", "netns", NAMESPACE)
        _run("ip", "addr", "add", f"{HERE}/30", "dev", "obs-e2e")
        _run("ip", "link", "set", "obs-e2e", "up")
        for command in (f"addr add {THERE}/30 dev eth0", "link set eth0 up", "link set lo up"):
            _run("ip", "-n", NAMESPACE, *command.split())
        self._forwarder = Forwarder(HERE, self._registry_port)
        self._start({})
        if self._kind == "ssh":
            self._start_sshd()
        self.engine = self._engine()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._forwarder.close()
        for process in self._processes:
            process.terminate()
            process.wait(60)
        self._stop()
        _run("ip", "netns", "delete", NAMESPACE)
        shutil.rmtree(self._view, ignore_errors=True)

    def _start(self, daemon: Mapping[str, Any]) -> None:
        """Starts dockerd in namespaces of its own, with `daemon` as its daemon.json."""
        (self._view / "daemon.json").write_text(json.dumps(daemon))
        wanted = {ROOT, Path.home(), Path("/tmp")}
        hidden = sorted(str(path) for path in wanted if not wanted & set(path.parents))
        mounts = " && ".join(f"mount -t tmpfs none {path}" for path in hidden)
        options = (
            f"--tlsverify --tlscacert=/mnt/ca.pem --tlscert=/mnt/server-cert.pem --tlskey=/mnt/server-key.pem "
            f"-H tcp://{THERE}:{PORT} -H unix:///var/run/docker.sock --exec-root=/run/docker "
            f"--pidfile=/run/docker.pid --config-file=/mnt/daemon.json --insecure-registry={HERE}:{self._registry_port}"
        )
        script = (
            f"mount --make-rprivate / && mkdir -p {self._view}/data /var/lib/docker && mount --bind {self._view} /mnt "
            f"&& mount --bind /mnt/data /var/lib/docker && mount -t tmpfs none /run && {mounts} "
            f"&& PATH=/mnt/bin:$PATH exec dockerd {options}"
        )
        with (self._folder / "dockerd.log").open("ab") as log:
            self._daemon = subprocess.Popen(
                ["nsenter", f"--net=/run/netns/{NAMESPACE}", "unshare", "--mount", "sh", "-c", script],
                stdout=log,
                stderr=log,
            )
        try:
            eventually(self._answers, timeout=60, what="the second engine")
        except AssertionError as error:
            self._daemon.kill()
            raise AssertionError(f"{error}\n{(self._folder / 'dockerd.log').read_text()[-2000:]}") from None

    def _stop(self) -> None:
        """Ends the engine, and its containers where it leaves them running (`live-restore`)."""
        assert self._daemon is not None
        self._daemon.terminate()
        self._daemon.wait(90)
        pids = subprocess.run(["ip", "netns", "pids", NAMESPACE], capture_output=True, text=True, check=False).stdout
        shims = [int(pid) for pid in pids.split() if "shim" in (Path("/proc") / pid / "comm").read_text()]
        for shim in shims:
            children = (Path(f"/proc/{shim}/task/{shim}/children")).read_text().split()
            for pid in (*map(int, children), shim):
                os.kill(pid, signal.SIGKILL)

    def _answers(self) -> bool:
        try:
            return bool(self._client().ping())
        except (docker.errors.DockerException, OSError):
            return False

    def _client(self) -> docker.DockerClient:
        return open_client(f"tcp://{THERE}:{PORT}", self._view)

    def _restart(self, daemon: Mapping[str, Any]) -> None:
        self._stop()
        self._start(daemon)
        if self._kind == "ssh":  # sshd lived in the namespaces of the engine that ended
            self._start_sshd()

    def _engine(self) -> Engine:
        mirror = {"registryMirror": f"{HERE}:{self._registry_port}"}
        host: dict[str, Any] = {"restart": self._restart, "network": self._network, "files": self._files}
        if self._kind != "ssh":
            settings = {**mirror, "host": f"tcp://{THERE}:{PORT}", "certPath": str(self._view)}
            return Engine(self._client(), settings, **host)
        settings = {**mirror, "host": f"ssh://root@{THERE}"}
        path = os.pathsep.join([str(self._folder / "bin"), os.environ["PATH"]])
        return Engine(self._client(), settings, env={"PATH": path}, **host)

    @staticmethod
    def _network() -> tuple[str, ...]:
        return ("nsenter", f"--net=/run/netns/{NAMESPACE}")

    def _files(self) -> tuple[str, ...]:
        assert self._daemon is not None
        return ("nsenter", "-t", str(self._daemon.pid), "-m")

    def _start_sshd(self) -> None:
        """sshd beside the engine, and an `ssh` in front of the real one that knows its key and its host."""
        for process in self._processes:
            process.terminate()
            process.wait(30)
        self._processes.clear()
        for name in () if (self._view / "host").exists() else ("host", "user"):
            _run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", name, cwd=self._view)
        (self._view / "sshd_config").write_text(
            f"ListenAddress {THERE}\nHostKey /mnt/host\nAuthorizedKeysFile /mnt/user.pub\nStrictModes no\n"
            "PasswordAuthentication no\nPermitRootLogin prohibit-password\nPidFile none\nUsePAM no\nMaxSessions 100\n"
            "MaxStartups 100\n"
        )
        script = "mkdir -p /run/sshd && exec /usr/sbin/sshd -D -e -f /mnt/sshd_config"
        assert self._daemon is not None
        with (self._folder / "sshd.log").open("ab") as log:
            self._processes.append(
                subprocess.Popen(
                    ["nsenter", "-t", str(self._daemon.pid), "-m", "-n", "sh", "-c", script], stdout=log, stderr=log
                )
            )
        hosts = self._folder / "known_hosts"
        hosts.write_text(f"{THERE} {(self._view / 'host.pub').read_text()}")
        wrapper = self._folder / "bin" / "ssh"
        wrapper.parent.mkdir(exist_ok=True)
        wrapper.write_text(
            f"#!/bin/sh\nexec {shutil.which('ssh')} -i {self._view}/user -o UserKnownHostsFile={hosts} "
            f'-o StrictHostKeyChecking=yes -o LogLevel=ERROR "$@"\n'
        )
        wrapper.chmod(0o755)
        eventually(lambda: socket.create_connection((THERE, 22), 1), timeout=20, what="sshd")
