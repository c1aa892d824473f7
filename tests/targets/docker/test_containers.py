"""A workload's container as plain data."""

from __future__ import annotations

from dataclasses import replace

import pytest

from model.settings import DockerSettings
from model.workload import ExecProbe, SharedVolume
from targets.docker import containers, delivery
from targets.docker.register import DeliveryError, read_group
from targets.docker.shared import Late, Scope, format_inputs
from tests.support.workloads import AGENT, IMAGES, PLAIN, SERVER

SCOPE = Scope(stack="dev", settings=DockerSettings(), images=IMAGES)


def test_a_container_says_nothing_that_it_does_not_want() -> None:
    """A plain workload has no empty input, which an engine would give back as an absent one."""
    made = containers.build_container(SCOPE, PLAIN)
    assert not [key for key, value in made.items() if value in (None, [], {})]
    assert made["image"] == Late("image", "server") and made["memory"] == made["memory_swap"] == 64


def test_a_container_is_made_without_an_engine() -> None:
    """All of it can be written down: what only an engine knows is a text that says so."""
    shown = format_inputs(containers.build_container(SCOPE, SERVER))
    assert shown["labels"]["io.observability.network"] == "${network-id dev-monitoring}"
    assert shown["volumes"][-1]["volume_name"] == "dev-tools"


def test_a_command_is_a_probe_as_it_is() -> None:
    """A probe that is a command is not wrapped into another one."""
    made = containers.build_healthcheck(replace(PLAIN, probe=ExecProbe(command=("check", "-q"))))
    assert made is not None and made["tests"] == ["CMD", "check", "-q"]
    assert containers.build_healthcheck(PLAIN) is None


def test_a_process_is_called_after_what_starts_another_one() -> None:
    """Another argument is another process; another limit is not."""
    names = {str(containers.find_process_name(SCOPE, item)) for item in (SERVER, replace(SERVER, args=("-x",)))}
    assert len(names) == 2
    wider = replace(SERVER, limits=replace(SERVER.limits, memory=2 * SERVER.limits.memory))
    assert containers.find_process_name(SCOPE, wider) == containers.find_process_name(SCOPE, SERVER)
    assert isinstance(containers.find_process_name(SCOPE, AGENT), str)


@pytest.mark.parametrize(("seconds", "text"), [(0, "0s"), (59, "59s"), (90, "1m30s"), (3600, "1h0m0s")])
def test_durations_are_as_the_engine_writes_them(seconds: int, text: str) -> None:
    """Reading them back shows no difference."""
    assert containers.format_go_duration(seconds) == text


def test_what_stands_beside_a_workload_has_its_user() -> None:
    """Files that the other one alone may read are its own, and so is whatever is delivered to it."""
    beside = replace(
        SERVER, name="helper", beside="server", shared_volumes=(SharedVolume(name="server-data", path="/s"),)
    )
    made, neighbour = (containers.build_container(SCOPE, item) for item in (beside, SERVER))
    assert made["user"] == neighbour["user"] != containers.build_container(SCOPE, replace(beside, beside=""))["user"]
    assert {"volume_name": "dev-server-data", "container_path": "/s", "read_only": True} in made["volumes"]
    (owner,) = {upload["owner"] for upload in delivery.build_secrets(SCOPE, beside)["uploads"]}
    assert made["user"] == f"{owner}:{owner}"


def test_a_path_of_the_host_is_read_only_unless_it_says_so() -> None:
    """Whether it is there already or is made; a change of it is a new container, as the provider sees none."""
    mount = AGENT.host_mounts[0]
    for create, key in ((True, "volumes"), (False, "mounts")):
        made = [
            containers.build_container(SCOPE, replace(AGENT, host_mounts=(replace(mount, create=create, writable=w),)))
            for w in (False, True)
        ]
        read_only = [next(i["read_only"] for i in item[key] if mount.path in map(str, i.values())) for item in made]
        assert read_only == [True, False]
        assert len({item["labels"]["io.observability.restart-digest"] for item in made}) == 2


@pytest.mark.parametrize("said", [None, "", "\n", "stat: can't stat '/var/run/docker.sock'"])
def test_a_group_that_was_not_said_is_not_that_of_root(said: str | None) -> None:
    """The engine may hand on no output of a one-shot that went well: the socket would refuse the proxy."""
    with pytest.raises(DeliveryError, match="did not say which group owns the engine's socket"):
        read_group(said)
    assert read_group("copied\n105\n") == "105"
