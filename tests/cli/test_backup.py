"""A backup now: of every part with data, and of the state."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from cli import backup
from tests.cli.test_backups import CONFIG, DONE, Answers, every, opened
from tests.support import fakes


@pytest.mark.parametrize("fails", ["", "a part", "the state"])
def test_all_of_it_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: str) -> None:
    """The state is copied after the parts, also where one of them failed; the exit status says that any did."""
    monkeypatch.setenv("OBSERVABILITY_STATE", str(tmp_path / "memory"))
    host = Answers(every(0, DONE, **({"loki": (1, ["no space left"])} if fails == "a part" else {})))
    known = opened(tmp_path, host)
    monkeypatch.setattr(backup, "open_running", lambda stack: (known.space, known.plan, known.host))
    if fails == "the state":
        fakes.fake_pulumi(tmp_path / "space", {"config": CONFIG}, fails=("stack export",))
    assert backup.run_command(argparse.Namespace(stack="dev")) == (1 if fails else 0)
    words = [command[3] for _, command in host.asked]
    assert words.count("run") == 4
    # the agent of a part whose volume cannot be read may not be able to write at the destination either
    assert words[4:] == {"": ["append", "store"], "a part": ["append"], "the state": []}[fails]
