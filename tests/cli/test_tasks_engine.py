"""Tasks on an engine, without one: what is asked of it."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from docker.errors import APIError, ImageNotFound, NotFound

from cli import verify
from cli.tasks import Task
from cli.tasks_engine import EngineTasks, build_archive
from model.naming import derive_user_id
from model.plan import Plan
from model.workload import Workload
from tests.components.backup.test_component import DIRECTORY, plan

SECRETS = {"/run/secrets/backup-passphrase": "canary"}


class Engine:
    """The part of an engine that runs containers once; remembers what it was asked for.

    Args:
        volumes: names of volumes that are there.
        output: what containers print.
        code: how they end.
        followed: what of that comes while they run; all of it when absent.
    """

    def __init__(
        self, volumes: tuple[str, ...] = (), output: bytes = b"", code: int = 0, followed: bytes | None = None
    ) -> None:
        self.followed = output if followed is None else followed
        self.there, self.output, self.code = list(volumes), output, code
        self.created: list[dict[str, Any]] = []
        self.done: list[str] = []
        self.archives: list[bytes] = []
        self.joined: list[str] = []
        self.pulled: list[str] = []
        self.fails: APIError | None = None
        self.containers = SimpleNamespace(create=self._create)
        self.volumes = SimpleNamespace(get=self._get_volume, create=self._create_volume)
        self.images = SimpleNamespace(get=self._get_image, pull=self.pulled.append)
        self.networks = SimpleNamespace(get=lambda name: SimpleNamespace(connect=lambda _: self.joined.append(name)))

    def _create(self, image: str, **options: Any) -> Any:
        self.created.append({"image": image, **options})
        return SimpleNamespace(
            start=self._start,
            put_archive=lambda path, data: self.archives.append(data),
            logs=lambda **how: iter([self.followed]) if how else self.output,
            wait=lambda: {"StatusCode": self.code},
            remove=lambda **how: self.done.append(f"removed {how}"),
        )

    def _start(self) -> None:
        if self.fails:
            raise self.fails
        self.done.append("started")

    def _get_volume(self, name: str) -> None:
        if name not in self.there:
            raise NotFound(name)

    def _create_volume(self, **inputs: Any) -> None:
        self.there.append(inputs["name"])
        self.done.append(f"made {inputs['name']} {inputs['labels']}")

    def _get_image(self, name: str) -> None:
        if name not in self.pulled:
            raise ImageNotFound(name)


@pytest.fixture
def planned(tmp_path: Path) -> Plan:
    """The shop with backups."""
    return plan(tmp_path)


def agent(planned: Plan, name: str = "loki") -> Workload:
    """The agent beside a workload."""
    return next(item for item in planned.workloads["backup"] if item.beside == name)


def tasks(engine: Engine, planned: Plan) -> EngineTasks:
    """Tasks of the shop on that engine."""
    return EngineTasks(engine, planned)  # type: ignore[arg-type]


def mounts(options: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Mounts of a container by their path."""
    return {item["Target"]: item for item in options["mounts"]}


@pytest.mark.parametrize("followed", [b"", b"one\n", b"one\ntwo\n"])
def test_lines_that_an_engine_lost_are_read_again(planned: Plan, followed: bytes) -> None:
    """It may end its answer while the program goes on; each line is handed on once, in its order."""
    said: list[str] = []
    engine = Engine(output=b"one\ntwo\n", followed=followed)
    assert tasks(engine, planned).run(Task(agent=agent(planned), command=("a",)), said.append) == 0
    assert said == ["one", "two"]


def test_a_task_is_as_confined_as_what_runs_always(planned: Plan) -> None:
    """The neighbour's user, no capability, a root that nothing is written to, bounds, and nothing of it stays."""
    engine = Engine(output=b"one\ntwo\n", code=3)
    said: list[str] = []
    task = Task(agent=agent(planned), command=("do", "it"), secrets=SECRETS, volume="dev-loki-data")
    assert tasks(engine, planned).run(task, said.append) == 3 and said == ["one", "two"]
    (made,) = engine.created
    owner = derive_user_id("dev", "loki")
    assert made["user"] == f"{owner}:{owner}" and made["read_only"] and made["cap_drop"] == ["ALL"]
    assert made["security_opt"] == ["no-new-privileges:true"] and made["mem_limit"] == agent(planned).limits.memory
    assert (made["image"], made["entrypoint"], made["command"]) == ("observability/backup:0.1.0", [], ["do", "it"])
    assert "cap_add" not in made and engine.done == ["started", "removed {'v': True, 'force': True}"]
    assert mounts(made)["/data"]["VolumeOptions"]["NoCopy"] and not mounts(made)["/data"]["ReadOnly"]


def test_secrets_travel_through_the_engine_alone(planned: Plan) -> None:
    """As files of the user's own on a volume that goes with the container; nothing that can be inspected has one."""
    engine = Engine()
    tasks(engine, planned).run(Task(agent=agent(planned), command=("x",), secrets=SECRETS), lambda _: None)
    assert "canary" not in str(engine.created)
    assert mounts(engine.created[0]).keys() == {"/scratch"} and not mounts(engine.created[0])["/scratch"]["Source"]
    (archive,) = engine.archives
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        members = {item.name: (item.mode, item.uid) for item in tar.getmembers()}
    owner = derive_user_id("dev", "loki")
    assert members["secrets/backup-passphrase"] == (0o400, owner) and members["work"] == (0o700, owner)


def test_the_document_says_where_its_files_are(planned: Plan) -> None:
    """They lie elsewhere than beside a process that runs always; all else stays as it is."""
    task = Task(agent=agent(planned), command=("x",), secrets=SECRETS)
    with tarfile.open(fileobj=io.BytesIO(build_archive(task, 1))) as tar:
        written = json.load(tar.extractfile("backup.json"))  # type: ignore[arg-type]
        names = {f"/scratch/{name}" for name in tar.getnames()}
    assert written["scratch"] in names and written["secrets"]["passphrase"] in names
    assert (written["workload"], written["data"], written["destination"]["type"]) == ("loki", "/data", "s3")


def test_it_gets_out_where_its_destination_is(tmp_path: Path) -> None:
    """By the engine's own network and those that the settings name; one that writes to a directory nowhere."""
    engine, planned = Engine(), plan(tmp_path / "a", docker={"externalNetworks": ["storage"]})
    tasks(engine, planned).run(Task(agent=agent(planned), command=("x",)), lambda _: None)
    assert engine.created[0]["network"] == "bridge" and engine.joined == ["storage"]
    engine, planned = Engine(), plan(tmp_path / "b", DIRECTORY)
    tasks(engine, planned).run(Task(agent=agent(planned), command=("x",)), lambda _: None)
    assert engine.created[0]["network"] == "none" and engine.joined == []
    assert not mounts(engine.created[0])["/destination"]["ReadOnly"]


def test_a_volume_is_made_as_the_target_makes_it(planned: Plan) -> None:
    """With its name and label, so that the next run takes it over, and for the user who will write to it."""
    engine = Engine()
    tasks(engine, planned).make_volume(agent(planned), "dev-loki-data")
    owner = derive_user_id("dev", "loki")
    assert engine.done[0] == "made dev-loki-data {'io.observability.stack': 'dev'}"
    (made,) = engine.created
    assert made["command"] == ["chown", f"{owner}:{owner}", "/data"] and made["user"] == "0:0"
    assert made["cap_add"] == ["CHOWN"] and made["network_mode"] == "none"


def test_what_is_in_a_volume_is_known_before(planned: Plan) -> None:
    """One that is not there is empty, and is not made by looking into it; one that cannot be read is no empty one."""
    engine = Engine(volumes=("dev-loki-data",), output=b"wal\nchunks\n")
    assert tasks(engine, planned).list_content(agent(planned), "dev-loki-data") == ["wal", "chunks"]
    assert tasks(engine, planned).list_content(agent(planned), "dev-other-data") == []
    assert engine.there == ["dev-loki-data"]
    engine.code = 1
    with pytest.raises(RuntimeError, match="dev-loki-data cannot be looked into"):
        tasks(engine, planned).list_content(agent(planned), "dev-loki-data")


def test_volumes_and_what_runs_are_found_by_name(planned: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    """The neighbour's data volume; containers of services, whether they run or not."""
    monkeypatch.setattr(verify, "list_services", lambda *_: [SimpleNamespace(name="dev-loki")])
    made = tasks(Engine(), planned)
    assert made.list_volumes(agent(planned)) == ["dev-loki-data"] and made.list_running() == ["dev-loki"]


def test_a_task_that_cannot_begin_leaves_nothing(planned: Plan) -> None:
    """The engine's words, and the container is removed all the same."""
    engine = Engine()
    engine.fails = APIError("no", explanation="bind source path does not exist")
    with pytest.raises(RuntimeError, match="bind source path does not exist"):
        tasks(engine, planned).run(Task(agent=agent(planned), command=("x",)), lambda _: None)
    assert engine.done == ["removed {'v': True, 'force': True}"]


def test_an_image_is_pulled_where_it_is_not_there(planned: Plan) -> None:
    """Once, and not again."""
    engine = Engine()
    for _ in range(2):
        tasks(engine, planned).run(Task(agent=agent(planned), command=("x",)), lambda _: None)
    assert engine.pulled == ["observability/backup:0.1.0"]
