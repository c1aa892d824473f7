"""An existing Prometheus Operator as settings."""

from __future__ import annotations

import pytest

from model.errors import ConfigError
from model.load import parse_model
from model.operator import Operator


def test_addresses_follow_the_namespace() -> None:
    """The operator's own Services are where its Prometheus and Alertmanager answer, unless said otherwise."""
    usual = Operator(namespace="watch")
    assert usual.prometheus == "http://prometheus-operated.watch.svc:9090"
    assert usual.alertmanager == "http://alertmanager-operated.watch.svc:9093"
    own = parse_model(Operator, {"prometheusUrl": "https://prometheus.example.com/p/"}, "x")
    assert own.prometheus == "https://prometheus.example.com/p"


def test_a_url_is_one() -> None:
    """An address without a scheme is refused with an example."""
    with pytest.raises(ConfigError, match=r"prometheusUrl.*for example http://prometheus-operated"):
        parse_model(Operator, {"prometheusUrl": "prometheus:9090"}, "x")
