"""Alertmanager's settings: receivers have names of their own, and routes lead to one of them."""

from __future__ import annotations

from typing import Any

import pytest

from components.alertmanager.routes import NOBODY
from components.alertmanager.settings import Settings
from model.errors import ConfigError
from model.load import parse_model


def receiver(name: str) -> dict[str, Any]:
    """A receiver of that name."""
    return {"name": name, "webhook": {"url": "http://hook.example.com/"}}


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"receivers": [receiver("a"), receiver("a")]}, "declared twice"),
        ({"receivers": [receiver(NOBODY)]}, "choose another name"),
        ({"receivers": [receiver("a")], "routes": [{"severity": "critical", "receiver": "b"}]}, "'b'"),
    ],
)
def test_receivers_that_cannot_be_meant_are_refused(given: dict[str, Any], says: str) -> None:
    """A name stands for one receiver, and a route's receiver is declared."""
    with pytest.raises(ConfigError) as refused:
        parse_model(Settings, given, "alertmanager")
    assert says in str(refused.value)


def test_instances_are_its_replicas() -> None:
    """Prometheus notifies as many instances as there are."""
    assert parse_model(Settings, {"replicas": 2, "receivers": [receiver("a")]}, "alertmanager").instances == 2
