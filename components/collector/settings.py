"""Settings of the collector of log lines, and where it finds them."""

from __future__ import annotations

from components.lines.settings import AgentSettings
from model.base import Size

NAME = "collector"
LINKS = "collector-links"
LINKS_PORT = 9081
DOCUMENT = "collector.yaml"
LINKS_DIR = "/links"
"""A link for each container, whose name says whose lines are in the folder that it leads to."""


class Settings(AgentSettings):
    """The OpenTelemetry Collector as the agent that reads log lines (`logs.agent: collector`)."""

    queue: Size = "64MiB"
    """Disk space for lines that cannot be passed on at once; when it is full, files are read no further until then."""
