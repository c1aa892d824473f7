"""Stacks are rendered by the code of the commit that they belong to."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli import checkouts
from model.errors import ConfigError
from tests.support.little_project import RULES, Project, make_project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with a commit on main, and a branch with another one."""
    made = make_project(tmp_path / "project")
    made.git("checkout", "--quiet", "-b", "work")
    made.write_rule(2)
    made.commit()
    return made


def test_the_base_is_where_the_work_began(project: Project) -> None:
    """What main has got since is no part of it; without a common commit it is the one that is named."""
    began = project.git("rev-parse", "main")
    project.git("checkout", "--quiet", "main")
    other = project.commit()
    project.git("checkout", "--quiet", "work")
    assert checkouts.find_base(project.root, "main") == began != other
    assert checkouts.find_base(project.root, "HEAD^") == began
    project.git("checkout", "--quiet", "--orphan", "alone")
    project.commit()
    assert checkouts.find_base(project.root, "main") == other


@pytest.mark.parametrize("name", ["nothing", "--help", "HEAD^9", ""])
def test_an_unknown_base_is_refused(name: str, project: Project) -> None:
    """With what to do; an option of git is no commit either."""
    with pytest.raises(ConfigError, match="git fetch origin"):
        checkouts.find_base(project.root, name)


def test_a_commit_is_extracted_without_a_trace(project: Project, tmp_path: Path) -> None:
    """The clone has no worktree more, and no file of the working tree is among those of the commit."""
    project.write("new", "x")
    before = project.git("status", "--porcelain"), project.git("worktree", "list")
    checkouts.extract_commit(project.root, project.git("rev-parse", "main"), tmp_path / "tree")
    assert (tmp_path / "tree" / "stacks/dev" / RULES).read_text().count("x > 1") == 1
    assert not (tmp_path / "tree" / "new").exists()
    assert (project.git("status", "--porcelain"), project.git("worktree", "list")) == before


def test_stacks_are_those_of_all_trees(project: Project, tmp_path: Path) -> None:
    """A name that could act as something else is none."""
    (tmp_path / "Pulumi.old.yaml").touch()
    (tmp_path / "Pulumi.<b>.yaml").touch()
    (tmp_path / "Pulumi.yaml").touch()
    assert checkouts.list_stacks(project.root, tmp_path) == ["dev", "old", "prod"]


def test_the_trees_own_code_renders(project: Project, tmp_path: Path) -> None:
    """Not that of this process, also where the tree has another version of it."""
    made = checkouts.render_stack(project.root, "dev", tmp_path / "out")
    assert "x > 2" in made.documents[RULES] and made.capacity == {"expected": {"series": 3}}
    assert not made.failure and not made.absent


def test_what_fails_is_said(project: Project, tmp_path: Path) -> None:
    """In the program's words, without a path of the tree; a stack that is not there is absent; no answer is none."""
    project.write("stacks/dev/wrong", f"see {project.root}/x")
    made = checkouts.render_stack(project.root, "dev", tmp_path / "a")
    assert made.failure == "1 problem in the configuration: see /x" and not made.documents
    assert checkouts.render_stack(project.root, "none", tmp_path / "b").absent
    project.write("cli/__main__.py", "import nothing_of_the_kind")
    assert "nothing_of_the_kind" in checkouts.render_stack(project.root, "prod", tmp_path / "c").failure
    project.write("cli/__main__.py", "raise SystemExit(3)")
    assert checkouts.render_stack(project.root, "prod", tmp_path / "d").failure == "`render` ended with exit status 3"


def test_what_hangs_is_ended(project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And said."""
    monkeypatch.setattr(checkouts, "_TIMEOUT", 0.01)
    assert "did not end" in checkouts.render_stack(project.root, "dev", tmp_path / "a").failure


def test_cost_that_is_unknown_is_none(project: Project, tmp_path: Path) -> None:
    """An older program may not know the command, or answer otherwise."""
    text = (project.root / "cli/__main__.py").read_text()
    project.write("cli/__main__.py", text.replace("print(json.dumps(", "print(('[', "))
    assert checkouts.render_stack(project.root, "dev", tmp_path / "a").capacity == {}
