"""The toolchain's environment, and the Docker engine that a stack is deployed to."""

from __future__ import annotations

import atexit
import io
import os
import shlex
import shutil
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import docker
from docker.errors import DockerException
from docker.models.containers import Container
from docker.tls import TLSConfig

from cli.tasks import Say, read_lines
from cli.workspace import ROOT
from model.settings import DEFAULT_SOCKET, DockerSettings

_OLDEST_API = "1.41"
"""API version of Docker 20.10, the oldest engine that is supported."""
_EXECUTE_SECONDS = 300
_ENDED_SECONDS = 30
_POLL = 0.05
_TUNNEL_SECONDS = 20
"""Beyond the time that ssh needs through a slow network and a jump host."""


def build_tool_env() -> dict[str, str]:
    """The environment in which pulumi and its plugins are found, with this project's Python first on the PATH."""
    shell = f'eval "$({shlex.quote(sys.executable)} -m toolchain env)" && env -0'
    printed = subprocess.run(["sh", "-c", shell], cwd=ROOT, check=True, capture_output=True, text=True)
    env = dict(line.split("=", 1) for line in printed.stdout.split("\0") if "=" in line)
    env["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), env["PATH"]])
    env["VIRTUAL_ENV"] = str(Path(sys.executable).parent.parent)
    return env


def find_address(settings: DockerSettings) -> str:
    """Where a stack's engine is asked: what its settings say, else DOCKER_HOST, else the local socket."""
    return settings.host or os.environ.get("DOCKER_HOST") or f"unix://{DEFAULT_SOCKET}"


def connect_engine(settings: DockerSettings) -> docker.DockerClient:
    """A client of the engine that the settings name.

    Raises:
        SystemExit: it cannot be reached; the message says where it was looked for.
    """
    host = find_address(settings)
    certificates = Path(settings.cert_path) if settings.cert_path else None
    try:
        if host.startswith("ssh://"):
            return open_client(open_tunnel(host, settings.ssh_options, settings.engine_socket))
        return open_client(host, certificates)
    except (DockerException, OSError) as error:
        start = "; make up starts one on Debian and Ubuntu as root" if host == f"unix://{DEFAULT_SOCKET}" else ""
        raise SystemExit(f"no Docker engine answers at {host}: {_find_reason(error)}{start}") from None


def _find_reason(error: BaseException) -> str:
    """The innermost reason in words: the client wraps the system's in three others."""
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    return error.strerror if isinstance(error, OSError) and error.strerror else str(error)


def open_tunnel(host: str, options: Sequence[str], engine_socket: str) -> str:
    """A local socket that leads to the engine of `host` (ssh://[user@]host[:port]) for as long as this process lives.

    It is the system's own ssh, so its configuration, agent and known hosts apply, and `options` are given to it.

    Raises:
        OSError: ssh ended, or made no connection within `_TUNNEL_SECONDS`; the message holds its words.
    """
    parts = urlsplit(host)
    folder = Path(tempfile.mkdtemp(prefix="engine-"))
    local, log_file = folder / "docker.sock", folder / "ssh.log"
    where = [f"{parts.username}@{parts.hostname}" if parts.username else str(parts.hostname)]
    port = ["-p", str(parts.port)] if parts.port else []
    fixed = [
        "-n",
        "-N",
        "-T",
        "-o",
        "BatchMode=yes",
        "-o",
        "ExitOnForwardFailure=yes",
        "-L",
        f"{local}:{engine_socket}",
    ]
    with log_file.open("wb") as log:
        process = subprocess.Popen(["ssh", *options, *port, *fixed, *where], stdout=log, stderr=log)
    atexit.register(_close_tunnel, process, folder)
    deadline = time.monotonic() + _TUNNEL_SECONDS
    while not local.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            message = log_file.read_text(encoding="utf-8", errors="replace").strip()
            raise OSError(message or f"ssh made no connection within {_TUNNEL_SECONDS} s")
        time.sleep(0.05)
    return f"unix://{local}"


def _close_tunnel(process: subprocess.Popen[bytes], folder: Path) -> None:
    process.terminate()
    process.wait()
    shutil.rmtree(folder, ignore_errors=True)


def open_client(host: str, certificates: Path | None = None) -> docker.DockerClient:
    """A client of the engine at `host`, with the certificates of a folder (ca.pem, cert.pem, key.pem) where given.

    The environment's REQUESTS_CA_BUNDLE must not replace the engine's own authority, so the HTTP library is told not
    to look at the environment; for that the client is made before it talks, and the version asked for by hand.

    Raises:
        docker.errors.DockerException: no engine answers.
    """
    tls: TLSConfig | bool = False
    if certificates:
        pair = (str(certificates / "cert.pem"), str(certificates / "key.pem"))
        tls = TLSConfig(client_cert=pair, ca_cert=str(certificates / "ca.pem"), verify=True)

    def make(version: str) -> docker.DockerClient:
        made = docker.DockerClient(base_url=host, tls=tls, timeout=120, version=version)
        made.api.trust_env = False
        return made

    newest = make(_OLDEST_API).version(api_version=False)["ApiVersion"]
    return make(newest)


def execute_command(container: Container, command: Sequence[str]) -> tuple[int, str]:
    """Exit status and whole output of a command in a container.

    The client's own `exec_run` reads the engine's socket behind the buffer through which it read the answer's head:
    what arrives together with the head, as it does through a tunnel, is lost. This reads through the buffer.
    Frames: https://docs.docker.com/reference/api/engine/version/v1.41/#tag/Container/operation/ContainerAttach.
    """
    api, number, raw = _start_command(container, command, _EXECUTE_SECONDS)
    text = b"".join(_read_frames(io.BytesIO(raw.read())))
    return _await_status(api, number), text.decode(errors="replace")


def stream_command(container: Container, command: Sequence[str], say: Say) -> int:
    """Exit status of a command in a container, whose lines are handed on as they come, however long it takes."""
    api, number, raw = _start_command(container, command, None)
    read_lines(_read_frames(raw), say)
    return _await_status(api, number)


def _await_status(api: Any, number: str) -> int:
    """How a command ended. Its output can end a moment before the engine knows that: there is no status until then.

    Raises:
        RuntimeError: it still runs, although its output has ended.
    """
    deadline = time.monotonic() + _ENDED_SECONDS
    while (status := api.exec_inspect(number)["ExitCode"]) is None:
        if time.monotonic() > deadline:
            raise RuntimeError(f"a command closed its output and still runs after {_ENDED_SECONDS} s")
        time.sleep(_POLL)
    return int(status)


def _start_command(container: Container, command: Sequence[str], timeout: int | None) -> tuple[Any, str, Any]:
    """The engine's API, the number of a command that was started, and what its output is read from."""
    api = cast(docker.DockerClient, container.client).api
    number = api.exec_create(container.id, list(command))["Id"]
    answer = api.post(
        f"{api.base_url}/v{api.api_version}/exec/{number}/start",
        json={"Detach": False, "Tty": False},
        stream=True,
        timeout=timeout,
    )
    answer.raise_for_status()
    return api, number, answer.raw


def _read_frames(raw: Any) -> Iterator[bytes]:
    while len(head := raw.read(8)) == 8:
        yield raw.read(*struct.unpack(">4xL", head))
