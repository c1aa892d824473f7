"""One backup after another."""

from __future__ import annotations

import hashlib
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from backup_agent import backup
from backup_agent.backup import build_batches
from backup_agent.capture import Reader
from backup_agent.destination import Destination, opening
from backup_agent.errors import Failed
from backup_agent.pending import Pending
from backup_agent.state import change_state, read_state
from tests.support.backups import Stand, read_tree


def list_ids(stand: Stand) -> list[str]:
    """The ids at the destination."""
    with opening(stand.document) as destination:
        return destination.list_ids()


def test_a_second_backup_uploads_what_has_changed(stand: Stand) -> None:
    """A content is there once, whatever files have it; backups of the last 24 hours stay."""
    first = stand.run()
    assert (first.files, first.bytes, first.uploaded_bytes) == (3, 55_000, 55_000)
    assert stand.run().uploaded_bytes == 0
    stand.write("02DEF/index", b"n" * 700)
    stand.write("02DEF/copy", b"n" * 700)
    third = stand.run()
    assert (third.files, third.bytes, third.uploaded_bytes) == (5, 56_400, 700)
    assert len(list_ids(stand)) == 3 and list_ids(stand)[-1] == third.id
    assert len(stand.list_stored()) == 3 + 3 + 1


@pytest.mark.exhaustive  # rclone starts several times
def test_older_backups_keep_their_contents(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    """What one of them has stays when the newest has it no more; it goes with the last that has it."""
    stand.values["keep"] = {"daily": 2, "weekly": 0, "monthly": 0}
    start, ids = 1_796_000_000.0, []
    for day in range(3):
        monkeypatch.setattr("backup_agent.backup.time.time", lambda day=day: start + day * 86_400)
        stand.write("only", f"content of day {day}")
        ids.append(stand.run().id)
    assert list_ids(stand) == ids[1:] and len(stand.list_stored()) == 3 + 2 + 2
    restored, folder = stand.restore(ids[1])
    assert restored.id == ids[1] and (folder / "only").read_text() == "content of day 1"


@pytest.mark.exhaustive  # rclone starts several times
def test_everything_comes_back(stand: Stand) -> None:
    """Contents, permissions, times, empty directories, links, databases."""
    with closing(sqlite3.connect(stand.data / "grafana.db")) as made:
        made.execute("CREATE TABLE a (b)")
        made.commit()
    stand.write("name with \u00fc\n and line", "x").chmod(0o400)
    stand.write("empty", "")
    (stand.data / "folder").mkdir(mode=0o700)
    (stand.data / "link").symlink_to("01ABC/index")
    stand.run()
    _, folder = stand.restore()
    (stand.data / "lock").unlink()
    before, after = dict(read_tree(stand.data)), dict(read_tree(folder))
    assert before.pop("grafana.db")[:2] == after.pop("grafana.db")[:2] and before == after
    assert (folder / "link").readlink() == Path("01ABC/index") and (folder / "folder").stat().st_mode & 0o777 == 0o700
    with closing(sqlite3.connect(folder / "grafana.db")) as opened:
        assert opened.execute("SELECT count(*) FROM a").fetchone() == (0,)


def test_nothing_is_no_backup(stand: Stand) -> None:
    """A directory without a file, and one that a restore has not filled."""
    marker = stand.write(".restore-incomplete", "")
    with pytest.raises(Failed, match="a restore that has not ended"):
        stand.run()
    marker.unlink()
    stand.values["exclude"] = ["*"]
    with pytest.raises(Failed, match=r"nothing to back up: .*data has no file"):
        stand.run()
    assert not stand.list_stored() and read_state(str(stand.scratch)).run_successful is False


@pytest.mark.exhaustive  # rclone starts several times
def test_a_set_that_changes_is_read_again(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    """A block that is replaced while it is uploaded: the second pass has the one that replaces it, and nothing else."""
    real = Destination.upload

    def replace(self: Destination, staging: Path) -> None:
        monkeypatch.undo()
        stand.write("02DEF/index", b"i" * 20_000 + b"c" * 30_000)
        for path in ("01ABC/chunks/000001", "01ABC/index"):
            (stand.data / path).unlink()
        real(self, staging)

    monkeypatch.setattr(Destination, "upload", replace)
    assert stand.run().files == 2
    assert any(line.startswith("pass 1 of 3: ") for line in stand.lines)
    assert len(stand.list_stored()) == 3


@pytest.mark.exhaustive  # rclone starts several times
def test_a_content_is_never_under_another_ones_name(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    """A quiet file that is rewritten between its hash and its upload is uploaded again, under its own name."""
    real = Destination.upload

    def rewrite(self: Destination, staging: Path) -> None:
        monkeypatch.undo()
        stand.write("01ABC/index", b"I" * 20_000)
        real(self, staging)

    monkeypatch.setattr(Destination, "upload", rewrite)
    stand.run()
    assert stand.verify().files == 3
    assert (stand.restore()[1] / "01ABC/index").read_bytes() == b"I" * 20_000


@pytest.mark.exhaustive  # rclone starts several times
def test_what_always_changes_fails(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    """After three passes, in words; there is no backup, and what is there already stays as it is."""
    first = stand.run()
    real = Reader.read

    def change(self: Reader) -> Any:
        captured = real(self)
        stand.write("01ABC/new", os.urandom(10))
        return captured

    stand.write("01ABC/new", "x")
    monkeypatch.setattr(Reader, "read", change)
    with pytest.raises(Failed, match=r"changed in each of 3 passes, in the last one .*01ABC/new has changed"):
        stand.run()
    assert list_ids(stand) == [first.id] and len(stand.list_stored()) == 4


@pytest.mark.exhaustive  # rclone starts several times
def test_uploads_of_a_run_that_was_ended_are_not_believed(stand: Stand) -> None:
    """A content that nobody has checked is removed and uploaded again, unless a backup has it."""
    stand.run()
    block = b"b" * 5000
    name = hashlib.sha256(block).hexdigest()
    staging = stand.folder / "staging"
    staging.mkdir()
    (staging / name).write_bytes(b"x" * 5000)
    with opening(stand.document) as destination:
        destination.upload(staging)
        index = next(iter(destination.read_manifest(list_ids(stand)[0]).list_blobs()))
    Pending(stand.scratch / "pending.json").write([name, index])
    stand.write("02DEF/index", block)
    assert stand.run().uploaded_bytes == 5000
    assert stand.verify().files == 4


@pytest.mark.exhaustive  # rclone starts several times
def test_a_content_that_was_cut_is_uploaded_again(stand: Stand) -> None:
    """Its size at the destination is another one: it is said, replaced, and the backup is whole."""
    stand.run()
    largest = stand.list_stored()[0]
    os.truncate(largest, largest.stat().st_size - 100)
    with pytest.raises(Failed, match="1 of its 3 files damaged: 01ABC/chunks/000001"):
        stand.verify()
    assert stand.run().uploaded_bytes == 30_000 and stand.verify().files == 3
    assert any(line.startswith("a content at the destination is damaged") for line in stand.lines)


def test_a_destination_that_has_lost_all_is_not_a_new_one(stand: Stand) -> None:
    """A volume that is not mounted looks like one where a first backup is made."""
    stand.run()
    away = stand.destination.rename(stand.folder / "away")
    stand.destination.mkdir()
    with pytest.raises(Failed, match="had 1 backups and has none: is another volume mounted there"):
        stand.run()
    assert not stand.list_stored()
    stand.destination.rmdir()
    away.rename(stand.destination)
    stand.run()
    stand.values["destination"] = {**stand.values["destination"], "prefix": "anew"}
    assert stand.run().uploaded_bytes == 55_000


def test_the_manifest_is_last(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    """An upload that says nothing and leaves a content out is noticed before."""
    monkeypatch.setattr(Destination, "upload", lambda self, staging: None)
    with pytest.raises(Failed, match="does not have 3 files after their upload, such as 01ABC/chunks/000001"):
        stand.run()
    assert list_ids(stand) == []


@pytest.mark.exhaustive  # rclone starts several times
def test_a_manifest_that_cannot_be_read_keeps_every_content(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    """A backup is made all the same; that nothing was removed is said, and the run has failed."""
    first = stand.run()
    real = Destination.load_manifest

    def load(self: Destination, folder: Path, name: str) -> Any:
        if name == first.id:
            (folder / f"{name}.json").write_text('{"format": 2}')
        return real(self, folder, name)

    monkeypatch.setattr(Destination, "load_manifest", load)
    stand.values["keep"] = {"daily": 0, "weekly": 0, "monthly": 0}
    monkeypatch.setattr(backup, "choose_staying", lambda ids, keep: set(ids))
    (stand.data / "01ABC/index").unlink()
    with pytest.raises(Failed, match=r"is complete, but older ones could not be removed: .* is of format 2"):
        stand.run()
    assert len(list_ids(stand)) == 2 and len(stand.list_stored()) == 3 + 2
    state = read_state(str(stand.scratch))
    assert state.run_successful is False and state.copies == 2 and "format 2" in state.run_error


@pytest.mark.exhaustive  # rclone starts several times
def test_what_a_verification_found_damaged_is_uploaded_again(stand: Stand) -> None:
    """Where the data still has it; else it stays known."""
    stand.run()
    index = hashlib.sha256(b"i" * 20_000).hexdigest()
    change_state(str(stand.scratch), damaged=(index, "0" * 64))
    assert stand.run().uploaded_bytes == 20_000
    assert read_state(str(stand.scratch)).damaged == ("0" * 64,)


@pytest.mark.exhaustive  # rclone starts several times
def test_the_state_says_what_was_done(stand: Stand) -> None:
    """Times, sizes, and what the destination has."""
    report = stand.run()
    state = read_state(str(stand.scratch))
    assert state.run_successful and state.destination_up and state.copies == 1 and state.files == 3
    assert state.size == 55_000 and state.previous_size == 0 and state.uploaded_bytes == 55_000
    assert state.run_at <= state.success_at <= state.run_at + report.seconds + 1
    stand.write("more", "12345")
    stand.run()
    state = read_state(str(stand.scratch))
    assert (state.size, state.previous_size, state.uploaded_bytes) == (55_005, 55_000, 5)
    assert sorted(path.name for path in stand.scratch.iterdir()) == ["lock", "manifests", "state.json"]


def test_batches_are_bounded() -> None:
    """By bytes and by number; one that is larger is alone."""
    sizes = {"a": 600 * 1024**2, "b": 600 * 1024**2, "c": 3 * 1024**3, **{f"{n}": 1 for n in range(6000)}}
    batches = list(build_batches(sizes))
    assert [len(batch) for batch in batches] == [1, 1, 1, 5000, 1000]
    assert {name for batch in batches for name in batch} == set(sizes) and list(build_batches({})) == []
