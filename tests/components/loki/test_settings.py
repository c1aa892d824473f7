"""Loki's settings: parts share a bucket, and one process is not counted."""

from __future__ import annotations

from typing import Any

import pytest

from components.loki.settings import Settings
from model.errors import ConfigError
from model.load import parse_model

S3 = {"s3": {"bucket": "logs", "endpoint": "s3.example.com"}}


@pytest.mark.parametrize(
    ("given", "place"),
    [
        ({"mode": "simpleScalable"}, "storage.s3"),
        ({"mode": "replicated"}, "storage.s3"),
        ({"replicas": {"write": 2}}, "replicas"),
        ({"mode": "replicated", "storage": S3, "replicas": {"read": 2}}, "replicas.read"),
        ({"mode": "simpleScalable", "storage": S3, "replicas": {"all": 2}}, "replicas.all"),
    ],
)
def test_a_mode_has_what_it_needs(given: dict[str, Any], place: str) -> None:
    """Parts without a bucket would each have lines that no other one sees; one process has no instances to count."""
    with pytest.raises(ConfigError) as refused:
        parse_model(Settings, given, "loki")
    assert place in str(refused.value)


def test_parts_may_be_counted() -> None:
    """With a bucket the instances of each part are taken as given."""
    own = parse_model(Settings, {"mode": "simpleScalable", "storage": S3, "replicas": {"write": 5}}, "loki")
    assert own.replicas is not None and (own.replicas.write, own.replicas.read) == (5, 2)
