"""Validators: found in order, and an error when absent."""

from __future__ import annotations

from pathlib import Path

import pytest

from toolchain import validators
from toolchain.context import Context
from toolchain.errors import ToolchainError
from toolchain.host import find_program
from toolchain.recipes import AMTOOL, PROMETHEUS, PROMTOOL

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
    own = program(PROMTOOL.find_path(context) / "bin" / "promtool")
    assert find_program("promtool", {"PATH": str(own.parent)}, outside=context.cache.root) is None
    assert validators.require_validator(make_context(PATH=str(own.parent)), "promtool") == own
    assert validators.require_validator(make_context(PATH=str(own.parent)), "promtool", pinned=True) == own


def test_unit_tests_judge_by_the_deployed_versions() -> None:
    """Debian's promtool knows no Kubernetes discovery: what judges the documents is what the images hold."""
    recipes = {"promtool": PROMTOOL, "prometheus": PROMETHEUS, "amtool": AMTOOL, "actionlint": validators.ACTIONLINT}
    assert {name: validators.PINNED[name][0] for name in validators.UNIT_TESTS} == recipes
