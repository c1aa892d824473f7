"""Traefik's settings: routes of one's own are paths that lead to an address."""

from __future__ import annotations

import pytest

from components.traefik.settings import Settings
from model.errors import ConfigError
from model.load import parse_model


@pytest.mark.parametrize("prefix", ["shop", "/a b", "/a?b"])
def test_a_prefix_is_a_path(prefix: str) -> None:
    """What could never be the beginning of a request's path is refused."""
    route = {"name": "shop", "url": "http://shop:80"}
    assert parse_model(Settings, {"routes": [{**route, "prefix": "/shop"}]}, "traefik").routes[0].login
    with pytest.raises(ConfigError, match="prefix"):
        parse_model(Settings, {"routes": [{**route, "prefix": prefix}]}, "traefik")
