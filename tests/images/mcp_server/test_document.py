"""The document."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from mcp_server.document import DocumentFile, parse_document


def test_wrong_keys_are_refused() -> None:
    """Every mistake is named with its place, and no value of the text is repeated."""
    with pytest.raises(ValueError, match=r"stack: .*bounds\.seconds: .*bounds\.tokns: "):
        parse_document(b'{"bounds": {"seconds": "secret", "tokns": 1}}')
    with pytest.raises(ValueError, match="Invalid JSON"):
        parse_document(b"{")


def test_a_change_is_read_and_a_wrong_one_is_not(tmp_path: Path) -> None:
    """A delivery takes effect without a restart; a document that is wrong leaves the one before in place."""
    path = tmp_path / "stack.json"
    path.write_text('{"stack": "a"}')
    file = DocumentFile(path)
    assert file.get().stack == "a" and file.digest == hashlib.sha256(b'{"stack": "a"}').hexdigest()
    path.write_text('{"stack": "bb"}')
    assert file.get().stack == "bb" and not file.failed
    path.write_text('{"stak": "ccc"}')
    assert file.get().stack == "bb" and file.failed
    path.write_text('{"stack": "dddd"}')
    assert file.get().stack == "dddd" and not file.failed


def test_a_switched_link_is_another_file(tmp_path: Path) -> None:
    """A delivery switches a folder by a link: same size, same time, another file."""
    for name in "ab":
        (tmp_path / name).mkdir()
        (tmp_path / name / "stack.json").write_text(f'{{"stack": "{name}"}}')
        os.utime(tmp_path / name / "stack.json", (1, 1))
    link = tmp_path / "now"
    link.symlink_to("a")
    file = DocumentFile(link / "stack.json")
    assert file.get().stack == "a"
    link.unlink()
    link.symlink_to("b")
    assert file.get().stack == "b"


def test_a_file_that_is_away_for_a_moment_changes_nothing(tmp_path: Path) -> None:
    """Between two deliveries the last document is served."""
    path = tmp_path / "stack.json"
    path.write_text('{"stack": "a"}')
    file = DocumentFile(path)
    path.unlink()
    assert file.get().stack == "a"
