"""Backups now, and what is at the destination: what agents are asked for, and what people see of their answers."""

from __future__ import annotations

import argparse
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from cli import backups
from cli.backups import Copy, Opened
from cli.tasks import Say, Task
from model.errors import ConfigError
from model.plan import Plan
from tests.components.backup.test_component import plan
from tests.support import fakes
from tests.support.systems import plan_shop

DONE = '{"id": "20261130T031500Z", "bytes": 2000000, "files": 12, "uploaded_bytes": 1000, "seconds": 1.25}'
NEWER, OLDER = (Copy(id=f"202611{day}T031500Z", bytes=5, files=1, ended="x") for day in ("30", "29"))
CONFIG = json.dumps(
    {f"observability:{name}": {"value": f"canary {name}", "secret": True} for name in (
        "backup-passphrase", "backup-access-key-id", "backup-secret-access-key",
    )}
)  # fmt: skip


def written(copies: Sequence[Copy]) -> str:
    """What an agent prints of backups."""
    return json.dumps([vars(copy) for copy in copies])


class Answers:
    """A host whose agents answer as they are given: exit status and lines by the agent's name."""

    def __init__(self, answers: Mapping[str, tuple[int, Sequence[str]]], *, running: bool = True) -> None:
        self.answers, self.running = answers, running
        self.asked: list[tuple[str, tuple[str, ...]]] = []
        self.tasks: list[Task] = []

    def run_program(self, workload: str, command: Sequence[str], say: Say) -> int:
        """As `Host`."""
        self.asked.append((workload, tuple(command)))
        if workload not in self.answers:
            raise RuntimeError(f"there is no container {workload}")
        code, lines = self.answers[workload]
        for line in lines:
            say(line)
        return code

    def open_tasks(self, plan: Plan) -> Any:
        """Tasks that give the same answers."""
        return self

    def list_running(self) -> list[str]:
        """As `Tasks`."""
        return ["dev-loki"] if self.running else []

    def run(self, item: Task, say: Say) -> int:
        """As `Tasks`."""
        self.tasks.append(item)
        return self.run_program(item.agent.name, item.command, say)


NAMES = ("loki", "alertmanager", "prometheus", "grafana")


def every(code: int, *lines: str, **others: tuple[int, Sequence[str]]) -> dict[str, tuple[int, Sequence[str]]]:
    """The same answer of all agents but for those of some."""
    return {f"backup-{name}": others.get(name, (code, lines)) for name in NAMES}


def printed() -> tuple[Console, io.StringIO]:
    """A console, and what it has printed."""
    text = io.StringIO()
    return Console(file=text, width=200, highlight=False), text


def opened(folder: Path, host: Answers) -> Opened:
    """The shop with backups, on such a host."""
    space = fakes.workspace(folder / "space", {"config": CONFIG, "stack export": '{"deployment": {}}'})
    (space.directory / "Pulumi.dev.yaml").write_text("config: {}\n", encoding="utf-8")
    return Opened(space, plan(folder), host)  # type: ignore[arg-type]


def test_every_agent_makes_a_backup(tmp_path: Path) -> None:
    """One after the other, in its own container, waiting for a run that is underway; its lines and end are shown."""
    host = Answers(every(0, "copying wal [1/2]", DONE))
    console, text = printed()
    assert backups.run_backups(plan(tmp_path), host, console) == 0  # type: ignore[arg-type]
    assert [name for name, _ in host.asked] == [f"backup-{name}" for name in NAMES]
    assert host.asked[0][1] == (
        "/usr/bin/python3", "-m", "backup_agent", "run", "--document", "/etc/backup/backup.json", "--wait", "3600",
    )  # fmt: skip
    assert "copying wal [1/2]" in text.getvalue() and DONE not in text.getvalue()
    assert "20261130T031500Z: 2.0 MB in 12 files, 1.0 kB uploaded, 1.2 s" in text.getvalue()


@pytest.mark.parametrize(
    "answer", [(1, ["no space left"]), (0, ["no space left"]), (0, []), (0, ['{"id": "x"}']), (3, [DONE])]
)
def test_a_run_that_failed_is_no_backup(tmp_path: Path, answer: tuple[int, list[str]]) -> None:
    """By its exit status, and by an end that says no ID; the others are made all the same, and what failed is named."""
    host = Answers(every(0, DONE, loki=answer))
    console, text = printed()
    assert backups.run_backups(plan(tmp_path), host, console) == 1  # type: ignore[arg-type]
    assert len(host.asked) == len(NAMES) and "no backup of loki:" in text.getvalue()
    assert all(line in text.getvalue() for line in answer[1])


def test_an_agent_that_does_not_run_is_no_backup(tmp_path: Path) -> None:
    """In words, and with a failure."""
    answers = {name: answer for name, answer in every(0, DONE).items() if name != "backup-grafana"}
    console, text = printed()
    assert backups.run_backups(plan(tmp_path), Answers(answers), console) == 1  # type: ignore[arg-type]
    assert "there is no container backup-grafana" in text.getvalue()


def test_a_stack_without_backups_is_refused(tmp_path: Path) -> None:
    """With the key that switches them on."""
    with pytest.raises(ConfigError, match=r"Pulumi\.dev\.yaml: backup\.enabled: false"):
        backups.list_agents(plan_shop(tmp_path))


def test_what_is_there_is_shown(tmp_path: Path) -> None:
    """A row for each backup, by what it is of; all agents are asked where they run."""
    host = Answers(every(0, written([NEWER, OLDER])))
    console, text = printed()
    assert backups.show_copies(opened(tmp_path, host), console, as_json=False) == 0
    assert text.getvalue().count(NEWER.id) == text.getvalue().count(OLDER.id) == len(NAMES) + 1 and not host.tasks
    assert host.asked[-1][1][-2:] == ("--name", "pulumi-state") and "pulumi-state" in text.getvalue()


def test_what_has_no_backup_is_said(tmp_path: Path) -> None:
    """None at all, or an answer that does not come, is no success."""
    answers = every(0, written([NEWER]), loki=(0, ["[]"]), grafana=(1, ["access denied"]))
    console, text = printed()
    assert backups.show_copies(opened(tmp_path, Answers(answers)), console, as_json=False) == 1
    assert "loki has no backup" in text.getvalue() and "access denied" in text.getvalue()


def test_it_is_one_document_for_programs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With the same failures."""
    answers = every(0, written([NEWER]), grafana=(1, ["access denied"]))
    assert backups.show_copies(opened(tmp_path, Answers(answers)), printed()[0], as_json=True) == 1
    document = json.loads(capsys.readouterr().out)
    assert document["backups"]["loki"] == [vars(NEWER)] and "access denied" in document["unknown"]["grafana"]


def test_a_stack_that_does_not_run_is_asked_for_too(tmp_path: Path) -> None:
    """By programs that run once, with the agent's own secrets from the stack's configuration."""
    host = Answers(every(0, written([NEWER])), running=False)
    assert backups.show_copies(opened(tmp_path, host), printed()[0], as_json=False) == 0
    assert [task.agent.name for task in host.tasks] == [*(f"backup-{name}" for name in NAMES), f"backup-{NAMES[0]}"]
    task = host.tasks[0]
    assert task.command[-2:] == ("--document", "/scratch/backup.json") and task.volume == ""
    assert task.secrets["/run/secrets/backup-passphrase"] == "canary backup-passphrase" and len(task.secrets) == 3


@pytest.mark.parametrize("lines", [["nothing"], ['{"id": 1}'], ['[{"id": "x"}]'], []])
def test_what_is_no_list_is_an_error(lines: list[str]) -> None:
    """It must not read as none."""
    with pytest.raises(RuntimeError, match="no list of backups"):
        backups.parse_copies(lines)


def test_a_list_may_follow_other_lines() -> None:
    """And may have several of its own."""
    text = json.dumps([vars(NEWER)], indent=1)
    assert backups.parse_copies(["[info] reading", *text.splitlines()]) == [NEWER]
    assert backups.parse_copies(["[info] reading", written([NEWER, OLDER])]) == [NEWER, OLDER]


def test_ids_say_their_time() -> None:
    """In UTC; what is none has no time."""
    made = backups.parse_id(NEWER.id)
    assert made is not None and made.isoformat() == "2026-11-30T03:15:00+00:00"
    assert backups.parse_id("latest") is None


def test_the_command_opens_the_running_stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it is asked for is shown."""
    host = Answers(every(0, written([NEWER])))
    known = opened(tmp_path, host)
    monkeypatch.setattr(backups, "open_running", lambda stack: (known.space, known.plan, known.host))
    assert backups.run_command(argparse.Namespace(command="backups", stack="dev", json=False)) == 0
    assert host.asked[0][1][3] == "list"


def test_where_a_task_finds_its_document_depends_on_the_target() -> None:
    """On a cluster it is where a process has it."""
    for target, folder in {"docker": "/scratch", "kubernetes": "/etc/backup"}.items():
        known: Any = SimpleNamespace(settings=SimpleNamespace(target=target))
        assert backups.find_folder(known) == folder
