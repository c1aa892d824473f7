"""Settings of the collector of log lines, and where it finds them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from model.base import HostPath, Size
from model.scope import OnlyOn
from model.settings import ComponentSettings

NAME = "collector"
LINKS = "collector-links"
LINKS_PORT = 9081
DOCUMENT = "collector.yaml"
LINKS_DIR = "/links"
"""A link for each container, whose name says whose lines are in the folder that it leads to."""
PODS_DIR = "/var/log/pods"
DockerFolder = Annotated[HostPath, Field(examples=["/var/lib/docker/containers"])]
Label = Annotated[str, Field(pattern=r"^[^=\s]+(=[^\s]*)?$", examples=["team=shop"])]


class Settings(ComponentSettings):
    """The OpenTelemetry Collector as the agent that reads log lines (`logs.agent: collector`)."""

    container_labels: Annotated[tuple[Label, ...], OnlyOn("docker")] = ()
    """Collect only containers with all of these labels (key, or key=value); all of the engine when empty."""
    docker_folder: Annotated[DockerFolder | None, OnlyOn("kubernetes")] = None
    """Folder of Docker's containers on nodes whose runtime is Docker: there the files of pods are links into it."""
    queue: Size = "64MiB"
    """Disk space for lines that cannot be passed on at once; when it is full, files are read no further until then."""
