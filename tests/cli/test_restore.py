"""Restores: all that stands in the way is said before anything is made, and half a restore is none."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from cli import lifecycle, render, restore
from cli.backups import Copy
from cli.tasks import Say, Task
from model.errors import ConfigError
from model.workload import Workload
from tests.cli.test_backups import NAMES, NEWER, OLDER, Answers, every, opened, printed, written
from tests.components.backup.test_component import plan


class Empty(Answers):
    """A host on which nothing runs, with volumes by their content; remembers what is made and filled."""

    def __init__(
        self,
        answers: Mapping[str, tuple[int, Sequence[str]]],
        content: Mapping[str, Sequence[str]] | None = None,
        *,
        running: bool = False,
        codes: Mapping[str, int] | None = None,
    ) -> None:
        super().__init__(answers, running=running)
        self.content, self.codes = content or {}, codes or {}
        self.made: list[str] = []
        self.filled: list[tuple[str, str]] = []

    def list_volumes(self, agent: Workload) -> list[str]:
        """As `Tasks`."""
        return [f"dev-{agent.beside}-data"]

    def list_content(self, agent: Workload, volume: str) -> list[str]:
        """As `Tasks`."""
        return list(self.content.get(volume, ()))

    def make_volume(self, agent: Workload, volume: str) -> None:
        """As `Tasks`."""
        self.made.append(volume)

    def run(self, item: Task, say: Say) -> int:
        """As `Tasks`."""
        if item.command[3] != "restore":
            return super().run(item, say)
        assert item.volume in self.made and item.command[-2:] == ("--into", "/data") and item.secrets
        self.filled.append((item.volume, item.command[item.command.index("--id") + 1]))
        say("restoring")
        return self.codes.get(item.agent.beside, 0)


def filled(folder: Path, host: Empty, wanted: str = "latest", without: Sequence[str] = ()) -> tuple[int, str]:
    """Exit code and output of a restore of the shop on such a host."""
    console, text = printed()
    known = opened(folder, host)
    return restore.restore_stack(known, restore.choose_backups(known, wanted, without), console), text.getvalue()


def refused(folder: Path, host: Empty, wanted: str = "latest", without: Sequence[str] = ()) -> str:
    """The words of a restore that is refused; nothing was made."""
    with pytest.raises(ConfigError) as caught:
        filled(folder, host, wanted, without)
    assert host.made == [] and host.filled == []
    return str(caught.value)


def test_of_a_stack_that_runs_its_agents_are_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A refusal makes neither a container nor a Job, and still says all that is wrong."""
    monkeypatch.setattr(Empty, "run", lambda *_: pytest.fail("a task was run"))
    text = refused(tmp_path, Empty(every(0, written([])), running=True))
    assert "the stack runs" in text and all(f"{name} has no backup" in text for name in NAMES)


def test_every_volume_is_filled_from_the_newest(tmp_path: Path) -> None:
    """Made first, and filled with all that there is; then people are told what comes next."""
    host = Empty(every(0, written([NEWER, OLDER])))
    code, text = filled(tmp_path, host)
    assert code == 0 and "All is there. Start it: make up STACK=dev" in text
    assert host.filled == [(f"dev-{name}-data", NEWER.id) for name in NAMES]


def test_an_older_one_is_the_newest_that_is_not_younger(tmp_path: Path) -> None:
    """Of each part: they are not all made in the same second."""
    before = Copy(id="20261129T031400Z", bytes=5, files=1, ended="x")
    host = Empty(every(0, written([NEWER, OLDER]), loki=(0, [written([NEWER, before])])))
    assert filled(tmp_path, host, OLDER.id)[0] == 0
    assert dict(host.filled)["dev-loki-data"] == before.id and dict(host.filled)["dev-grafana-data"] == OLDER.id


def test_everything_in_the_way_is_said_at_once(tmp_path: Path) -> None:
    """Volumes with data, an answer that does not come, a part without a backup."""
    answers = every(0, written([NEWER]), grafana=(1, ["access denied"]), alertmanager=(0, ["[]"]))
    said = refused(tmp_path, Empty(answers, {"dev-loki-data": ["wal"], "dev-prometheus-data": ["chunks_head"]}))
    for words in (
        "the volume dev-loki-data of loki is not empty", "dev-prometheus-data", "backups of grafana cannot be listed",
        "access denied", "alertmanager has no backup; leave it out with WITHOUT=alertmanager",
    ):  # fmt: skip
        assert words in said


def test_a_stack_that_runs_is_left_alone(tmp_path: Path) -> None:
    """It would write to what is being filled."""
    assert "the stack runs" in refused(tmp_path, Empty(every(0, written([NEWER])), running=True))


def test_what_is_in_every_volume_is_no_data(tmp_path: Path) -> None:
    """Marks of deliveries and of file systems; nor is half of a restore, which is gone on with."""
    content = {
        "dev-loki-data": [".observability"], "dev-grafana-data": ["lost+found"],
        "dev-prometheus-data": [".restore-incomplete", "wal"],
    }  # fmt: skip
    host = Empty(every(0, written([NEWER])), content)
    assert filled(tmp_path, host)[0] == 0 and len(host.filled) == len(NAMES)


@pytest.mark.parametrize(("wanted", "hint"), [("20261130T031501Z", "did you mean"), ("newest", "an ID is like")])
def test_an_id_that_is_none_is_refused(tmp_path: Path, wanted: str, hint: str) -> None:
    """A slip of the pen must not lead to an older backup."""
    said = refused(tmp_path, Empty(every(0, written([NEWER]))), wanted)
    assert f"FROM={wanted} is the ID of no backup" in said and hint in said


def test_what_is_younger_is_not_restored(tmp_path: Path) -> None:
    """A part that has younger backups alone has none of that time."""
    host = Empty(every(0, written([OLDER]), loki=(0, [written([NEWER])])))
    assert f"loki has no backup of {OLDER.id} or before" in refused(tmp_path, host, OLDER.id)


def test_a_part_can_be_left_out(tmp_path: Path) -> None:
    """By name; it is not asked for, and its volume is not looked at."""
    host = Empty(every(0, written([NEWER]), loki=(0, ["[]"])), {"dev-loki-data": ["wal"]})
    assert filled(tmp_path, host, without=["loki"])[0] == 0
    assert [name for name, _ in host.filled] == [f"dev-{name}-data" for name in NAMES if name != "loki"]
    assert "WITHOUT: 'lokii' has no backups; did you mean 'loki'?" in refused(
        tmp_path, Empty(every(0, written([NEWER]))), without=["lokii"]
    )


def test_half_a_restore_is_none(tmp_path: Path) -> None:
    """What is not whole is named, with how to go on, and nobody is told to start the stack."""
    host = Empty(every(0, written([NEWER])), codes={"prometheus": 1})
    code, text = filled(tmp_path, host)
    assert code == 1 and "not restored: prometheus" in text and "Start it" not in text
    assert "WITHOUT=loki,alertmanager,grafana" in text and "exit status 1" in text


def test_a_volume_that_cannot_be_made_is_not_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the platform's words."""
    host = Empty(every(0, written([NEWER])))

    def fail(agent: Workload, volume: str) -> None:
        raise RuntimeError("forbidden")

    monkeypatch.setattr(host, "make_volume", fail)
    code, text = filled(tmp_path, host)
    assert code == 1 and "forbidden" in text


def test_a_secret_that_the_data_needs_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that would be generated anew is another one; one that is set is the old one."""
    host = Empty(every(0, written([NEWER])))
    assert "grafana-secret-key is not set" in filled(tmp_path, host)[1]
    monkeypatch.setattr(restore, "list_stored_names", lambda space: {"grafana-secret-key"})
    assert "is not set" not in filled(tmp_path, Empty(every(0, written([NEWER]))))[1]


def test_the_command_fetches_what_it_needs_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The stack's images, the platform's word on itself, and no other run that changes the stack."""
    host, done = Empty(every(0, written([NEWER]))), list[str]()
    known = opened(tmp_path, host)
    monkeypatch.setattr(render, "plan_file", lambda *_: plan(tmp_path))
    monkeypatch.setattr(lifecycle, "fetch_prerequisites", lambda plan: done.append("fetched"))
    monkeypatch.setattr(lifecycle, "connect_stack", lambda *_: (known.space, known.plan, known.host))
    monkeypatch.setattr(lifecycle, "run_preflight", lambda *_: done.append("asked"))
    monkeypatch.setattr(restore, "refuse_locked", lambda backend, stack: done.append("locked"))
    args: Any = argparse.Namespace(stack="dev", backup="latest", from_stack="prod", without="loki, grafana")
    assert restore.run_command(args) == 0
    assert done == ["fetched", "locked", "asked"] and len(host.filled) == 2
    asked = [item.command for item in host.tasks] + [words for _, words in host.asked]
    assert asked and all("--from-stack prod" in " ".join(words) for words in asked)
