"""Jaeger's settings: off, a week of spans, and no port of the host."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from components.jaeger.settings import Settings


def test_it_is_off_and_keeps_a_week() -> None:
    """Without a word about it nothing is deployed; switched on, it publishes nothing."""
    own = Settings()
    assert not own.enabled and own.retention == "7d"
    assert (own.collector_port, own.otlp_grpc_port, own.otlp_http_port) == (None, None, None)


@pytest.mark.parametrize("wrong", [{"retention": "a week"}, {"otlpHttpPort": 0}, {"archive": True}])
def test_what_it_does_not_know_is_refused(wrong: dict[str, object]) -> None:
    """A duration in words, a port that is none, and a key that is nobody's."""
    with pytest.raises(ValidationError):
        Settings.model_validate(wrong)
