"""What must happen before a run that follows an interrupted one."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import docker
import pytest
from docker.errors import DockerException

from cli import recover, runs
from model.errors import ConfigError
from targets.docker.delivery import build_configure
from targets.docker.reading import Reading
from targets.docker.shared import Scope
from tests.cli.test_locks import ago, dead_pid, lock
from tests.support import fakes
from tests.support.fakes import FakeItem
from tests.support.systems import plan_shop

CONTAINER = "docker:index/container:Container"


def test_a_stack_that_another_run_changes_is_left_alone(tmp_path: Path) -> None:
    """Who holds it and what to do is said; nothing is imported, and nothing of that run is removed."""
    content = {"pid": os.getpid(), "username": "ann", "hostname": socket.gethostname(), "timestamp": ago(0)}
    entry = lock(tmp_path, content)
    exported = state(container("a"), pending_operations=[{"type": "creating"}])
    space = fakes.workspace(tmp_path, {"stack export": json.dumps(exported)}, PULUMI_BACKEND_URL=f"file://{tmp_path}")
    making = FakeItem("dev-b", id="b")
    with pytest.raises(runs.LockedError, match=rf"process {os.getpid()} of ann since .*: kill {os.getpid()}$"):
        recover.recover_stack(space, fakes.engine_with(making))
    assert (making.done, fakes.calls(tmp_path)) == ([], [])
    lock(tmp_path, content | {"hostname": "far"})
    with pytest.raises(runs.LockedError, match=rf"ann on far since .*remove its lock: rm '{entry}'"):
        recover.recover_stack(space, None)


def container(urn: str, *, attach: bool = True, code: int | None = 0) -> dict[str, Any]:
    """A container in an exported state."""
    return {"type": CONTAINER, "urn": urn, "id": f"id-{urn}", "outputs": {"attach": attach, "exitCode": code}}


def state(*resources: dict[str, Any], **more: Any) -> dict[str, Any]:
    """An exported state."""
    return {"deployment": {"resources": list(resources), **more}}


def test_only_failed_one_shots_run_again() -> None:
    """A one-shot that ended with an error is repeated; a service or a one-shot that went well is not."""
    result = state(
        container("good"),
        container("bad", code=1),
        container("service", attach=False, code=137),
        {"type": "docker:index/volume:Volume", "urn": "volume", "outputs": {"exitCode": 1, "attach": True}},
    )
    assert recover.list_unfinished(result) == ["bad"]
    assert recover.list_unfinished({}) == []


def test_an_answer_that_did_not_arrive_is_asked_for_again() -> None:
    """The one-shot that looks for the socket's group ended well, and its output is not in the state."""
    items = [container(urn) for urn in ("silent", "heard", "quiet")]
    for item, more in zip(
        items, ({"name": "dev-tools"}, {"name": "dev-tools", "containerLogs": "105\n"}, {}), strict=True
    ):
        item["outputs"] |= more
    assert recover.list_unfinished(state(*items)) == ["silent"]


def test_state_without_a_deployment_is_empty() -> None:
    """A stack that was never deployed knows nothing and has nothing pending."""
    assert recover.list_known_ids({}) == set()
    assert not recover.has_pending({})
    assert recover.list_known_ids(state(container("a"), {"type": "x", "urn": "no id"})) == {"id-a"}


def test_orphans_go_and_known_things_stay() -> None:
    """Containers and networks that carry our label but are in no state are stopped and removed; volumes never."""
    known, orphan = FakeItem("dev-a", id="a"), FakeItem("dev-b", id="b")
    network, volume = FakeItem("dev-monitoring", id="n"), FakeItem("dev-data", id="v")
    engine = fakes.engine_with(known, orphan, networks=[network], volumes=[volume])
    result = recover.list_engine_resources(engine, "dev")
    assert recover.remove_orphans(*result, {"a"}) == ["dev-b", "dev-monitoring"]
    assert (known.done, orphan.done, network.done, volume.done) == ([], ["stop", "remove"], ["remove"], [])
    assert engine.containers.filters == [{"label": "io.observability.stack=dev"}]


def test_an_orphaned_network_is_left_before_it_goes() -> None:
    """An engine refuses to remove a network that a container is in."""
    network = FakeItem("dev-other", id="n", attrs={"Containers": {"web": {}}})
    result = recover.list_engine_resources(fakes.engine_with(networks=[network]), "dev")
    assert recover.remove_orphans(*result, set()) == ["dev-other"]
    assert network.done == ["disconnect web", "remove"]


def test_remaining_volumes_are_sorted() -> None:
    """Volumes of the stack come by name."""
    engine = fakes.engine_with(volumes=[FakeItem("dev-z"), FakeItem("dev-a")])
    assert [v.name for v in recover.list_volumes(engine, "dev")] == ["dev-a", "dev-z"]


def test_clean_stack_needs_nothing(tmp_path: Path) -> None:
    """Nothing is done and nothing is imported where no run was interrupted."""
    space = fakes.workspace(tmp_path, {"stack export": json.dumps(state(container("a")))})
    assert recover.recover_stack(space, fakes.engine_with(FakeItem("dev-a", id="id-a"))) == []
    assert not any("import" in line for line in fakes.calls(tmp_path))


def test_interrupted_run_is_cleared(tmp_path: Path) -> None:
    """Lock, pending operations and orphans of a killed run go in one call, and each is told."""
    path = lock(tmp_path, {"pid": dead_pid(), "hostname": socket.gethostname()})
    exported = state(container("a"), pending_operations=[{"type": "creating"}])
    space = fakes.workspace(tmp_path, {"stack export": json.dumps(exported)}, PULUMI_BACKEND_URL=f"file://{tmp_path}")
    done = recover.recover_stack(space, fakes.engine_with(FakeItem("dev-b", id="b")))
    assert done == [
        "removed the lock of a run that is no longer alive",
        "cleared the operations that an interrupted run left pending",
        "removed what an interrupted run left on the engine: dev-b",
    ]
    assert not path.exists()
    assert any(line.startswith("stack import --stack dev --file") for line in fakes.calls(tmp_path))
    assert not list(tmp_path.glob(".recovered*"))


def test_what_another_backend_has_deployed_is_left_alone(tmp_path: Path) -> None:
    """Parts that run, of which the state knows none, are no leftovers: they are refused, with what to do."""
    space = fakes.workspace(tmp_path, {"stack export": json.dumps(state())}, PULUMI_BACKEND_URL="s3://other")
    running = fakes.service("loki")
    running.labels["io.observability.role"] = "service"
    cases: list[dict[str, Any]] = [{"client": fakes.engine_with(running)}, {"client": None, "pods": ["loki-0"]}]
    for found in cases:
        with pytest.raises(ConfigError, match=r"1 of its parts run .+, and s3://other knows none of them"):
            recover.recover_stack(space, **found)
    assert running.done == []
    half = FakeItem("dev-loki-configure", id="x")  # what a first run that was killed leaves does not run
    assert recover.recover_stack(space, fakes.engine_with(half)) != []


def test_imported_state_has_nothing_pending(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What goes back to the backend is the old state without the pending operations."""
    exported = state(container("a"), pending_operations=[{"type": "creating"}])
    space = fakes.workspace(tmp_path, {"stack export": json.dumps(exported)})
    written: list[dict[str, Any]] = []
    unlink = Path.unlink

    def keep(self: Path, missing_ok: bool = False) -> None:
        written.append(json.loads(self.read_text()))
        unlink(self, missing_ok)

    monkeypatch.setattr(Path, "unlink", keep)
    recover.recover_stack(space, None)
    assert written == [state(container("a"), pending_operations=[])]


@pytest.mark.parametrize("registry", [True, False])
def test_what_pulumi_takes_as_it_is_is_put_right(registry: bool) -> None:
    """A paused container runs again, and a name that means another image is pulled, or said where it cannot be."""
    done: list[str] = []

    def pull(reference: str) -> None:
        if not registry:
            raise DockerException("no registry")
        done.append(f"pull {reference}")

    client = SimpleNamespace(
        api=SimpleNamespace(unpause=lambda number: done.append(f"unpause {number}")),
        images=SimpleNamespace(pull=pull),
    )
    reading = Reading(
        containers={
            "dev-a": {"Id": "a", "State": {"Paused": True}},
            "dev-b": {"Id": "b", "State": {"Paused": False}},
        }
    )
    said = recover.restore_engine(cast(docker.DockerClient, client), reading, {"loki:3": "sha256:1"})
    assert said[0] == "let dev-a run again, which was paused" and len(said) == 2
    assert ("pulled loki:3 again" in said[1]) == registry and ("no registry" in said[1]) != registry
    assert done == ["unpause a", *(["pull loki:3"] if registry else [])]


def test_the_revision_that_was_delivered_is_in_the_state() -> None:
    """Among the variables of its delivery, secrets of which are no texts."""
    inputs = {"envs": [{"4dabf18193072939515e22adb298388d": "x"}, "PATH=/", "REVISION=0123456789ab"]}
    delivery = {"type": recover.CONTAINER, "outputs": {"name": "dev-loki-configure"}, "inputs": inputs}
    state = {"deployment": {"resources": [{"type": recover.CONTAINER, "outputs": {"name": "dev-loki"}}, delivery]}}
    assert recover.find_revision(state, "dev-loki-configure") == "0123456789ab"
    assert recover.find_revision(state, "dev-loki") == recover.find_revision({}, "dev-loki-configure") == ""


def test_a_delivery_names_its_revision_as_it_is_read(tmp_path: Path) -> None:
    """The target's variable and the reader of the state agree."""
    plan = plan_shop(tmp_path)
    scope = Scope(stack="dev", settings=plan.settings.docker, images=plan.images)
    loki = next(item for item in plan.list_workloads() if item.name == "loki")
    made = {
        "type": recover.CONTAINER,
        "outputs": {"name": "dev-loki-configure"},
        "inputs": build_configure(scope, loki),
    }
    assert loki.config is not None
    found = recover.find_revision({"deployment": {"resources": [made]}}, "dev-loki-configure")
    assert found == loki.config.compute_revision()
