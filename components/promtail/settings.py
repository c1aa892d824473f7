"""Settings of Promtail."""

from __future__ import annotations

from components.lines.settings import AgentSettings

NAME = "promtail"
PORT = 9080
CONFIG_DIR = "/etc/promtail"


class Settings(AgentSettings):
    """Promtail."""
