"""The pipelines: actions are pinned, only one job may write, and their own steps give a comment on a request."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.changes.words import MARKER
from tests.support.forges import Forge, serve_forge
from tests.support.yaml_files import read_yaml

ROOT = Path(__file__).resolve().parents[1]
WORKFLOWS = {path.stem: path for path in (ROOT / ".github" / "workflows").glob("*.yml")}
PINNED = re.compile(r"[a-z-]+/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")
GITLAB = ROOT / "examples" / "gitlab-ci.yml"
NEEDED = ("bin", "cli", "components", "configs", "model", "packs", "stack", "targets", ".github")
"""What renders a stack, and writes comments."""


def read(name: str) -> dict[Any, Any]:
    """A workflow; YAML has its `on` as true."""
    return dict(read_yaml(WORKFLOWS[name].read_text(encoding="utf-8")))


def jobs(name: str) -> dict[str, dict[str, Any]]:
    """The jobs of a workflow."""
    return dict(read(name)["jobs"])


@pytest.mark.parametrize("name", WORKFLOWS)
def test_actions_are_pinned(name: str) -> None:
    """By the digest of their commit, with the version that it is; updates know both."""
    used = re.findall(r"uses: (.*)", WORKFLOWS[name].read_text(encoding="utf-8"))
    assert used and all(PINNED.fullmatch(each) for each in used)


def test_an_action_has_one_version() -> None:
    """In all workflows; Pulumi's is the current major."""
    every = {use for path in WORKFLOWS.values() for use in re.findall(r"uses: (.*)", path.read_text(encoding="utf-8"))}
    assert len(every) == len({use.partition("@")[0] for use in every})
    assert any(use.startswith("pulumi/actions@") and use.endswith("# v7.0.0") for use in every)


@pytest.mark.parametrize("name", WORKFLOWS)
def test_nobody_may_write_but_the_comment(name: str) -> None:
    """Each job says what it may; the only one that writes is not one that runs a request's code."""
    rights = [job.get("permissions", read(name)["permissions"]) for job in jobs(name).values()]
    writing = [key for right in rights for key, value in right.items() if value == "write"]
    assert writing == (["pull-requests"] if name == "comment" else [])
    assert "pull_request_target" not in WORKFLOWS[name].read_text(encoding="utf-8")


@pytest.mark.parametrize("name", WORKFLOWS)
def test_no_text_of_a_request_is_a_program(name: str) -> None:
    """What people name (a branch, a file) reaches a shell by its environment alone; no token stays in a clone."""
    steps = [step for job in jobs(name).values() for step in job["steps"]]
    assert not [step["run"] for step in steps if "${{" in step.get("run", "")]
    clones = [step["with"] for step in steps if step.get("uses", "").startswith("actions/checkout@")]
    assert clones and all(each["persist-credentials"] is False for each in clones)


def test_secrets_are_where_nobody_writes() -> None:
    """Pulumi's preview has some, which is not for forks, and schedules, which run no request's code."""
    with_secrets = {
        f"{name}.{job}" for name in WORKFLOWS for job, made in jobs(name).items() if "secrets." in str(made)
    }
    assert with_secrets == {"preview.pulumi", "drift.drift", "drill.drill"}
    assert all(read(name)[True].keys() == {"schedule", "workflow_dispatch"} for name in ("drift", "drill"))
    assert "head.repo.full_name == github.repository" in jobs("preview")["stacks"]["if"]
    assert jobs("preview")["pulumi"]["needs"] == "stacks"


def test_the_writing_job_runs_nothing_of_a_request() -> None:
    """It has the default branch, and reads the artefact outside of it."""
    checkout, download, write = jobs("comment")["write"]["steps"]
    assert set(checkout["with"]) == {"persist-credentials"} and "ref" not in checkout["with"]
    assert download["with"]["path"] == "${{ runner.temp }}/comment"
    assert read("comment")[True] == {"workflow_run": {"workflows": [read("preview")["name"]], "types": ["completed"]}}
    assert write["run"].startswith("python3 -m cli.notes github ")


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone as a pipeline has it: the merge of a request that changes a threshold, with the stack dev alone."""
    root = tmp_path / "clone"
    for name in NEEDED:
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("Pulumi.yaml", "Pulumi.dev.yaml", ".gitignore"):
        shutil.copy(ROOT / name, root)
    (root / ".venv").symlink_to(Path(sys.executable).parents[1])
    git(root, "init", "--quiet", "--initial-branch=main")
    commit(root)
    git(root, "checkout", "--quiet", "-b", "work")
    path = root / "configs/systems/plue.yaml"
    path.write_text(path.read_text().replace("SlowRequests: { threshold: 1,", "SlowRequests: { threshold: 2,", 1))
    commit(root)
    git(root, "checkout", "--quiet", "--detach", "main")
    git(root, "merge", "--quiet", "--no-ff", "--message", "merge", "work")
    return root


def git(root: Path, *words: str) -> None:
    """Runs git as somebody."""
    who = ["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *who, *words], cwd=root, capture_output=True, check=True)


def commit(root: Path) -> None:
    """Commits all that there is."""
    git(root, "add", "--all", "--force", "--", ":!.venv")
    git(root, "commit", "--quiet", "--message", "x")


@pytest.fixture
def forge() -> Iterator[Forge]:
    """A forge with the request."""
    with serve_forge() as made:
        made.pulls = [{"number": 4, "owner": "us", "branch": "work", "head": {"sha": "abc"}}]
        yield made


def run_step(step: dict[str, Any], folder: Path, **env: str) -> None:
    """Runs the script of a step as a runner does; its expressions are `env`, by their last word."""
    given = {
        key: env.get(value.strip("${} ").rpartition(".")[2], "") if "${{" in value else value
        for key, value in step.get("env", {}).items()
    }
    done = subprocess.run(
        ["bash", "-e", "-c", step["run"]],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), **env, **given},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def find_step(job: dict[str, Any], name: str) -> dict[str, Any]:
    """A step by its name."""
    return next(step for step in job["steps"] if step.get("name") == name)


@pytest.mark.exhaustive  # an environment of its own
def test_the_steps_give_a_comment(clone: Path, forge: Forge, tmp_path: Path) -> None:
    """Those of GitHub, one job after the other, each with what it has there; Pulumi's own preview is in it."""
    (clone / "previews").mkdir()
    (clone / "previews" / "dev.txt").write_text("~ docker:index/container:Container: (update)\n")
    run_step(find_step(jobs("preview")["compare"], "Compare"), clone)
    made = clone / "comment" / "comment.md"
    text = made.read_text(encoding="utf-8")
    assert text.startswith(MARKER) and "**Nothing is replaced or restarted.**" in text
    assert "- **`SlowRequests (plue-api)`** changes" in text and "Pulumi's own preview of dev" in text
    shutil.copytree(made.parent, tmp_path / "comment")
    head = {"full_name": "us/x", "login": "us", "head_branch": "work", "head_sha": "abc", "token": "t"}
    known = {"GITHUB_API_URL": forge.url, "GITHUB_REPOSITORY": "us/x", "RUNNER_TEMP": str(tmp_path)}
    run_step(find_step(jobs("comment")["write"], "Comment"), clone, **known, **head)
    assert [item["body"] for item in forge.comments] == [text] and forge.tokens == {"Bearer t"}


def test_the_jobs_of_gitlab_have_their_parts() -> None:
    """The one that compares has no token; the one that writes runs after it, also where it has failed."""
    document = read_yaml(GITLAB.read_text(encoding="utf-8"))
    compare, comment = document["compare"], document["comment"]
    assert compare["artifacts"] == {"when": "always", "paths": ["comment.md"], "expire_in": "1 week"}
    assert "TOKEN" not in str(compare) and comment["needs"] == ["compare"]
    assert comment["rules"][0]["when"] == "always" and "$GITLAB_COMMENT_TOKEN" in comment["rules"][0]["if"]
    assert compare["script"][1].startswith("bin/observability diff --all-stacks --base ")
    assert comment["script"] == ["python -m cli.notes gitlab comment.md"]
