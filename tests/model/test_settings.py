"""Settings have safe defaults and take what an environment may say."""

from __future__ import annotations

from typing import Any

import pytest

from model.errors import ConfigError
from model.load import parse
from model.settings import ComponentSettings, DockerSettings, Settings


def test_defaults_are_safe() -> None:
    """A stack that says nothing listens on loopback, keeps its data, and imitates nothing."""
    settings = Settings(system="shop")
    assert settings.docker.bind_address == "127.0.0.1"
    assert settings.retain_data is True
    assert settings.demo is False
    assert settings.target == "docker"
    assert settings.base_url.startswith("http://127.0.0.1:")


def test_the_system_is_the_only_thing_that_must_be_said() -> None:
    """There is no default system."""
    with pytest.raises(ConfigError, match="system: is required: The system to watch"):
        parse(Settings, {}, "x")


@pytest.mark.parametrize(
    "docker",
    [
        {"host": "unix:///run/user/1000/docker.sock"},
        {"host": "tcp://10.0.0.5:2376", "certPath": "certs"},
        {"host": "ssh://ops@example.com:22", "sshOptions": ["-i", "key"]},
        {"registryMirror": "localhost:5000"},
        {"bindAddress": "::1"},
        {"registryLogins": [{"address": "ghcr.io", "username": "u", "passwordSecret": "ghcr-token"}]},
        {"externalNetworks": ["shop_default"], "logMaxSize": "50m", "logMaxFiles": 5},
    ],
)
def test_engines_that_people_have_are_accepted(docker: dict[str, Any]) -> None:
    """Local, TCP and SSH engines, mirrors, private registries and foreign networks can be said."""
    assert parse(DockerSettings, docker, "x")


@pytest.mark.parametrize(
    ("model", "data"),
    [
        (DockerSettings, {"host": "docker.example.com"}),
        (DockerSettings, {"host": "http://docker.example.com"}),
        (DockerSettings, {"bindAddress": "*"}),
        (DockerSettings, {"registryMirror": "https://mirror.example.com"}),
        (DockerSettings, {"logMaxSize": "0x"}),
        (DockerSettings, {"logMaxFiles": 101}),
        (DockerSettings, {"sshOptions": "-i key"}),
        (ComponentSettings, {"memory": "512"}),
        (ComponentSettings, {"cpus": 0.0}),
        (ComponentSettings, {"cpus": 65.0}),
        (ComponentSettings, {"port": 0}),
        (ComponentSettings, {"enabled": "false"}),
        (Settings, {"system": "shop", "baseUrl": "https://x/"}),
        (Settings, {"system": "shop", "baseUrl": "ftp://x"}),
        (Settings, {"system": "shop", "environment": ""}),
    ],
)
def test_nonsense_is_refused(model: Any, data: dict[str, Any]) -> None:
    """What would only fail on the engine is refused here."""
    with pytest.raises(ConfigError):
        parse(model, data, "x")


def test_every_setting_is_described() -> None:
    """Editors and error messages show a description for each key."""
    for model in (Settings, DockerSettings, ComponentSettings):
        assert not [name for name, field in model.model_fields.items() if not field.description], model
