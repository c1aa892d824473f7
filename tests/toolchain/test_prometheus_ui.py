"""The interface of Prometheus: what its sources are built by, and where the image has the result."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.toolchain.conftest import MakeContext
from toolchain import npm, prometheus_ui
from toolchain.context import Context
from toolchain.errors import ToolchainError
from toolchain.npm import PROGRAM
from toolchain.prometheus_ui import HOME, PrometheusUi
from toolchain.recipes import RECIPES

BUILD = """case "$1" in
--mantine-ui) mkdir -p static/mantine-ui && cp module/called static/mantine-ui/index.html ;;
--build-module) [ ! -e react-app ] && pnpm build ;;
esac
"""
"""Stands for the module's own script."""
NODE = """#!/bin/sh
shift
[ "$1" != install ] || [ "$npm_config_registry" != http://none ] || { echo "no registry"; exit 1; }
echo "$@" >> module/called
"""


@pytest.fixture
def ui(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PrometheusUi:
    """The interface of a module whose files are read-only, as Go's cache has them."""
    module, node = tmp_path / "module", tmp_path / "node"
    sources = module / "web" / "ui"
    (sources / "module").mkdir(parents=True)
    (sources / "react-app").mkdir()
    (sources / "build_ui.sh").write_text(BUILD)
    (sources / "module" / "called").touch(mode=0o444)
    sources.chmod(0o555)
    (node / PROGRAM).parent.mkdir(parents=True)
    (node / PROGRAM).write_text(NODE)
    (node / PROGRAM).chmod(0o755)
    monkeypatch.setattr(prometheus_ui, "find_go", lambda _: tmp_path)
    monkeypatch.setattr(prometheus_ui, "find_module_folder", lambda *_: module)
    monkeypatch.setattr(type(npm.NODE), "ensure", lambda *_: node)
    monkeypatch.setattr(type(prometheus_ui.PNPM), "ensure", lambda *_: node)
    monkeypatch.setattr(type(prometheus_ui.PNPM), "list_inputs", lambda *_: {"lock": "1"})
    return PrometheusUi()


def build(ui: PrometheusUi, context: Context, folder: Path) -> Path:
    """The files that a build makes."""
    folder.mkdir()
    ui.build(context, folder)
    return folder


def test_sources_are_built_by_their_own_script(ui: PrometheusUi, make_context: MakeContext, tmp_path: Path) -> None:
    """From locked packages whose scripts do not run; nothing but the files is left, and the old pages are not built."""
    made = build(ui, make_context(PATH=os.environ["PATH"]), tmp_path / "made")
    assert [path.name for path in made.iterdir()] == ["static"]
    assert (made / "static/mantine-ui/index.html").read_text().splitlines() == [
        "install --frozen-lockfile --ignore-scripts", "build",
    ]  # fmt: skip


def test_absent_packages_are_said(ui: PrometheusUi, make_context: MakeContext, tmp_path: Path) -> None:
    """With the settings that say where they come from."""
    with pytest.raises(ToolchainError, match="npm_config_registry"):
        build(ui, make_context(PATH=os.environ["PATH"], npm_config_registry="http://none"), tmp_path / "made")


def test_the_image_serves_them() -> None:
    """Prometheus looks for them in a working directory of this name alone."""
    recipe = RECIPES["prometheus"]
    assert recipe.config.workdir == HOME and Path(HOME).name == "prometheus"
    assert f"{HOME}/web/ui/static" in {file.at for file in recipe.files}
