"""The tests of the programs themselves, each by its own language's means, with what the toolchain pins."""

from __future__ import annotations

import gzip
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.systems import ROOT
from toolchain.context import build_default_context
from toolchain.golang import build_go_environment, find_go
from toolchain.recipes import TRACE_PAGES, VIEWER_PAGES
from toolchain.web import WebBuild, find_node

MODULES = sorted(path.parent for path in (ROOT / "images").rglob("go.mod"))
WEB = ROOT / VIEWER_PAGES.folder
LARGEST = {VIEWER_PAGES: 300_000, TRACE_PAGES: 30_000}
"""Bytes of the pages as they are sent, compressed."""
LONGEST_FILE = 400


def run(*command: str | Path, cwd: Path, env: dict[str, str] | None = None) -> None:
    """Runs a command, whose words are the failure's."""
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def web(tmp_path: Path) -> Path:
    """The pages' sources, and the packages beside them."""
    folder = tmp_path / "web"
    shutil.copytree(WEB, folder, ignore=shutil.ignore_patterns("node_modules"))
    (folder / "node_modules").symlink_to(VIEWER_PAGES.packages.ensure(build_default_context()) / "node_modules")
    return folder


@pytest.mark.exhaustive  # compilers
@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.relative_to(ROOT / "images").as_posix())
def test_go_programs_pass_their_tests(module: Path) -> None:
    """Vet and the module's tests, with the Go that builds it."""
    context = build_default_context()
    go = find_go(context)
    env = build_go_environment(context, go)
    run(go, "vet", "./...", cwd=module, env=env)
    run(go, "test", "./...", cwd=module, env=env)


@pytest.mark.exhaustive  # compilers
def test_pages_have_types(web: Path) -> None:
    """The compiler has no word against the pages or their tests."""
    run(VIEWER_PAGES.find_type_checker(build_default_context()), "--noEmit", cwd=web)


@pytest.mark.exhaustive  # compilers
def test_pages_pass_their_tests(web: Path) -> None:
    """Units, thresholds, queries, layout: what needs no browser."""
    run(find_node(build_default_context()), "--test", "tests/*.test.ts", cwd=web)


@pytest.mark.exhaustive  # compilers
@pytest.mark.parametrize("pages", LARGEST, ids=lambda pages: pages.name)
def test_pages_are_small(pages: WebBuild) -> None:
    """What a browser loads is within its limit."""
    files = [path for path in pages.ensure(build_default_context()).rglob("*") if path.suffix in {".js", ".css"}]
    assert len(files) == 2 and sum(len(gzip.compress(path.read_bytes())) for path in files) < LARGEST[pages]


def test_sources_of_pages_are_short() -> None:
    """Each file that somebody reads is within its limit."""
    sources = [path for folder in ("src", "tests") for path in (WEB / folder).rglob("*.*")]
    assert not [path.name for path in sources if len(path.read_text(encoding="utf-8").splitlines()) > LONGEST_FILE]


def test_foreign_text_is_never_markup() -> None:
    """Labels and log lines come from anywhere, so nothing is parsed as markup or as a program."""
    ways = ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "DOMParser")
    texts = {path: path.read_text(encoding="utf-8") for path in (WEB / "src").rglob("*.ts")}
    assert not [(path.name, way) for path, text in texts.items() for way in ways if way in text]
