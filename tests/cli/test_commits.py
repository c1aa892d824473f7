"""The check of commit messages."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from cli import commits
from cli.commits import Commit

GOOD = "loki: limit queries\n\nA query of a month took the memory of all others."


def git(folder: Path, *args: str) -> str:
    """Runs git as somebody."""
    who = ["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"]
    return subprocess.run(["git", *who, *args], cwd=folder, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def base(tmp_path: Path) -> str:
    """A repository whose first commit has a bad message; the name of that commit."""
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    commit(tmp_path, "Everything from before the rule")
    return git(tmp_path, "rev-parse", "HEAD")


def commit(folder: Path, message: str) -> None:
    """Adds an empty commit."""
    git(folder, "commit", "--quiet", "--allow-empty", "--message", message)


@pytest.mark.parametrize(
    ("message", "says"),
    [
        (GOOD, ""),
        (f"a-1: {'x' * 55}\n\nWhy.\n\nCo-authored-by: A <a@example.com>", ""),
        (f"a-1: {'x' * 56}\n\nWhy.", "the subject has 61 characters; 60 at most"),
        ("Limit queries\n\nWhy.", "the subject must be `scope: what changes`"),
        ("Loki: limit\n\nWhy.", "the subject must be `scope: what changes`"),
        ("fixup! loki: limit\n\nWhy.", "the subject must be `scope: what changes`"),
        ("loki: limit queries", "there is no body"),
        ("loki: limit queries\n\nCo-authored-by: A <a@example.com>", "there is no body"),
    ],
)
def test_a_message_has_a_scope_a_length_and_a_reason(message: str, says: str) -> None:
    """Each rule is broken by one message, and said in words."""
    subject, _, body = message.partition("\n\n")
    wrong = list(commits.check_commit(Commit("1", subject, body)))
    assert [says in text for text in wrong] == [True] * bool(says)


def test_commits_after_the_base_are_checked(base: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What was there before is not, nor is a merge; a wrong one is named and ends with 1."""
    commit(tmp_path, GOOD)
    git(tmp_path, "checkout", "--quiet", "-b", "side", base)
    commit(tmp_path, GOOD.replace("month", "year"))
    git(tmp_path, "merge", "--quiet", "--no-ff", "-m", "Merge branch 'main' into side, without a reason", "main")
    assert commits.main([base], tmp_path) == 0
    assert "2 commit messages" in capsys.readouterr().out
    commit(tmp_path, "Shorten a line")
    assert commits.main([base], tmp_path) == 1
    assert f"{git(tmp_path, 'rev-parse', '--short', 'HEAD')} 'Shorten a line': " in capsys.readouterr().out


def test_an_unknown_base_is_an_error(base: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As in a shallow clone: nothing is checked, so nothing passes."""
    assert commits.main(["0" * 40], tmp_path) == 2
    assert "git fetch --unshallow" in capsys.readouterr().out
