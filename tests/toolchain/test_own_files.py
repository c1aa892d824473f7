"""Files of the repository in an image."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from toolchain import own_files
from toolchain.cache import Cache
from toolchain.context import Context, build_default_context
from toolchain.own_files import OwnFiles
from toolchain.python_programs import BACKUP_AGENT, BACKUP_LIBRARIES, BACKUP_RECIPE, MCP_RECIPE, MCP_SERVER


@pytest.fixture
def context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Context:
    """A project with a program, and a cache of its own."""
    for name in ("a.py", "tools/b.py", "README.md", "__pycache__/a.pyc", ".venv/c.py", "node_modules/d.py"):
        path = tmp_path / "project" / "program" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    monkeypatch.setattr(own_files, "PROJECT", tmp_path / "project")
    return replace(build_default_context(), cache=Cache(tmp_path / "cache"))


def test_files_lie_as_in_the_project(context: Context) -> None:
    """Those of the suffix alone, in their folders; nothing that a run or a trial left there."""
    made = OwnFiles("x", "program").ensure(context) / "files"
    assert sorted(path.relative_to(made).as_posix() for path in made.rglob("*.*")) == ["a.py", "tools/b.py"]


def test_a_change_makes_another_image(context: Context, tmp_path: Path) -> None:
    """Content and names decide, and nothing else that lies there."""
    files = OwnFiles("x", "program")
    before = files.find_path(context)
    (tmp_path / "project/program/__pycache__/b.pyc").write_text("new")
    assert files.find_path(context) == before
    (tmp_path / "project/program/a.py").write_text("changed")
    changed = files.find_path(context)
    (tmp_path / "project/program/a.py").rename(tmp_path / "project/program/c.py")
    assert len({before, changed, files.find_path(context)}) == 3


def test_the_server_is_in_its_image() -> None:
    """The package and what it is started by; no user but nobody."""
    assert {path.name for path in MCP_SERVER.list_files()} >= {"__main__.py", "service.py", "alerts.py"}
    assert MCP_SERVER in MCP_RECIPE.list_sources() and MCP_RECIPE.config.user == "65534:65534"
    assert MCP_RECIPE.config.entrypoint[-2:] == ("-m", "mcp_server")


def test_the_backup_agent_is_in_its_image() -> None:
    """The package, what it is started by, and rclone on its path; no shell and no user but nobody."""
    assert {path.name for path in BACKUP_AGENT.list_files()} >= {"__main__.py", "backup.py", "restore.py"}
    assert {BACKUP_AGENT, BACKUP_LIBRARIES} <= set(BACKUP_RECIPE.list_sources()) and not BACKUP_RECIPE.busybox
    config = BACKUP_RECIPE.config
    assert config.entrypoint[-2:] == ("-m", "backup_agent") and config.user == "65534:65534"
    packages = next(file.at for file in BACKUP_RECIPE.files if file.source is BACKUP_LIBRARIES)
    assert f"PATH={packages}/bin:/usr/bin:/bin" in config.env
