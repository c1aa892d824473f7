"""Settings of the collector."""

from __future__ import annotations

import pytest

from components.collector.settings import Settings
from model.errors import ConfigError
from model.load import parse_model


def test_containers_are_chosen_as_promtail_does() -> None:
    """A key, or a key and its value."""
    own = parse_model(Settings, {"containerLabels": ["team=shop", "logged"], "queue": "1GiB"}, "collector")
    assert own.container_labels == ("team=shop", "logged")
    with pytest.raises(ConfigError, match="containerLabels"):
        parse_model(Settings, {"containerLabels": ["=shop"]}, "collector")
