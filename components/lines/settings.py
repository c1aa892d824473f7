"""What people may say to any agent that reads lines, and what one agent leaves to the other."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from model.base import HostPath
from model.scope import OnlyOn
from model.settings import ComponentSettings

PODS_DIR = "/var/log/pods"
"""Where a kubelet has the files of pods."""
POSITIONS_VOLUME, POSITIONS_DIR = "promtail-positions", "/positions"
POSITIONS_FILE = f"{POSITIONS_DIR}/positions.yaml"
"""Where Promtail says how far it has read: whoever reads in its place goes on from there."""
DockerFolder = Annotated[HostPath, Field(examples=["/var/lib/docker/containers"])]
Label = Annotated[str, Field(pattern=r"^[^=\s]+(=[^\s]*)?$", examples=["team=shop"])]


class AgentSettings(ComponentSettings):
    """An agent that reads lines."""

    container_labels: Annotated[tuple[Label, ...], OnlyOn("docker")] = ()
    """Collect only containers with all of these labels (key, or key=value); all of the engine when empty."""
    docker_folder: Annotated[DockerFolder | None, OnlyOn("kubernetes")] = None
    """Folder of Docker's containers on nodes whose runtime is Docker: there the files of pods are links into it."""
