"""Filling an empty directory."""

from __future__ import annotations

import json
import shutil
from collections.abc import Collection
from pathlib import Path

import pytest

from backup_agent import restore
from backup_agent.backup import MARKER
from backup_agent.destination import Destination, opening
from backup_agent.errors import Failed, Refused
from backup_agent.rclone import configuring
from backup_agent.refresh import list_backups
from tests.support.backups import Stand, read_tree


def list_all(folder: Path) -> list[str]:
    """Everything below a folder."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_a_directory_with_anything_is_refused(stand: Stand) -> None:
    """Nothing in it is touched; a file system's own folder is nothing, and so is what the document leaves out."""
    stand.run()
    stand.values["exclude"] = [".mark"]
    target = stand.folder / "restored"
    (target / "lost+found").mkdir(parents=True)
    (target / "other").write_text("precious")
    (target / ".mark").write_text("")
    with pytest.raises(Refused, match="is not empty, it has other: only an empty directory is filled"):
        stand.restore()
    assert list_all(target) == [".mark", "lost+found", "other"]
    (target / MARKER).write_text("no marker")
    with pytest.raises(Refused, match="is no marker of a restore"):
        stand.restore()
    (target / MARKER).write_text("")
    with pytest.raises(Refused, match="is not empty"):
        stand.restore()
    (target / "other").unlink()
    assert stand.restore()[0].files == 3 and not (target / MARKER).exists()
    with pytest.raises(Refused, match="is no directory"):
        restore.restore_backup(stand.document, "latest", stand.folder / "none", print)


@pytest.mark.exhaustive  # rclone starts several times
def test_of_two_contents_that_are_alike_each_file_has_its_own(stand: Stand) -> None:
    """Permissions and times are each file's."""
    stand.write("first", "same", age=5000).chmod(0o600)
    stand.write("second", "same", age=9000).chmod(0o644)
    stand.run()
    tree, before = read_tree(stand.restore()[1]), read_tree(stand.data)
    assert {name: tree[name] for name in ("first", "second")} == {name: before[name] for name in ("first", "second")}


@pytest.mark.exhaustive  # rclone starts several times
def test_a_missing_content_leaves_the_marker(stand: Stand) -> None:
    """The files are named; what is damaged never gets a name. When it is there again, the restore goes on."""
    report = stand.run()
    largest, second, *_ = stand.list_stored()
    shutil.move(largest, stand.folder / "aside")
    whole = second.read_bytes()
    second.write_bytes(whole[:-1] + b"x")
    with pytest.raises(Failed, match=r"missing: 01ABC/chunks/000001; .*damaged: 01ABC/index"):
        stand.restore()
    target = stand.folder / "restored"
    assert json.loads((target / MARKER).read_text())["id"] == report.id
    assert not (target / "01ABC/index").exists() and (target / "wal/00000001").exists()
    shutil.move(stand.folder / "aside", largest)
    second.write_bytes(whole)
    stand.restore()
    assert not (target / MARKER).exists() and (target / "01ABC/index").read_bytes() == b"i" * 20_000


@pytest.mark.exhaustive  # rclone starts several times
def test_what_was_restored_before_is_compared_again(stand: Stand) -> None:
    """A file of the right size with another content is restored anew."""
    report = stand.run()
    target = stand.folder / "restored"
    target.mkdir()
    marker = {"stack": "dev", "workload": "prometheus", "id": report.id}
    (target / MARKER).write_text(json.dumps(marker))
    (target / "01ABC").mkdir()
    (target / "01ABC/index").write_bytes(b"x" * 20_000)
    stand.restore()
    assert (target / "01ABC/index").read_bytes() == b"i" * 20_000


@pytest.mark.exhaustive  # rclone starts several times
def test_another_backup_does_not_go_on(stand: Stand) -> None:
    """A directory is filled from one backup; which one it is is said."""
    stand.run()
    target = stand.folder / "restored"
    target.mkdir()
    (target / MARKER).write_text(json.dumps({"stack": "dev", "workload": "prometheus", "id": "20200101T000000Z"}))
    with pytest.raises(
        Refused, match=r"is being filled from the backup 20200101T000000Z of prometheus of dev: end that"
    ):
        stand.restore()
    assert list_all(target) == [MARKER]


@pytest.mark.exhaustive  # rclone starts several times
def test_another_stacks_backup_has_to_be_named(stand: Stand) -> None:
    """Of this stack there is none; by the other's name it is restored."""
    report = stand.run()
    stand.values["stack"] = "prod"
    with pytest.raises(Refused, match="has no backup of prometheus of the stack prod"):
        stand.restore()
    assert list_all(stand.folder / "restored") == []
    assert list_backups(stand.document)[0] == []
    assert [each.id for each in list_backups(stand.document, "dev")[0]] == [report.id]
    assert stand.restore(from_stack="dev")[0].id == report.id


@pytest.mark.exhaustive  # rclone starts several times
def test_a_newer_format_is_refused(stand: Stand) -> None:
    """The newest backup is not passed over for an older one, and nothing is touched."""
    stand.run()
    text = stand.folder / "20991231T000000Z.json"
    text.write_text('{"format": 2}')
    with configuring(stand.document) as rclone:
        rclone.run("copyto", str(text), f"backup:dev/prometheus/manifests/{text.name}")
    with pytest.raises(Refused, match="the backup 20991231T000000Z is of format 2"):
        stand.restore()
    assert list_all(stand.folder / "restored") == []


@pytest.mark.exhaustive  # rclone starts several times
def test_too_little_room_is_refused(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is written."""
    stand.run()
    monkeypatch.setattr(restore.shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(9, 8, 1))  # type: ignore[attr-defined]
    with pytest.raises(Refused, match=r"has room for 1 bytes, and the backup .* has 55000"):
        stand.restore()
    assert list_all(stand.folder / "restored") == []


@pytest.mark.exhaustive  # rclone starts several times
def test_a_destination_that_goes_away_meanwhile_is_said(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is neither missing nor damaged what could not be downloaded."""
    stand.run()
    monkeypatch.setattr(Destination, "download", lambda self, names, folder: "no space left on device")
    with pytest.raises(Failed, match="restored could not be filled: no space left on device"):
        stand.restore()
    assert (stand.folder / "restored" / MARKER).exists()


@pytest.mark.exhaustive  # rclone starts several times
def test_a_backup_removed_meanwhile_is_said(stand: Stand) -> None:
    """A manifest whose contents are gone is no backup that can be restored."""
    report = stand.run()
    with opening(stand.document) as destination:
        destination.remove_blobs(list(destination.read_manifest(report.id).list_blobs()))
    with pytest.raises(Failed, match="3 of its 3 files missing"):
        stand.restore()


@pytest.mark.exhaustive  # rclone starts several times
def test_batches_have_each_content_once(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of one content are in one batch, whatever its bound."""
    for number in range(3):
        stand.write(f"same{number}", "s" * 100)
    stand.run()
    monkeypatch.setattr(restore, "BATCH_BYTES", 1)
    batches: list[int] = []
    real = Destination.download

    def count(self: Destination, names: Collection[str], folder: Path) -> str:
        batches.append(len(names))
        return real(self, names, folder)

    monkeypatch.setattr(Destination, "download", count)
    assert stand.restore()[0].files == 6 and batches == [1, 1, 1, 1]


@pytest.mark.exhaustive  # rclone starts several times
def test_a_directory_that_cannot_be_written_is_said(stand: Stand) -> None:
    """In words, and the marker stays."""
    report = stand.run()
    target = stand.folder / "restored"
    target.mkdir()
    (target / MARKER).write_text(json.dumps({"stack": "dev", "workload": "prometheus", "id": report.id}))
    (target / "01ABC").write_text("a file where a directory belongs")
    with pytest.raises(Failed, match=r"restored cannot be written: .*File exists"):
        stand.restore()
    assert (target / MARKER).exists()
