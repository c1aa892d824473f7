"""Promtail's settings: labels by which containers are chosen."""

from __future__ import annotations

import pytest

from components.promtail.settings import Settings
from model.errors import ConfigError
from model.load import parse_model


def test_labels_are_keys_or_pairs() -> None:
    """A label is a key, or a key and a value; one without a key could match nothing and is refused."""
    own = parse_model(Settings, {"containerLabels": ["team=shop", "logged"]}, "promtail")
    assert own.container_labels == ("team=shop", "logged")
    with pytest.raises(ConfigError, match="containerLabels"):
        parse_model(Settings, {"containerLabels": ["=shop"]}, "promtail")
