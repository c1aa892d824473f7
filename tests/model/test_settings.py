"""Settings have safe defaults and take what an environment may say."""

from __future__ import annotations

from typing import Any

import pytest

from model.descriptions import list_descriptions
from model.errors import ConfigError
from model.load import parse_model
from model.settings import ComponentSettings, DockerSettings, KubernetesSettings, Settings


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
        parse_model(Settings, {}, "x")


@pytest.mark.parametrize(
    "docker",
    [
        {"host": "unix:///run/user/1000/docker.sock"},
        {"host": "tcp://10.0.0.5:2376", "certPath": "certs"},
        {"host": "ssh://ops@example.com:22", "sshOptions": ["-i", "key"]},
        {"certPath": "certs", "sshOptions": ["-v"]},  # DOCKER_HOST says how the engine is reached
        {"registryMirror": "localhost:5000"},
        {"bindAddress": "::1"},
        {"registryLogins": [{"address": "ghcr.io", "username": "u", "passwordSecret": "ghcr-token"}]},
        {"socket": "/run/user/1000/docker.sock", "dataRoot": "/home/me/.local/share/docker", "swapLimit": False},
        {"imageStore": "containerd"},
        {"externalNetworks": ["shop_default"], "logMaxSize": "50m", "logMaxFiles": 5},
    ],
)
def test_engines_that_people_have_are_accepted(docker: dict[str, Any]) -> None:
    """Local, TCP and SSH engines, mirrors, private registries and foreign networks can be said."""
    assert parse_model(DockerSettings, docker, "x")


@pytest.mark.parametrize(
    ("model", "data"),
    [
        (DockerSettings, {"host": "docker.example.com"}),
        (DockerSettings, {"host": "http://docker.example.com"}),
        (DockerSettings, {"bindAddress": "*"}),
        (DockerSettings, {"registryMirror": "https://mirror.example.com"}),
        (DockerSettings, {"socket": "unix:///run/docker.sock"}),
        (DockerSettings, {"dataRoot": "/data/docker/"}),
        (DockerSettings, {"dataRoot": "/data/it's here"}),
        (DockerSettings, {"imageStore": "overlay2"}),
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
        parse_model(model, data, "x")


@pytest.mark.parametrize("runbooks", ["docs/runbooks", "/runbooks", "wiki", "ftp://h/x", "https://h/x?a=b", "https://"])
def test_runbooks_are_at_an_absolute_address(runbooks: str) -> None:
    """What is no link in a notification, or would take no page's name behind it, is refused."""
    with pytest.raises(ConfigError, match="must be an address that begins with http:// or https:// and a host"):
        parse_model(Settings, {"system": "shop", "runbooks": runbooks}, "x")
    assert (
        parse_model(Settings, {"system": "shop", "runbooks": "https://h:8443/a/b"}, "x").runbooks
        == "https://h:8443/a/b"
    )


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://m.example.com", "m.example.com"),
        ("http://m.example.com:8443", "m.example.com"),
        ("http://127.0.0.1:8080", "127.0.0.1"),
        ("http://[::1]:8080", "[::1]"),
    ],
)
def test_the_host_is_that_of_the_address(url: str, host: str) -> None:
    """Without scheme and port."""
    assert parse_model(Settings, {"system": "shop", "baseUrl": url}, "x").host == host


@pytest.mark.parametrize(
    ("kubernetes", "words"),
    [
        ({"ingressClass": "nginx", "serviceType": "NodePort"}, "serviceType: 'NodePort' is a second way in beside"),
        ({"tlsSecret": "a"}, "tlsSecret: is about an ingress: name its ingressClass"),
        ({"ingressNamespace": "a"}, "ingressNamespace: is about an ingress"),
        ({"ingressAnnotations": {"a": "b"}}, "ingressAnnotations: is about an ingress"),
        ({"ingressClass": "Nginx"}, '"Nginx": must be lower-case letters, digits, dashes and dots'),
    ],
)
def test_there_is_one_way_in(kubernetes: dict[str, Any], words: str) -> None:
    """A Service of its own beside an ingress, and details of an ingress that is not there, are refused."""
    with pytest.raises(ConfigError) as caught:
        parse_model(KubernetesSettings, kubernetes, "x")
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("url", "more", "words"),
    [
        ("http://127.0.0.1:8080", {}, "baseUrl: 'http://127.0.0.1:8080': an ingress needs the name of a host"),
        ("https://[::1]", {}, "an ingress needs the name of a host, for example https://monitoring.example.com"),
        ("http://m.example.com", {"tlsSecret": "cert"}, "must begin with https:// where tlsSecret is named"),
    ],
)
def test_an_ingress_needs_a_name(url: str, more: dict[str, Any], words: str) -> None:
    """Its controller tells hosts apart by name; on Docker nobody asks."""
    values = {"system": "shop", "baseUrl": url, "kubernetes": {"ingressClass": "nginx", **more}}
    with pytest.raises(ConfigError) as caught:
        parse_model(Settings, {**values, "target": "kubernetes"}, "x")
    assert words in str(caught.value)
    assert parse_model(Settings, values, "x")


def test_every_setting_is_described() -> None:
    """Editors and error messages show a description for each key."""
    for model in (Settings, DockerSettings, ComponentSettings):
        assert not [name for name, text in list_descriptions(model).items() if not text], model
