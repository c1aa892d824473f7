"""Grafana's settings: several instances share a database."""

from __future__ import annotations

import pytest

from components.grafana.settings import Settings
from model.errors import ConfigError
from model.load import parse_model

DATABASE = {"type": "postgres", "host": "db.internal:5432"}


def test_instances_share_a_database() -> None:
    """Without one each instance would have users and stars of its own, so only one instance is taken."""
    with pytest.raises(ConfigError, match=r"2 instances need a database"):
        parse_model(Settings, {"replicas": 2}, "grafana")
    assert parse_model(Settings, {"replicas": 2, "database": DATABASE}, "grafana").instances == 2
    assert parse_model(Settings, {}, "grafana").instances == 1
