"""What may be said to any agent that reads lines."""

from __future__ import annotations

import pytest

from components.collector.settings import Settings as Collector
from components.lines.settings import POSITIONS_DIR, POSITIONS_FILE, AgentSettings
from components.promtail.settings import Settings as Promtail
from model.errors import ConfigError
from model.load import parse_model


@pytest.mark.parametrize("settings", [Collector, Promtail])
def test_agents_have_the_same_settings(settings: type[AgentSettings]) -> None:
    """Who changes the agent changes nothing else: labels and folders have the same names and the same checks."""
    own = parse_model(settings, {"containerLabels": ["team=shop"], "dockerFolder": "/data/containers"}, "agent")
    assert (own.container_labels, own.docker_folder) == (("team=shop",), "/data/containers")
    with pytest.raises(ConfigError, match="containerLabels"):
        parse_model(settings, {"containerLabels": ["=shop"]}, "agent")


def test_positions_are_on_their_volume() -> None:
    """What one agent has written there the other one reads."""
    assert POSITIONS_FILE.startswith(f"{POSITIONS_DIR}/")
