"""Pages of TypeScript: their key, and what the program that serves them embeds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from toolchain import npm, web
from toolchain.recipes import DASHBOARD_VIEWER, VIEWER_PAGES
from toolchain.web import WebBuild

from .conftest import MakeContext


def test_key_follows_sources_and_packages(
    make_context: MakeContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another source or lock file makes other pages; tests and installed packages beside them do not."""
    for module in (web, npm):
        monkeypatch.setattr(module, "PROJECT", tmp_path)
    folder, context, pages = tmp_path / "pages", make_context(), WebBuild("pages", "pages")
    (folder / "src").mkdir(parents=True)
    for name in ("package.json", "package-lock.json"):
        (folder / name).write_text('{"packages": {}}')
    paths = [pages.find_path(context)]
    for name in ("a.test.ts", "src/main.ts", "package-lock.json"):
        (folder / name).write_text('{"packages": {"": {}}}')
        paths.append(pages.find_path(context))
    assert paths[0] == paths[1] and len(set(paths)) == 3


def test_program_follows_its_pages(make_context: MakeContext) -> None:
    """Other pages make another program; their compilers are of the machine's architecture."""
    context = make_context()
    plain = replace(DASHBOARD_VIEWER, pages=None)
    assert plain.find_path(context) != DASHBOARD_VIEWER.find_path(context)
    assert VIEWER_PAGES.find_path(context) != VIEWER_PAGES.find_path(make_context(arch="arm64"))
