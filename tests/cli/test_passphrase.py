"""A passphrase that is wrong or missing."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from cli.passphrase import FILE, VALUE, explain_failure
from cli.workspace import Workspace, open_workspace
from tests.support import fakes

WRONG = "error: getting stack configuration: get stack secrets manager: incorrect passphrase"
ABSENT = f"error: constructing secrets manager: passphrase must be set with {VALUE} or {FILE} environment variables"
UNREADABLE = f"error: unable to read {FILE}: open /nowhere: no such file or directory"


@pytest.mark.parametrize(
    ("words", "env", "said"),
    [
        (WRONG, {VALUE: "x", FILE: "/srv/p"}, f"the passphrase in the variable {VALUE} is not the one"),
        (WRONG, {VALUE: "", FILE: "/srv/p"}, f"in the variable {VALUE}, which is set and empty, is not the one"),
        (WRONG, {FILE: "/srv/p"}, f"the passphrase in the file /srv/p ({FILE}) is not the one"),
        (ABSENT, {}, f"there is none in {VALUE} or {FILE}, which are not set"),
        (UNREADABLE, {FILE: "/nowhere"}, f"there is none in the file /nowhere ({FILE})"),
    ],
)
def test_the_place_where_it_was_looked_for_is_said(words: str, env: dict[str, str], said: str) -> None:
    """In the order in which Pulumi looks, with what to set and the page for one that is lost."""
    text = explain_failure(words, env)
    assert said in text and f"Set {FILE} to a file" in text and "docs/state.md" in text


def test_other_failures_are_not_explained() -> None:
    """Whatever else Pulumi says stays as it is."""
    assert explain_failure("error: no such host", {}) == ""


def refusing(folder: Path, words: str, **env: str) -> Workspace:
    """A workspace whose Pulumi fails with these words, except for what selects a stack."""
    space = fakes.workspace(folder, {}, **env)
    program = folder / "bin/pulumi"
    program.write_text(f"#!/bin/sh\ncase \"$*\" in 'stack select'*) exit 0 ;; esac\necho '{words}' >&2\nexit 255\n")
    return space


def test_a_run_that_fails_for_it_says_so(tmp_path: Path) -> None:
    """Whether its words were captured, or went to the terminal."""
    space = refusing(tmp_path, WRONG, PULUMI_CONFIG_PASSPHRASE_FILE="/srv/p")
    for capture in (True, False):
        with pytest.raises(subprocess.CalledProcessError) as failed:
            space.run_pulumi("up", "--yes", capture=capture)
        assert f"the passphrase in the file /srv/p ({FILE}) is not the one" in failed.value.stderr
        assert failed.value.cmd[:2] == ["pulumi", "up"]


def test_outputs_that_cannot_be_decrypted_are_not_none(tmp_path: Path) -> None:
    """Else people would be asked to deploy a stack that runs; one that was never deployed has none."""
    with pytest.raises(subprocess.CalledProcessError) as failed:
        refusing(tmp_path, ABSENT).read_outputs()
    assert "encrypted with a passphrase, and there is none" in failed.value.stderr
    assert refusing(tmp_path, "error: no stack named dev").read_outputs() == {}


@pytest.mark.usefixtures("own_home")
def test_a_stack_that_cannot_be_made_for_it_says_so(tmp_path: Path) -> None:
    """In the place of Pulumi's words."""
    path = fakes.fake_pulumi(tmp_path)
    (path / "pulumi").write_text(f"#!/bin/sh\necho '{ABSENT}' >&2\nexit 255\n")
    env = {"PATH": f"{path}:/usr/bin:/bin", "PULUMI_BACKEND_URL": "file:///somewhere"}
    with pytest.raises(SystemExit, match=r"there is none in .* which are not set"):
        open_workspace("dev", env)
