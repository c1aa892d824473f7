"""A state from a copy: only where there is none, only of the same stack, and compared afterwards."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cli import lifecycle, render, state, state_restore
from model.errors import ConfigError
from tests.cli.test_state_copy import COPY
from tests.support import fakes


def test_a_state_that_is_there_is_not_replaced(tmp_path: Path) -> None:
    """It is said how much would be lost, and what can be done."""
    space = fakes.workspace(tmp_path, {"stack export": json.dumps({"deployment": COPY.deployment})})
    with pytest.raises(ConfigError, match="has a state already, with 3 resources"):
        state_restore.check_empty(space)
    state_restore.check_empty(fakes.workspace(tmp_path / "new", {"stack export": json.dumps({"deployment": {}})}))


@pytest.fixture
def backend(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A backend without a state, and what is written to it."""
    there: dict[str, Any] = {"deployment": {}}
    monkeypatch.setattr(state, "store_secrets", lambda _, values: there.update(secrets=values))
    monkeypatch.setattr(state, "import_deployment", lambda _, deployment: there.update(deployment=deployment))
    monkeypatch.setattr(state, "export_deployment", lambda _: there["deployment"])
    return there


def test_a_copy_is_written_whole(tmp_path: Path, backend: Mapping[str, Any]) -> None:
    """Resources, and the secrets of the configuration."""
    state_restore.write_copy(fakes.workspace(tmp_path), COPY)
    assert backend == {"deployment": COPY.deployment, "secrets": COPY.secrets}


def test_the_state_of_another_stack_is_refused(tmp_path: Path, backend: Mapping[str, Any]) -> None:
    """Before anything is written."""
    with pytest.raises(ConfigError, match="is not prod, whose state this is"):
        state_restore.write_copy(fakes.workspace(tmp_path), replace(COPY, stack="prod"))
    assert backend == {"deployment": {}}


def test_what_is_not_as_it_was_is_said(tmp_path: Path, backend: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A backend that took something else is not believed."""
    other = {"resources": [{"urn": "urn:0", "outputs": {}}, *COPY.deployment["resources"][1:]]}
    monkeypatch.setattr(state, "export_deployment", lambda _: other)
    with pytest.raises(RuntimeError, match="not as it was in urn:0"):
        state_restore.write_copy(fakes.workspace(tmp_path), COPY)


@pytest.mark.parametrize("found", [True, False])
def test_the_command_says_what_is_there(
    tmp_path: Path, backend: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], found: bool
) -> None:
    """How much, of when, whether the settings are others now, and what comes next; or why there is nothing."""
    space = fakes.workspace(tmp_path, PULUMI_BACKEND_URL="file:///none")

    def fetch(*_: object) -> Any:
        if not found:
            raise RuntimeError("refused: there is no backup")
        return COPY

    monkeypatch.setattr(render, "plan_file", lambda *_: None)
    monkeypatch.setattr(state_restore, "list_agents", lambda _: ())
    monkeypatch.setattr(lifecycle, "fetch_prerequisites", lambda _: {})
    monkeypatch.setattr(lifecycle, "connect_stack", lambda *_: (space, None, None))
    monkeypatch.setattr(state_restore, "fetch_copy", fetch)
    code = state_restore.run_command(argparse.Namespace(stack="dev", backup="latest"))
    text = capsys.readouterr().out
    assert code == (0 if found else 1)
    assert ("3 resources, 1 secrets" in text and "is not what it was then" in text) == found
    assert ("there is no backup" in text) != found
