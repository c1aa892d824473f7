"""A Docker engine to deploy to: the one that answers, else one installed from the distribution and started by hand."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from toolchain.context import Context
from toolchain.daemon import Daemon
from toolchain.errors import ToolchainError
from toolchain.host import read_os_release
from toolchain.run import run_command

if TYPE_CHECKING:
    from docker import DockerClient

PACKAGES = ("docker.io", "iptables", "containerd", "runc")
START_SECONDS = 60
SOCKET = "unix:///var/run/docker.sock"
_PING_SECONDS = 5


def find_engine_address(context: Context) -> str:
    """Where the engine is asked for: DOCKER_HOST, else the local socket."""
    return context.environ.get("DOCKER_HOST") or SOCKET


def open_client(context: Context, timeout: int = 60) -> DockerClient:
    """A client of the engine; an answer may take `timeout` seconds. Raises docker.errors.DockerException."""
    # importing it takes a quarter of a second, and every command of a stack asks for `env`, which needs no engine
    from docker import DockerClient  # noqa: PLC0415

    address = find_engine_address(context)
    return DockerClient(base_url=address, timeout=timeout, use_ssh_client=address.startswith("ssh://"))


def find_engine_version(context: Context) -> str | None:
    """The version of the engine that answers at the address, or None."""
    address = find_engine_address(context)
    if address.startswith("unix://") and not Path(address.removeprefix("unix://")).exists():
        return None
    from docker.errors import DockerException  # noqa: PLC0415

    try:
        client = open_client(context, _PING_SECONDS)
        try:
            return str(client.version()["Version"])
        finally:
            client.close()
    except (DockerException, OSError):
        return None


def build_engine_daemon(context: Context) -> Daemon:
    """The dockerd that this toolchain starts."""
    return Daemon("dockerd", context.cache.root / "engine")


def ensure_engine(context: Context) -> str:
    """The version of a running engine, started if that is possible here; else ToolchainError names the command."""
    if version := find_engine_version(context):
        return version
    with context.cache.lock("engine"):
        if version := find_engine_version(context):
            return version
        _refuse_foreign_host(context)
        _install_engine(context)
        _start_engine(context)
    version = find_engine_version(context)
    if version is None:
        raise ToolchainError(
            "the engine stopped answering right after its start", advice=str(build_engine_daemon(context).log)
        )
    return version


def stop_engine(context: Context) -> bool:
    """Stop the dockerd that we started; False when there is none. An engine of somebody else is left alone."""
    return build_engine_daemon(context).stop()


def _refuse_foreign_host(context: Context) -> None:
    install = f"apt-get install --no-install-recommends {' '.join(PACKAGES)}"
    if context.environ.get("DOCKER_HOST"):
        raise ToolchainError(
            f"no Docker engine answers at DOCKER_HOST={context.environ['DOCKER_HOST']}",
            advice="start it there, or unset DOCKER_HOST to use the local one",
        )
    release = read_os_release(Path("/etc/os-release"))
    family = {release.get("ID", ""), *release.get("ID_LIKE", "").split()}
    if not family & {"debian", "ubuntu"}:
        raise ToolchainError(
            "no Docker engine answers at /var/run/docker.sock",
            advice="install Docker (https://docs.docker.com/engine/install/) and start it, or set DOCKER_HOST",
        )
    if not context.host.root:
        command = f"sudo sh -c '{install} && (systemctl start docker || setsid dockerd &)'"
        raise ToolchainError("no Docker engine answers, and only root may start one", advice=f"run: {command}")


def _install_engine(context: Context) -> None:
    if shutil.which("dockerd") and shutil.which("iptables"):
        return
    context.progress.say(f"no Docker engine here: installing {', '.join(PACKAGES)} from the distribution (apt-get)")
    install_packages(
        context, "engine", PACKAGES, "see whether the distribution's mirror is reachable, or install Docker yourself"
    )


def install_packages(context: Context, what: str, packages: tuple[str, ...], advice: str) -> None:
    """Install packages of the distribution, as root. Raises ToolchainError."""
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    command = ["apt-get", "install", "--yes", "--no-install-recommends", *packages]
    with context.progress.step(f"{what}: apt-get install"):
        try:
            run_command(command, env=env, to_the_end=True)
        except ToolchainError:
            # An interrupted installation before this one, or no package lists yet, as in a fresh container.
            # A third party's source may fail without harm.
            run_command(["sh", "-c", "dpkg --configure -a; apt-get update || true"], env=env, to_the_end=True)
            run_command(command, env=env, advice=advice, to_the_end=True)


def _start_engine(context: Context) -> None:
    def is_answering() -> bool:
        return find_engine_version(context) is not None

    daemon = build_engine_daemon(context)
    with context.progress.step("engine: start"):
        if Path("/run/systemd/system").is_dir():
            run_command(["systemctl", "start", "docker"], advice="look at: journalctl -u docker")
            return
        _clear_stale_pid_files()
        context.progress.say(f"engine: starting dockerd by hand, its log is {daemon.log}")
        daemon.start(["dockerd"])
        daemon.await_ready(
            is_answering, seconds=START_SECONDS, advice="read the log; dockerd needs root, cgroups and iptables"
        )


def _clear_stale_pid_files() -> None:
    """Remove dockerd's pid file where its process is gone: after a kill, a number used again would stop the start."""
    path = Path("/var/run/docker.pid")
    if not path.exists():
        return
    text = path.read_text().strip()
    command = Path(f"/proc/{text}/comm")
    if not (text.isdigit() and command.exists() and command.read_text().strip() == "dockerd"):
        path.unlink()
