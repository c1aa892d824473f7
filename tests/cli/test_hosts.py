"""Where a stack runs, as the commands see it."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from cli import hosts, recover, verify
from cli.hosts import DockerHost
from model.deviation import Deviation, Drift
from model.plan import Plan
from model.settings import ComponentSettings, Settings
from model.workload import ConfigDir, Port
from targets.docker import engine as docker_engine
from targets.docker.engine import EngineFacts
from tests.support import engine_answers, fakes
from tests.support.systems import plan_shop


def test_an_engine_is_asked_before_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it says of itself becomes settings of the section `docker`, and is compared with what the stack says."""
    settings = Settings.model_validate({"system": "shop", "docker": {"host": "tcp://10.0.0.5:2376"}})
    facts = EngineFacts(
        number="A", version="20.10", api=(1, 41), local=False, socket=None, data_root="/data/docker",
        image_store="classic", rootless=False, user_namespaces=False, selinux=False, memory_limit=True, swap_limit=True,
        cpu_limit=True,
    )  # fmt: skip
    asked: list[str] = []

    def read(client: object, address: str) -> EngineFacts:
        asked.append(address)
        return facts

    monkeypatch.setattr(docker_engine, "read_facts", read)
    engine = fakes.engine_with()
    listed = [{"Names": ["/web"], "Ports": [{"IP": "127.0.0.1", "PublicPort": 8080}]}]
    monkeypatch.setattr(engine, "api", SimpleNamespace(containers=lambda: listed), raising=False)
    host = DockerHost("dev", engine)
    assert host.describe(settings).settings["docker"]["dataRoot"] == "/data/docker"
    workload = SimpleNamespace(ports=(Port(number=8080, publish=8080),))
    plan = SimpleNamespace(
        stack="dev", settings=settings, workloads={"traefik": (workload,)},
        sections={"traefik": ComponentSettings(port=8080)}, system=SimpleNamespace(name="shop", ports={}),
    )  # fmt: skip
    said, port = host.check_preflight(plan)  # type: ignore[arg-type]
    assert said.startswith("docker.dataRoot: ") and "is taken by the container web" in port
    assert set(asked) == {"tcp://10.0.0.5:2376"}


@pytest.mark.parametrize("blind", [True, False])
def test_who_sees_no_container_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, blind: bool) -> None:
    """cAdvisor is replaced, beside what a run left unfinished, what lost its network and a delivery that was spoilt."""
    resources = [
        {"urn": f"urn:{name}", "type": recover.CONTAINER, "outputs": {"name": f"dev-{name}"}, "initErrors": errors}
        for name, errors in {"cadvisor": [], "api": [], "half": ["no"], "loki-configure": []}.items()
    ]
    state = json.dumps({"deployment": {"resources": resources}})
    monkeypatch.setattr(verify, "is_blind", lambda client, stack: blind)
    lost = Deviation(kind="container", name="dev-api", what="networks", declared="a", running="b")
    spoilt = Deviation(kind="document", name="a.yml", what="content", declared="a", running="b")
    monkeypatch.setattr(DockerHost, "compare", lambda self, plan: Drift(deviations=(lost,)))
    monkeypatch.setattr(DockerHost, "compare_documents", lambda self, plan: {"loki": Drift(deviations=(spoilt,))})
    space = fakes.workspace(tmp_path, {"stack export": state})
    plan = cast(Plan, SimpleNamespace(list_workloads=list))
    result = DockerHost("dev", fakes.engine_with()).find_urns_to_replace(space, plan)
    assert [*result] == ["urn:half", *(["urn:cadvisor"] if blind else []), "urn:api", "urn:loki-configure"]
    assert result["urn:half"] == "is made again: it did not start, or did not end well"
    assert result["urn:api"] == "is made again: its networks are not as declared"
    assert result["urn:loki-configure"].startswith("delivers again: documents of loki are not as they were delivered")


def test_an_engine_is_compared_with_the_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    """One reading of it for what is not as declared, and for what is put right before a run."""
    plan = engine_answers.plan_dev()
    reading = engine_answers.read_as_declared(plan)
    monkeypatch.setattr(hosts, "read_engine", lambda client, stack: reading)
    monkeypatch.setattr(hosts, "read_image_settings", lambda *_: engine_answers.read_image_settings(reading))
    host = DockerHost("dev", fakes.engine_with())
    assert host.compare(plan) == Drift() and host.restore(plan) == []


@pytest.mark.parametrize(
    ("state", "code", "unread"), [("healthy", 0, ""), ("healthy", 1, "status 1"), ("exited", 0, "is exited")]
)
def test_documents_are_asked_of_their_process(state: str, code: int, unread: str) -> None:
    """In its own container; one that does not run, or fails, says nothing of them."""
    item = fakes.service("loki", state=state, outputs=[(code, f"{'0' * 64}  loki.yaml\n".encode())])
    workload = SimpleNamespace(name="loki", config=ConfigDir(path="/etc/loki", files={"loki.yaml": "a"}))
    plan = cast(Plan, SimpleNamespace(list_workloads=lambda: [workload]))
    drift = DockerHost("dev", fakes.engine_with(item)).compare_documents(plan)["loki"]
    assert bool(drift.deviations) == (not unread) and unread in "".join(drift.unread)


def test_a_program_runs_in_its_workloads_container() -> None:
    """Its lines and its exit status; one that does not run is said."""
    said: list[str] = []
    item = fakes.service("backup-loki", outputs=[(3, b"one\n")])
    assert DockerHost("dev", fakes.engine_with(item)).run_program("backup-loki", ["run"], said.append) == 3
    assert said == ["one"] and item.commands == [["run"]]
    stopped = fakes.service("backup-loki", state="exited")
    with pytest.raises(RuntimeError, match="is exited"):
        DockerHost("dev", fakes.engine_with(stopped)).run_program("backup-loki", ["run"], said.append)


def test_tasks_run_on_the_same_engine(tmp_path: Path) -> None:
    """With what the plan says of it."""
    item = fakes.service("loki")
    assert DockerHost("dev", fakes.engine_with(item)).open_tasks(plan_shop(tmp_path)).list_running() == [item.name]
