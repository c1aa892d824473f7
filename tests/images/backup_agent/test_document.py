"""The document."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from backup_agent.document import DocumentFile, parse_document
from tests.support.backups import Stand


def test_all_mistakes_are_said_at_once(stand: Stand) -> None:
    """Each is named with its place, and no value of the text is repeated."""
    stand.values |= {"schedule": "15 3 * *", "stack": "a/b", "data": "relative", "kep": {}, "keep": {"daily": -1}}
    with pytest.raises(ValueError) as caught:
        parse_document(json.dumps(stand.values).encode())
    for part in ("schedule: ", "five fields", "stack: ", "data: ", "absolute path", "kep: Extra", "keep.daily: "):
        assert part in str(caught.value)
    assert "relative" not in str(caught.value)
    with pytest.raises(ValueError, match="Invalid JSON"):
        parse_document(b"{")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"format": 2}, "format: "),
        ({"order": ["../etc"]}, "below the data"),
        ({"sqlite": ["/etc/passwd"]}, "below the data"),
        ({"destination": {"type": "ftp"}}, "destination: .*'s3', 'directory', 'sftp'"),
        ({"destination": {"type": "directory", "path": "/a\ntype = s3"}}, "absolute path"),
        ({"destination": {"type": "directory", "path": "/a", "prefix": "b\nc"}}, "must be one line"),
        (
            {"destination": {"type": "s3", "endpoint": "http://x", "bucket": "b"}},
            "needs the files accessKeyId, secretAccessKey",
        ),
        (
            {"destination": {"type": "sftp", "host": "h", "user": "u", "path": "/", "hostKey": "ssh-ed25519 A"}},
            "needs the files privateKey",
        ),
    ],
)
def test_what_cannot_be_is_refused(stand: Stand, changes: dict[str, Any], words: str) -> None:
    """A newer format, paths out of the data, unknown destinations, second lines, secrets that are missing."""
    with pytest.raises(ValueError, match=words):
        parse_document(json.dumps({**stand.values, **changes}).encode())


def test_a_change_is_read_and_a_wrong_one_is_not(stand: Stand) -> None:
    """A delivery takes effect without a restart; a wrong document, or none, leaves the one before in place."""
    path = stand.write_document()
    file = DocumentFile(path)
    assert file.get().keep.daily == 7 and file.digest == hashlib.sha256(path.read_bytes()).hexdigest()
    stand.values["keep"]["daily"] = 30
    stand.write_document()
    assert file.get().keep.daily == 30 and not file.error
    path.write_text('{"stack": "a"}')
    assert file.get().keep.daily == 30 and "format: Field required" in file.error
    path.unlink()
    assert file.get().keep.daily == 30


def test_no_document_is_no_start(tmp_path: Path) -> None:
    """Nothing is guessed."""
    with pytest.raises(OSError):
        DocumentFile(tmp_path / "none")
