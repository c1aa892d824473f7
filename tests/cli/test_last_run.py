"""What an engine has of a stack is compared to the last field, and what changes by itself is not."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import docker
import pytest
from docker.errors import NotFound

from cli import last_run
from targets.docker.reading import read_engine

CONTAINER: dict[str, Any] = {
    "Id": "c1",
    "Name": "/dev-api",
    "Image": "sha256:a",
    "Created": "2026-01-01T00:00:00Z",
    "RestartCount": 0,
    "State": {"Status": "running", "Running": True, "ExitCode": 0, "Pid": 17, "StartedAt": "a", "Health": {"Log": []}},
    "Config": {"Labels": {"a": "b"}},
    "HostConfig": {"Memory": 64, "RestartPolicy": {"Name": "unless-stopped"}},
    "Mounts": [
        {"Type": "volume", "Name": "dev-data", "Destination": "/data"},
        {"Type": "volume", "Name": "dev-tools", "Destination": "/tools"},
    ],
    "NetworkSettings": {"Networks": {"dev": {"NetworkID": "n1", "Aliases": ["api"], "IPAddress": "10.0.0.2"}}},
}


class Engine:
    """The answers of an engine with one container, one volume, one network and two images."""

    def __init__(self) -> None:
        self.container = copy.deepcopy(CONTAINER)
        self.volume: dict[str, Any] = {"Name": "dev-data", "CreatedAt": "2026-01-01T00:00:00Z"}
        self.network: dict[str, Any] = {"Id": "n1", "Name": "dev", "Containers": {"c1": {}}}
        self.images: list[dict[str, Any]] = [
            {"Id": "sha256:a", "RepoTags": ["api:1"]},
            {"Id": "sha256:b", "RepoTags": None},
        ]
        self.number = "engine-1"
        self.api = SimpleNamespace(
            containers=lambda **_: [{"Id": "c1"}],
            inspect_container=lambda number: self.container,
            volumes=lambda **_: {"Volumes": [self.volume]},
            networks=lambda **_: [{"Id": "n1"}],
            inspect_network=lambda number: self.network,
            images=lambda: self.images,
        )

    def info(self) -> dict[str, str]:
        """Who it is."""
        return {"ID": self.number}

    def digest(self) -> str:
        """What `cli.last_run` makes of it."""
        return last_run.compute_digest(read_engine(cast(docker.DockerClient, self), "dev"), ["api:1"])


CHANGES: dict[str, Callable[[Engine], object]] = {
    "another container": lambda e: e.container.update(Id="c2"),
    "stopped": lambda e: e.container["State"].update(Status="exited", Running=False),
    "paused": lambda e: e.container["State"].update(Paused=True),
    "docker update": lambda e: e.container["HostConfig"].update(Memory=128),
    "renamed": lambda e: e.container.update(Name="/other"),
    "disconnected": lambda e: e.container["NetworkSettings"]["Networks"].clear(),
    "another alias": lambda e: e.container["NetworkSettings"]["Networks"]["dev"].update(Aliases=["web"]),
    "another volume": lambda e: e.volume.update(Name="dev-other"),
    "a volume with other options": lambda e: e.volume.update(Options={"type": "tmpfs"}),
    "another network": lambda e: e.network.update(Id="n2"),
    "a name for another image": lambda e: e.images[0].update(Id="sha256:c"),
    "another engine": lambda e: setattr(e, "number", "engine-2"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_anybody_changed_is_seen(change: Callable[[Engine], object]) -> None:
    """Each change that Pulumi would read back gives another digest."""
    engine = Engine()
    before = engine.digest()
    change(engine)
    assert engine.digest() != before


def test_what_changes_by_itself_is_not() -> None:
    """A restart by the engine, a probe's result, an address, who else is in the network, mounts' order and files."""
    engine = Engine()
    before = engine.digest()
    engine.container["Mounts"].reverse()
    engine.volume["CreatedAt"] = "2026-02-01T00:00:00Z"
    engine.container["State"].update(Pid=18, StartedAt="b", Health={"Log": [1]})
    engine.container["RestartCount"] = 1
    engine.container["NetworkSettings"]["Networks"]["dev"]["IPAddress"] = "10.0.0.3"
    engine.network["Containers"] = {}
    engine.images[1]["RepoTags"] = ["other:1"]
    assert engine.digest() == before


def test_a_container_that_goes_meanwhile_is_a_change() -> None:
    """One that is listed and then gone is no error."""
    engine = Engine()
    before = engine.digest()

    def gone(number: str) -> Any:
        raise NotFound(number)

    engine.api.inspect_container = gone
    assert engine.digest() != before


def test_only_a_run_that_ended_well_is_believed(tmp_path: Path) -> None:
    """Everything is read before the first run, after one that was killed, and where the file is not ours."""
    assert last_run.list_refresh_arguments(tmp_path, "a") == ()
    last_run.write_digest(tmp_path, "a")
    assert last_run.list_refresh_arguments(tmp_path, "a") == ("--refresh=false",)
    assert last_run.list_refresh_arguments(tmp_path, "b") == ()
    last_run.drop_digest(tmp_path)
    last_run.drop_digest(tmp_path)
    assert last_run.list_refresh_arguments(tmp_path, "a") == ()
    (tmp_path / last_run.FILE).write_text("[1]")
    assert last_run.list_refresh_arguments(tmp_path, "a") == ()


def test_what_is_not_known_is_read(tmp_path: Path) -> None:
    """A platform without a digest has every resource read back, whatever was written before."""
    last_run.write_digest(tmp_path, "")
    assert last_run.list_refresh_arguments(tmp_path, "") == ()
