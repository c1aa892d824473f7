"""The toolchain's environment, and the Docker engine that a stack is deployed to."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import docker
import yaml
from docker.errors import DockerException
from docker.tls import TLSConfig

from ops.workspace import PROJECT, ROOT, Workspace


def tool_env() -> dict[str, str]:
    """The environment in which pulumi and its plugins are found, with this project's Python first on the PATH."""
    printed = subprocess.run(
        [sys.executable, "-m", "toolchain", "env", "--json"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    found = dict(json.loads(printed.stdout))
    env = {**os.environ, **found}
    env["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), env["PATH"]])
    env["VIRTUAL_ENV"] = str(Path(sys.executable).parent.parent)
    return env


def connect(space: Workspace) -> docker.DockerClient:
    """A client of the stack's engine.

    Raises:
        SystemExit: it cannot be reached; the message says where it was looked for.
    """
    document = yaml.safe_load((space.directory / f"Pulumi.{space.stack}.yaml").read_text(encoding="utf-8")) or {}
    own = (document.get("config") or {}).get(f"{PROJECT}:docker") or {}
    host = own.get("host") or os.environ.get("DOCKER_HOST") or "unix:///var/run/docker.sock"
    certs = own.get("certPath")
    tls = None
    if certs:
        folder = Path(certs)
        tls = TLSConfig(
            client_cert=(str(folder / "cert.pem"), str(folder / "key.pem")), ca_cert=str(folder / "ca.pem"), verify=True
        )
    try:
        client = docker.DockerClient(base_url=host, tls=tls or False, timeout=60, use_ssh_client=True)
        client.ping()
    except (DockerException, OSError) as error:
        raise SystemExit(f"no Docker engine answers at {host}: {error}") from None
    return client
