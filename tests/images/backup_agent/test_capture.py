"""Reading data that others write."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from backup_agent import capture
from backup_agent.capture import Captured, Reader
from backup_agent.errors import Failed
from backup_agent.manifest import FileEntry
from backup_agent.scan import Listing, Vanished, scan_part
from tests.support.backups import Stand


def read(stand: Stand, known: dict[str, FileEntry] | None = None) -> Captured:
    """One reading."""
    return Reader(stand.document, stand.scratch / "copies", known or {}).read()


def test_quiet_files_stay_where_they_are(stand: Stand) -> None:
    """Only what may be written is copied; every entry has size, permissions, time and hash."""
    stand.data.joinpath("01ABC/index").chmod(0o440)
    captured = read(stand)
    assert set(captured.files) == {"wal/00000001", "01ABC/index", "01ABC/chunks/000001"}
    assert [path.read_bytes() for path in captured.copies.values()] == [b"w" * 5000]
    assert {path.name for path, _ in captured.places.values()} == {"index", "000001"}
    index = captured.files["01ABC/index"]
    assert (index.size, index.mode, index.sha256) == (20_000, 0o440, hashlib.sha256(b"i" * 20_000).hexdigest())


def test_what_is_known_is_not_read_again(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    """Size and time are those of the newest backup; another time or size is another content."""
    known = dict(read(stand).files)
    os.utime(stand.data / "01ABC/chunks/000001", ns=(1, 1))
    hashed: list[int] = []
    real = capture._hash_start

    def hash_start(file: int, size: int) -> str:
        hashed.append(size)
        return real(file, size)

    monkeypatch.setattr(capture, "_hash_start", hash_start)
    assert read(stand, known).files["01ABC/index"] == known["01ABC/index"]
    assert hashed == [30_000]


def test_a_log_that_grows_is_cut(stand: Stand) -> None:
    """Copies of a file that is appended to all the time are a beginning of it."""
    ended, path = threading.Event(), stand.data / "wal/00000001"
    path.write_bytes(b"")

    def append() -> None:
        with path.open("ab", buffering=0) as file:
            number = 0
            while not ended.is_set():
                file.write(f"{number:09}\n".encode())
                number += 1

    writer = threading.Thread(target=append)
    writer.start()
    sizes: list[int] = []
    try:
        while len(sizes) < 20 or sizes[-1] < 200_000:
            captured = read(stand)
            entry = captured.files["wal/00000001"]
            text = captured.copies[entry.sha256].read_bytes()
            assert len(text) == entry.size and hashlib.sha256(text).hexdigest() == entry.sha256
            lines = text.split(b"\n")[:-1]
            assert lines == [f"{number:09}".encode() for number in range(len(lines))]
            sizes.append(entry.size)
    finally:
        ended.set()
        writer.join()
    assert sizes == sorted(sizes)


def test_a_file_that_is_rewritten_all_the_time_is_no_copy(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mixture of two contents is never taken."""
    path = stand.data / "wal/00000001"
    real = capture._copy_start

    def rewrite(file: int, size: int, target: Path) -> str:
        digest = real(file, size, target)
        path.write_bytes(os.urandom(5000))
        return digest

    monkeypatch.setattr(capture, "_copy_start", rewrite)
    with pytest.raises(Vanished, match="wal/00000001 has changed while it was read"):
        read(stand)


def test_what_becomes_a_link_or_goes_is_not_followed(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was listed as a file is read as one, or everything is read again."""

    def replace(data: Path, part: str, skips: Callable[[str], bool]) -> Listing:
        listing = scan_part(data, part, skips)
        (stand.data / "wal/00000001").unlink(missing_ok=True)
        if link:
            (stand.data / "wal/00000001").symlink_to("/etc/passwd")
        return listing

    monkeypatch.setattr(capture, "scan_part", replace)
    link = False
    with pytest.raises(Vanished, match="wal/00000001 is gone"):
        read(stand)
    stand.write("wal/00000001", "x")
    link = True
    with pytest.raises(Failed, match="cannot be read: Too many levels of symbolic links"):
        read(stand)


def test_scratch_that_is_no_directory_is_said(stand: Stand) -> None:
    """In words."""
    stand.scratch.rmdir()
    stand.scratch.write_text("")
    with pytest.raises(Failed, match=r"scratch cannot be written: "):
        read(stand)


def test_a_database_that_is_gone_is_said(stand: Stand) -> None:
    """One that never was is none; one that the newest backup has must be there, as that may soon be the only one."""
    assert "grafana.db" not in read(stand).files
    entry = FileEntry(path="grafana.db", size=1, mode=0o600, mtime_ns=0, sha256="a" * 64)
    with pytest.raises(Failed, match=r"the database .*grafana.db is gone, and the newest backup has it"):
        read(stand, {"grafana.db": entry})
