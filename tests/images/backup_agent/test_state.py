"""The state file."""

from __future__ import annotations

from pathlib import Path

from backup_agent.state import State, change_state, find_state_file, read_state


def test_values_are_changed_one_by_one(tmp_path: Path) -> None:
    """What is not named stays; another process reads it."""
    assert read_state(str(tmp_path)) == State()
    change_state(str(tmp_path), copies=3, damaged=("a",))
    change_state(str(tmp_path), size=5)
    assert read_state(str(tmp_path)) == State(copies=3, damaged=("a",), size=5)
    assert [path.name for path in tmp_path.iterdir()] == ["state.json"]


def test_a_broken_state_is_none(tmp_path: Path) -> None:
    """It is written anew."""
    find_state_file(str(tmp_path)).write_text("{")
    assert read_state(str(tmp_path)) == State()
    assert change_state(str(tmp_path / "none"), copies=1).copies == 1
