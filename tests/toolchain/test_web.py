"""Pages of TypeScript: their key, and what the program that serves them embeds."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from toolchain import npm, web
from toolchain.assemble import build_layer
from toolchain.context import PROJECT, Context
from toolchain.npm import NpmPackages
from toolchain.recipe import CERTIFICATES
from toolchain.recipes import DASHBOARD_VIEWER, JAEGER, RECIPES, TRACE_PAGES, VIEWER_PAGES
from toolchain.web import WebBuild

from .conftest import MakeContext


def test_key_follows_sources_and_packages(
    make_context: MakeContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another source or lock file makes other pages; tests and installed packages beside them do not."""
    for module in (web, npm):
        monkeypatch.setattr(module, "PROJECT", tmp_path)
    folder, context, pages = tmp_path / "pages", make_context(), WebBuild("pages", NpmPackages("pages", "pages"))
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


@pytest.fixture
def built(make_context: MakeContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[WebBuild], set[str]]:
    """What a build makes, by a bundler that says what it was started with."""

    def run(command: list[str], *, cwd: Path, env: dict[str, str]) -> None:
        assert (cwd / command[1]).is_file() and env["NODE_PATH"]
        out = Path(next(word for word in command if word.startswith("--outfile=")).partition("=")[2])
        out.parent.mkdir(parents=True, exist_ok=True)
        for name in web.FILES:
            (out.parent / name).touch()

    monkeypatch.setattr(web, "run_command", run)
    monkeypatch.setattr(NpmPackages, "ensure", lambda *_: tmp_path)

    def build(pages: WebBuild) -> set[str]:
        made = pages.ensure(make_context())
        return {path.relative_to(made).as_posix() for path in made.rglob("*.*")} - {"recipe.json"}

    return build


def test_pages_with_a_document_are_a_site(built: Callable[[WebBuild], set[str]]) -> None:
    """Jaeger looks for index.html at the top and serves what is below static/; a program of ours embeds both files."""
    assert built(VIEWER_PAGES) == {"app.js", "app.css"}
    assert built(TRACE_PAGES) == {"site/index.html", "site/static/app.js", "site/static/app.css"}


def test_jaeger_serves_the_pages_of_its_image(built: Callable[[WebBuild], set[str]], context: Context) -> None:
    """The image says where they lie in the variable that the document asks for; upstream's, without it, has its own."""
    assert built(TRACE_PAGES)
    (JAEGER.find_path(context) / "bin").mkdir(parents=True)
    (JAEGER.find_path(context) / "bin" / JAEGER.program).touch()
    (CERTIFICATES.find_path(context) / "root").mkdir(parents=True)
    recipe = RECIPES["jaeger"]
    (folder,) = [word.partition("=")[2] for word in recipe.config.env if word.startswith("JAEGER_UI_ASSETS=")]
    layer = build_layer(context, recipe)
    assert all(f"{folder}/{name}" in layer for name in ("index.html", "static/app.js", "static/app.css"))


def test_the_document_is_as_jaeger_wants_it() -> None:
    """Its path is put into these very letters; scripts and styles are below static/, and none is in the document."""
    text = (PROJECT / TRACE_PAGES.folder / "src" / TRACE_PAGES.page).read_text(encoding="utf-8")
    assert text.count('<base href="/"') == 1 and text.index("<base") < text.index("<link")
    assert re.findall(r"<script[^>]*>", text) == ['<script type="module" src="static/app.js">']
    assert "unsafe" not in text and "default-src 'none'" in text and "require-trusted-types-for 'script'" in text
