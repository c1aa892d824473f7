"""What lies at the destination."""

from __future__ import annotations

import os

import pytest

from backup_agent.destination import opening
from backup_agent.errors import Failed
from tests.images.backup_agent.test_manifest import MANIFEST
from tests.support.backups import Stand


def test_names_and_contents_are_encrypted(stand: Stand) -> None:
    """Nothing of the stack, the workload, paths or contents can be read there."""
    stand.run()
    stored = stand.list_stored()
    assert len(stored) == 4
    for path in stored:
        assert all(word not in str(path.relative_to(stand.destination)) for word in ("dev", "prometheus", "json"))
        assert b"wwww" not in path.read_bytes() and b"iiii" not in path.read_bytes()


def test_another_passphrase_is_noticed(stand: Stand) -> None:
    """Before anything is written, in words; what is there is read with the first one as before."""
    before = stand.run()
    stored = stand.list_stored()
    stand.set_passphrase("another one")
    for work in (stand.run, stand.verify, stand.restore):
        with pytest.raises(Failed, match="backups that this passphrase does not decrypt"):
            work()
    assert stand.list_stored() == stored and not list((stand.folder / "restored").iterdir())
    stand.set_passphrase("correct horse battery staple")
    assert stand.restore()[0].id == before.id


@pytest.mark.exhaustive  # rclone starts several times
def test_other_things_may_lie_there(stand: Stand) -> None:
    """A stack beside it with the same passphrase, and what no backup is."""
    (stand.destination / "p" / "lost+found").mkdir(parents=True)
    (stand.destination / "p" / "readme.txt").write_text("x")
    stand.run()
    other = Stand(stand.folder / "other", destination=stand.values["destination"], stack="prod")
    with opening(other.document) as destination:
        assert destination.list_ids() == []
    other.write("wal/1", "x")
    assert other.run().uploaded_bytes == 1 and stand.run().uploaded_bytes == 0


def test_a_directory_that_is_away_is_said(stand: Stand) -> None:
    """It is never made: what is mounted there is not mounted."""
    stand.destination.rmdir()
    with pytest.raises(Failed, match=r"the directory .*destination is not there: mount it"):
        stand.run()
    assert not stand.destination.exists()


def test_a_directory_that_cannot_be_written_is_said(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    """By whom it cannot."""
    monkeypatch.setattr(os, "access", lambda path, mode: not mode & os.W_OK)
    with pytest.raises(Failed, match=rf"destination cannot be written by user {os.getuid()}"):
        stand.run()


@pytest.mark.exhaustive  # rclone starts several times
def test_a_manifest_is_never_replaced(stand: Stand) -> None:
    """The second one of an id is refused; one under another's name is no backup."""
    stand.values["workload"] = "w"
    with opening(stand.document) as destination:
        destination.write_manifest(MANIFEST, stand.scratch)
        with pytest.raises(Failed, match="immutable"):
            destination.write_manifest(MANIFEST.model_copy(update={"volume": "another"}), stand.scratch)
        destination.write_manifest(MANIFEST.model_copy(update={"id": "20261130T031501Z"}), stand.scratch)
        assert destination.list_ids() == ["20261130T031500Z", "20261130T031501Z"]
        assert destination.read_manifest("20261130T031500Z") == MANIFEST
        with pytest.raises(Failed, match="is of another backup: 20261130T031502Z of w of prod"):
            destination.write_manifest(
                MANIFEST.model_copy(update={"id": "20261130T031502Z", "stack": "prod"}), stand.scratch
            )


@pytest.mark.exhaustive  # rclone starts several times
def test_contents_can_be_hashed_and_removed(stand: Stand) -> None:
    """A content that is not there has no hash; removing it is no error."""
    report = stand.run()
    with opening(stand.document) as destination:
        names = list(destination.read_manifest(report.id).list_blobs())
        hashes, problem = destination.hash_blobs([*names, "0" * 64])
        assert hashes == {name: name for name in names} and not problem
        destination.remove_blobs(["0" * 64, names[0]])
        assert destination.list_blobs().keys() == set(names[1:])
