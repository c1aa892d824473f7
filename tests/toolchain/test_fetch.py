"""Official downloads: nothing unverified is taken."""

from __future__ import annotations

import hashlib
import io
import tarfile
from pathlib import Path

import pytest

from toolchain import fetch
from toolchain.fetch import Download, Unavailable, find_checksum


def archive(name: str) -> bytes:
    """A tar.gz with one file."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        info = tarfile.TarInfo(name)
        info.size = 2
        tar.addfile(info, io.BytesIO(b"ok"))
    return out.getvalue()


DOWNLOAD = Download("https://publisher.test/tool.tar.gz", "https://publisher.test/sums.txt")


def serve(monkeypatch: pytest.MonkeyPatch, data: bytes, sums: str) -> None:
    """Answer the two requests from memory."""
    answers = {DOWNLOAD.url: data, DOWNLOAD.checksums: sums.encode()}
    monkeypatch.setattr(fetch, "_get_bytes", lambda url: answers[url])


def test_verified_archive_is_unpacked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An archive with the published checksum is unpacked and then removed."""
    data = archive("bin")
    serve(monkeypatch, data, f"{hashlib.sha256(data).hexdigest()}  tool.tar.gz\n")
    fetch.fetch_archive(DOWNLOAD, tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["bin"]


def test_wrong_checksum_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An archive that differs from what was published is not unpacked."""
    serve(monkeypatch, archive("bin"), f"{'0' * 64}  tool.tar.gz\n")
    with pytest.raises(Unavailable, match="not the published"):
        fetch.fetch_archive(DOWNLOAD, tmp_path)
    assert not (tmp_path / "bin").exists()


def test_unlisted_archive_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An archive that the checksum list does not name is not taken."""
    serve(monkeypatch, archive("bin"), f"{'0' * 64}  other.tar.gz\n")
    with pytest.raises(Unavailable, match=r"does not name tool\.tar\.gz"):
        fetch.fetch_archive(DOWNLOAD, tmp_path)


@pytest.mark.parametrize("line", ["abc  f.tgz", "ABC *f.tgz", "abc  ./f.tgz"])
def test_checksum_lines(line: str) -> None:
    """The usual spellings of a checksum line are understood."""
    assert find_checksum(f"000  g.tgz\n{line}\n", "f.tgz") == "abc"
