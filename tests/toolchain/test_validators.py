"""Validators: found in order, and an error when absent."""

from __future__ import annotations

from pathlib import Path

import pytest

from toolchain import validators
from toolchain.context import Context
from toolchain.errors import ToolchainError
from toolchain.recipes import PROMTOOL

from .conftest import MakeContext


def program(path: Path) -> Path:
    """An executable file at `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_missing_validator_raises(context: Context) -> None:
    """A validator that is not there is an error that names the command to get it."""
    with pytest.raises(ToolchainError, match="python -m toolchain validator promtool"):
        validators.require_validator(context, "promtool")


def test_unknown_validator_raises(context: Context) -> None:
    """A name that nobody knows is refused with the known ones."""
    with pytest.raises(ToolchainError, match="no validator is called promtol"):
        validators.ensure_validator(context, "promtol")


def test_order(make_context: MakeContext, tmp_path: Path) -> None:
    """PATH comes first, then the pinned program; asked for the pinned one, PATH does not count."""
    on_path = program(tmp_path / "tools" / "promtool")
    context = make_context(PATH=str(on_path.parent))
    assert validators.require_validator(context, "promtool") == on_path
    with pytest.raises(ToolchainError, match="--pinned promtool"):
        validators.require_validator(context, "promtool", pinned=True)
    pinned = program(PROMTOOL.find_path(context) / "bin" / "promtool")
    assert validators.require_validator(context, "promtool", pinned=True) == pinned
    assert validators.require_validator(make_context(), "promtool") == pinned


def test_own_cache_on_path_is_not_path(make_context: MakeContext) -> None:
    """A program of ours that PATH finds is not taken for one that the machine has."""
    context = make_context()
    own = program(validators.QUICK["promtool"].find_path(context) / "bin" / "promtool")
    assert validators.require_validator(make_context(PATH=str(own.parent)), "promtool") == own
    with pytest.raises(ToolchainError):
        validators.require_validator(make_context(PATH=str(own.parent)), "promtool", pinned=True)
