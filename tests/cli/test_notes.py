"""Comments are written once, to the request that was compared, and hold what `diff` has written."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli import notes
from cli.changes.words import LIMIT, MARKER
from cli.workspace import ROOT
from tests.support.forges import PERSON, Forge, serve_forge

TEXT = f"{MARKER}\nNothing changes. @team\n"


@pytest.fixture
def forge() -> Iterator[Forge]:
    """A forge with one open request, and one of somebody else's."""
    with serve_forge() as made:
        made.pulls = [
            {"number": 3, "owner": "us", "branch": "work/ä&b", "head": {"sha": "other"}},
            {"number": 4, "owner": "us", "branch": "work/ä&b", "head": {"sha": "abc"}},
            {"number": 5, "owner": "them", "branch": "work/ä&b", "head": {"sha": "abc"}},
        ]
        yield made


@pytest.fixture
def comment(tmp_path: Path) -> Path:
    """What the pipeline has compared."""
    path = tmp_path / "comment.md"
    path.write_text(TEXT, encoding="utf-8")
    return path


def write(forge: Forge, path: Path, **more: str) -> str:
    """Writes to GitHub."""
    env = {"GITHUB_API_URL": forge.url, "GITHUB_REPOSITORY": "us/x", "GITHUB_TOKEN": "t", "HEAD_REPOSITORY": "us/x"}
    return notes.write_to_github(
        {**env, "HEAD_OWNER": "us", "HEAD_BRANCH": "work/ä&b", "HEAD_SHA": "abc", **more}, path
    )


def test_a_comment_is_written_and_then_changed(forge: Forge, comment: Path) -> None:
    """The second run writes over the first one's, on whatever page it is; a person's with the same words stays."""
    forge.comments = [{"id": n, "body": TEXT if n == 1 else "x", **PERSON} for n in range(1, 150)]
    assert write(forge, comment) == "written to #4"
    comment.write_text(f"{MARKER}\nAnother.\n")
    write(forge, comment)
    assert [item["body"] for item in forge.comments if item["user"]["type"] == "Bot"] == [f"{MARKER}\nAnother.\n"]
    assert forge.calls[-1] == "PATCH /repos/us/x/issues/comments/150" and forge.tokens == {"Bearer t"}
    assert forge.comments[0]["body"] == TEXT


def test_the_commit_decides_where(forge: Forge, comment: Path) -> None:
    """No number of the file, and no request that has gone on since."""
    assert "no open pull request" in write(forge, comment, HEAD_SHA="older")
    assert not [call for call in forge.calls if not call.startswith("GET")]


def test_a_fork_is_said(forge: Forge, comment: Path) -> None:
    """Its text comes from its own code: nobody is mentioned, and readers know."""
    write(forge, comment, HEAD_OWNER="them", HEAD_REPOSITORY="them/x")
    (made,) = forge.comments
    assert made["body"].startswith(f"{MARKER}\n*Written by the code of a fork") and "@team" not in made["body"]
    assert forge.calls[-1] == "POST /repos/us/x/issues/5/comments"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"x" * (LIMIT + 1), "at most"),
        (b"\xff", "is no text"),
        (b"hello", "is no comment"),
        (f"{MARKER}\n\0".encode(), "is no comment"),
        (None, "is no file"),
    ],
)
def test_what_is_no_comment_is_refused(content: bytes | None, words: str, comment: Path, forge: Forge) -> None:
    """Too long, binary, without its mark, or nothing at all: nobody is asked."""
    comment.unlink() if content is None else comment.write_bytes(content)
    with pytest.raises(RuntimeError, match=words):
        write(forge, comment)
    assert not forge.calls


def test_a_link_is_no_file(comment: Path, tmp_path: Path) -> None:
    """It could lead to a file of the machine."""
    link = tmp_path / "link.md"
    link.symlink_to(comment)
    with pytest.raises(RuntimeError, match="is no file"):
        notes.read_comment(link)


def test_a_long_comment_of_a_fork_fits(comment: Path) -> None:
    """With the sentence and without mentions it is longer than before."""
    comment.write_text(f"{MARKER}\n{'@' * (LIMIT - 100)}\n")
    assert len(notes.read_comment(comment, fork=True).encode()) <= LIMIT


def test_gitlab_has_notes(forge: Forge, comment: Path) -> None:
    """Written once, then changed; one of somebody else's with the mark is not ours."""
    forge.comments = [{"id": 1, "body": TEXT, **PERSON}]
    env = {
        "CI_API_V4_URL": forge.url,
        "CI_MERGE_REQUEST_PROJECT_ID": "12",
        "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "12",
        "CI_MERGE_REQUEST_IID": "3",
        "GITLAB_COMMENT_TOKEN": "t",
    }
    assert notes.write_to_gitlab(env, comment) == notes.write_to_gitlab(env, comment) == "written to !3"
    path = "/projects/12/merge_requests/3/notes"
    assert [call for call in forge.calls if not call.startswith("GET")] == [f"POST {path}", f"PUT {path}/2"]
    assert forge.comments[0]["body"] == TEXT and forge.tokens == {"t"}


def test_no_library_is_needed(comment: Path) -> None:
    """The job that may write has the standard library alone; what fails ends with 1 and a sentence."""
    command = [sys.executable, "-S", "-m", "cli.notes", "github", str(comment)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, env={})
    assert done.returncode == 1 and done.stderr == "nothing is written: 'GITHUB_REPOSITORY'\n"
