"""An engine is read in one go, and what goes meanwhile is no error."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import docker
from docker.errors import ImageNotFound, NotFound

from targets.docker.reading import Reading, read_engine, read_image_settings


def build_client(**answers: Any) -> docker.DockerClient:
    """An engine with one container, network, volume and image; `answers` are calls of the API that answer otherwise."""
    calls: dict[str, Any] = {
        "containers": lambda **_: [{"Id": "c1"}],
        "inspect_container": lambda number: {"Id": number, "Name": "/dev-api"},
        "networks": lambda **_: [{"Id": "n1"}],
        "inspect_network": lambda number: {"Id": number, "Name": "dev-monitoring"},
        "volumes": lambda **_: {"Volumes": None},
        "images": lambda: [
            {"Id": "sha256:a", "RepoTags": ["api:1"], "RepoDigests": ["api@sha256:d"]},
            {"Id": "sha256:b", "RepoTags": None},
        ],
        "inspect_image": lambda number: {"Config": {"User": number}},
    }
    return cast(docker.DockerClient, SimpleNamespace(api=SimpleNamespace(**calls | answers), info=lambda: {"ID": "e"}))


def test_everything_is_read_by_name() -> None:
    """Containers without the slash that engines put before their names."""
    reading = read_engine(build_client(), "dev")
    assert (reading.engine, [*reading.containers], [*reading.networks]) == ("e", ["dev-api"], ["dev-monitoring"])
    assert reading.volumes == {} and reading.gone == ()


def test_an_image_is_found_by_its_reference() -> None:
    """By tag, or by digest, beside which a tag does not count."""
    reading = read_engine(build_client(), "dev")
    numbers = [reading.find_image(name) for name in ("api:1", "api:2@sha256:d", "api:2", "api:1@sha256:e")]
    assert numbers == ["sha256:a", "sha256:a", "", ""]
    assert Reading(images={"127.0.0.1:5000/a:1": "x"}).find_image("127.0.0.1:5000/a:1") == "x"


def test_what_goes_meanwhile_is_said() -> None:
    """A container that is listed and then gone, and an image that was removed by force."""

    def gone(number: str) -> Any:
        raise NotFound(number)

    def no_image(number: str) -> Any:
        raise ImageNotFound(number)

    reading = read_engine(build_client(inspect_container=gone), "dev")
    assert reading.containers == {} and reading.gone == ("c1",)
    assert read_image_settings(build_client(), ["a", "a"]) == {"a": {"User": "a"}}
    assert read_image_settings(build_client(inspect_image=no_image), ["a"]) == {}
