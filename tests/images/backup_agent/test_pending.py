"""Uploads that nobody has checked yet."""

from __future__ import annotations

from pathlib import Path

import pytest

from backup_agent.errors import Failed
from backup_agent.pending import Pending


def test_names_stay_until_they_are_checked(tmp_path: Path) -> None:
    """Another process reads what a process that was ended has noted."""
    Pending(tmp_path / "pending.json").write(["b", "a"])
    again = Pending(tmp_path / "pending.json")
    assert again.read() == {"a", "b"}
    again.clear()
    again.clear()
    assert again.read() == set()


def test_a_note_that_cannot_be_written_is_no_upload(tmp_path: Path) -> None:
    """Nothing is uploaded that could not be taken back."""
    with pytest.raises(Failed, match="cannot be written"):
        Pending(tmp_path / "none" / "pending.json").write(["a"])
