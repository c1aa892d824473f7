"""The browser: what the machine has comes first, and what is got brings its libraries."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from toolchain import browser
from toolchain.context import Context
from toolchain.recipes import CHROMIUM

from .conftest import MakeContext


def test_the_machines_own_comes_first(make_context: MakeContext, tmp_path: Path) -> None:
    """It needs nothing but itself."""
    own = tmp_path / "bin/chromium-browser"
    own.parent.mkdir()
    own.write_text("#!/bin/sh\n")
    own.chmod(0o755)
    found = browser.ensure_browser(make_context(PATH=str(own.parent)))
    assert json.loads(found.render()) == {"program": str(own), "environment": {}}


def test_a_package_brings_libraries_and_fonts(
    context: Context, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Folders of the architecture that it is for, as the dynamic linker is to search them."""
    for name in ("usr/lib/aarch64-linux-gnu/pulseaudio", "lib/aarch64-linux-gnu"):
        (tmp_path / "root" / name).mkdir(parents=True)
    monkeypatch.setattr(type(CHROMIUM), "ensure", lambda *_: tmp_path)
    found = browser.ensure_browser(context)
    folders = found.environment["LD_LIBRARY_PATH"].split(":")
    assert [Path(folder).relative_to(tmp_path / "root").as_posix() for folder in folders] == [
        "usr/lib/aarch64-linux-gnu", "lib/aarch64-linux-gnu", "usr/lib/aarch64-linux-gnu/pulseaudio",
    ]  # fmt: skip
    assert found.path == tmp_path / "root/usr/lib/chromium/chromium"
