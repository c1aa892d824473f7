"""Seeing that a backup can be read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from backup_agent.destination import Destination
from backup_agent.errors import Failed, Refused
from backup_agent.lock import locking
from backup_agent.state import read_state
from backup_agent.verify import describe_damage
from tests.images.backup_agent.test_manifest import MANIFEST
from tests.support.backups import Stand


@pytest.mark.exhaustive  # rclone starts several times
def test_a_whole_backup_is_verified(stand: Stand) -> None:
    """Nothing of it stays in scratch, and the state has the time."""
    report = stand.run()
    before = {path.name for path in stand.scratch.iterdir()}
    done = stand.verify()
    assert (done.id, done.bytes, done.files) == (report.id, 55_000, 3)
    assert {path.name for path in stand.scratch.iterdir()} == before
    state = read_state(str(stand.scratch))
    assert state.verify_successful and state.verified_at >= state.success_at


def flip(path: Path) -> None:
    """Change one bit in the middle."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_damage_is_found_and_mended(stand: Stand) -> None:
    """A changed bit, whose size says nothing: the file is named, and the next backup uploads it again."""
    stand.run()
    flip(stand.list_stored()[0])
    with pytest.raises(Failed, match="is not whole: 1 of its 3 files damaged: 01ABC/chunks/000001"):
        stand.verify()
    state = read_state(str(stand.scratch))
    assert state.verify_successful is False and len(state.damaged) == 1
    assert stand.run().uploaded_bytes == 30_000 and stand.verify().files == 3


@pytest.mark.exhaustive  # rclone starts several times
def test_a_missing_content_is_found(stand: Stand) -> None:
    """And one that was cut, beside it."""
    stand.run()
    largest, second, *_ = stand.list_stored()
    largest.unlink()
    os.truncate(second, 10)
    words = r"1 of its 3 files missing: 01ABC/chunks/000001; 1 of its 3 files damaged: 01ABC/index"
    with pytest.raises(Failed, match=words):
        stand.verify()


@pytest.mark.exhaustive  # rclone starts several times
def test_what_cannot_be_downloaded_is_not_called_damaged(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    """The destination is at fault, and nothing is uploaded again for it."""
    stand.run()
    monkeypatch.setattr(
        Destination, "hash_blobs", lambda self, names: ({}, "2026/11/30 19:40:43 ERROR : no route to host")
    )
    with pytest.raises(Failed, match=r"3 contents could not be read: no route to host"):
        stand.verify()
    assert read_state(str(stand.scratch)).damaged == ()


@pytest.mark.exhaustive  # rclone starts several times
def test_no_backup_is_refused(stand: Stand) -> None:
    """None at all, or none of that id: those that are there are said."""
    with pytest.raises(Refused, match="has no backup of prometheus of the stack dev"):
        stand.verify()
    report = stand.run()
    with pytest.raises(Refused, match=f"there is no backup 20200101T000000Z; there are {report.id}"):
        stand.verify("20200101T000000Z")


def test_one_at_a_time(stand: Stand) -> None:
    """During a backup it is refused, and it is not the verification that has failed."""
    with locking(stand.scratch / "lock", 0, print, "busy"), pytest.raises(Refused, match="is under way"):
        stand.verify()
    assert read_state(str(stand.scratch)).verify_successful is None


def test_many_files_are_not_all_named() -> None:
    """Three of them and how many more."""
    files = tuple(MANIFEST.files[0].model_copy(update={"path": f"f{number}"}) for number in range(5))
    words = describe_damage(MANIFEST.model_copy(update={"files": files}), {"a" * 64}, set())
    assert words.endswith("is not whole: 5 of its 5 files missing: f0, f1, f2 and 2 more")
