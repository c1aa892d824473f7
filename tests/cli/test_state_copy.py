"""Copies of the Pulumi state beside the backups: whole, only for who has the passphrase, and only where it changed."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cli import backups, state_copy
from cli.backups import STATE
from cli.state_copy import StateCopy
from tests.cli.test_backups import CONFIG, DONE, Answers, every, opened, printed
from tests.support import fakes

CANARY = "canary-8f41"
COPY = StateCopy(
    stack="dev",
    saved="2026-12-01T15:00:00+00:00",
    deployment={"resources": [{"urn": f"urn:{number}", "outputs": {"value": CANARY}} for number in range(3)]},
    secrets={"slack-webhook": CANARY},
    settings="config: {}\n",
)
EXPORT = json.dumps({"version": 3, "deployment": COPY.deployment})
PASSPHRASE = "canary backup-passphrase"


def test_a_copy_is_opened_by_its_passphrase() -> None:
    """Between other lines too; nothing of it can be read without."""
    text = state_copy.seal_copy(COPY, PASSPHRASE)
    assert CANARY not in text and "slack" not in text
    assert state_copy.open_copy(["level=info", *text.splitlines(), "the end"], PASSPHRASE) == COPY
    assert state_copy.seal_copy(COPY, PASSPHRASE) != text, "the same twice would say that nothing changed"


@pytest.mark.parametrize("fault", ["passphrase", "cut", "changed", "none"])
def test_what_is_no_copy_is_refused(fault: str) -> None:
    """Another passphrase, half a text and a changed one alike; and where there is none, what came instead is said."""
    lines = state_copy.seal_copy(COPY, PASSPHRASE).splitlines()
    given = {
        "passphrase": (lines, "another"),
        "cut": ([*lines[:2], lines[2][:50]], PASSPHRASE),
        "changed": ([*lines[:2], "A" + lines[2][1:]], PASSPHRASE),
        "none": (["refused: there is no backup"], PASSPHRASE),
    }[fault]
    with pytest.raises(RuntimeError, match="there is no backup" if fault == "none" else "is damaged, or"):
        state_copy.open_copy(*given)


def known(folder: Path, host: Answers, state: str = EXPORT) -> backups.Opened:
    """The shop with backups and a state, on such a host."""
    made = opened(folder, host)
    space = fakes.workspace(folder / "space", {"config": CONFIG, "stack export": state})
    return replace(made, space=space)


def saved(folder: Path, host: Answers, state: str = EXPORT, *, changed: bool = True) -> tuple[bool, str]:
    """Whether there is a copy after a run, and what is printed."""
    console, text = printed()
    one = known(folder, host, state)
    return state_copy.save_state(one.space, one.plan, one.host, console, changed=changed), text.getvalue()


@pytest.fixture(autouse=True)
def _memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OBSERVABILITY_STATE", str(tmp_path / "memory"))


def test_an_agent_gets_it_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are the whole text, whose digest is compared; the first one begins it anew. No secret is in them."""
    monkeypatch.setattr(state_copy, "_PIECE", 300)
    host = Answers(every(0, DONE))
    assert saved(tmp_path, host) == (True, f"== {STATE}\n   {backups.describe_run(json.loads(DONE))}\n")
    *pieces, last = [command for _, command in host.asked]
    assert len(pieces) > 1 and [("--begin" in piece) for piece in pieces] == [True] + [False] * (len(pieces) - 1)
    text = "".join(piece[-1].removeprefix("--text=") for piece in pieces)
    assert last[last.index("--sha256") + 1] == hashlib.sha256(text.encode()).hexdigest()
    copy = state_copy.open_copy(text.splitlines(), PASSPHRASE)
    assert copy.deployment == COPY.deployment and copy.secrets["backup-passphrase"] == PASSPHRASE
    assert not any("canary" in word for _, command in host.asked for word in command)


def test_a_state_that_stayed_is_copied_once(tmp_path: Path) -> None:
    """Until it is another one, or people ask for it."""
    for state, changed, asked in ((EXPORT, True, 2), (EXPORT, True, 0), (EXPORT, False, 2), (_other(), True, 2)):
        host = Answers(every(0, DONE))
        assert saved(tmp_path, host, state, changed=changed)[0] and len(host.asked) == asked


@pytest.mark.parametrize(
    ("kind", "change", "same"),
    [
        ("docker:index/container:Container", {"outputs": {"networkDatas": []}, "modified": "later"}, True),
        ("docker:index/container:Container", {"inputs": {"image": "other"}}, False),
        ("docker:index/container:Container", {"id": "other"}, False),
        ("random:index/randomPassword:RandomPassword", {"outputs": {"result": "other"}}, False),
    ],
)
def test_what_is_read_is_no_other_state(kind: str, change: dict[str, Any], same: bool) -> None:
    """A reading writes down anew what an engine says; what a run has made of it is another one."""
    before = {"urn": "urn:1", "type": kind, "id": "1", "inputs": {}, "outputs": {}, "modified": "now"}
    one, other = (replace(COPY, deployment={"resources": [item]}) for item in (before, {**before, **change}))
    assert (state_copy.compute_digest(one) == state_copy.compute_digest(other)) == same


def test_the_order_of_resources_is_no_other_state() -> None:
    """They are registered side by side, so it is another one in each run."""
    reverse = replace(COPY, deployment={"resources": COPY.deployment["resources"][::-1]})
    assert state_copy.compute_digest(reverse) == state_copy.compute_digest(COPY)


def _other() -> str:
    return EXPORT.replace("urn:2", "urn:3")


@pytest.mark.parametrize("answer", [(1, ["the bucket does not answer"]), (0, ["the bucket does not answer"])])
def test_where_there_is_no_copy_it_is_said(tmp_path: Path, answer: Any) -> None:
    """And the next run tries again."""
    good, text = saved(tmp_path, Answers({name: answer for name in every(0)}))
    assert not good and "there is no copy of the state of now" in text and "the bucket does not answer" in text
    host = Answers(every(0, DONE))
    assert saved(tmp_path, host)[0] and host.asked


def test_a_copy_is_fetched_without_a_running_stack(tmp_path: Path) -> None:
    """By a task of an agent, with the secrets as files; its failure is said in its own words."""
    text = state_copy.seal_copy(COPY, PASSPHRASE).splitlines()
    host = Answers(every(0, *text), running=False)
    assert state_copy.fetch_copy(known(tmp_path, host), "latest") == COPY
    (task,) = host.tasks
    assert task.secrets and "--id" in task.command and task.volume == ""
    with pytest.raises(RuntimeError, match="exit status 3: refused: there is no backup"):
        state_copy.fetch_copy(known(tmp_path, Answers(every(3, "refused: there is no backup"))), "latest")
