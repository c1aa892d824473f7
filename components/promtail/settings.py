"""Settings of Promtail."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from model.base import HostPath
from model.scope import OnlyOn
from model.settings import ComponentSettings

NAME = "promtail"
PORT = 9080
CONFIG_DIR = "/etc/promtail"
DATA_DIR = "/positions"
PODS_DIR = "/var/log/pods"


DockerFolder = Annotated[HostPath, Field(examples=["/var/lib/docker/containers"])]
Label = Annotated[str, Field(pattern=r"^[^=\s]+(=[^\s]*)?$", examples=["team=shop"])]


class Settings(ComponentSettings):
    """Promtail."""

    container_labels: Annotated[tuple[Label, ...], OnlyOn("docker")] = ()
    """Collect only containers with all of these labels (key, or key=value); all of the engine when empty."""
    docker_folder: Annotated[DockerFolder | None, OnlyOn("kubernetes")] = None
    """Folder of Docker's containers on nodes whose runtime is Docker: there the files of pods are links into it."""
