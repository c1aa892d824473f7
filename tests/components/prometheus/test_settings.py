"""Prometheus' settings: its own one, or an operator in its place."""

from __future__ import annotations

import pytest

from components.prometheus.settings import LEAST_STORED, Settings
from model.errors import ConfigError
from model.load import parse_model
from model.operator import Operator


def test_an_operator_belongs_to_its_mode() -> None:
    """An operator that is described and not used is refused; in its mode all of its values have defaults."""
    with pytest.raises(ConfigError, match="mode: operator"):
        parse_model(Settings, {"operator": {"namespace": "watch"}}, "prometheus")
    assert parse_model(Settings, {"mode": "operator"}, "prometheus").existing == Operator()
    assert parse_model(Settings, {}, "prometheus").existing is None


def test_a_segment_of_the_log_fits() -> None:
    """Less disk than one segment of the write-ahead log takes is refused."""
    assert parse_model(Settings, {"retentionSize": LEAST_STORED}, "prometheus").retention_size == LEAST_STORED
    with pytest.raises(ConfigError, match=f"must be {LEAST_STORED} at least"):
        parse_model(Settings, {"retentionSize": "127MiB"}, "prometheus")


def test_instances_are_its_replicas() -> None:
    """Others address as many instances as there are."""
    assert parse_model(Settings, {"replicas": 3}, "prometheus").instances == 3
