"""The manifest."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from backup_agent.errors import Failed, Refused
from backup_agent.manifest import FileEntry, Manifest, choose_id, parse_id, parse_manifest, parse_time

ENTRY = FileEntry(path="wal/1", size=3, mode=0o640, mtime_ns=1, sha256="a" * 64)
MANIFEST = Manifest(
    stack="dev", workload="w", volume="v", id="20261130T031500Z", began="2026-11-30T03:15:00Z",
    ended="2026-11-30T03:16:00Z", version="0.1.0", files=(ENTRY,), bytes=3,
)  # fmt: skip


def test_what_is_written_is_read() -> None:
    """The document has the keys that every version of this format has."""
    text = MANIFEST.model_dump_json().encode()
    assert parse_manifest(text, "x") == MANIFEST
    keys = "format stack workload volume id began ended version files directories links bytes"
    assert set(json.loads(text)) == set(keys.split())
    assert MANIFEST.list_blobs() == {"a" * 64: 3} and parse_time(MANIFEST.ended) == 1796008560


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"files": [{**ENTRY.model_dump(), "path": "../etc/passwd"}]}, "files.0.path: .*leads out"),
        ({"files": [{**ENTRY.model_dump(), "path": "/etc/passwd"}]}, "files.0.path: .*leads out"),
        ({"files": [{**ENTRY.model_dump(), "sha256": "../x"}]}, "files.0.sha256"),
        ({"files": [{**ENTRY.model_dump(), "mode": 0o104755}]}, "files.0.mode"),
        ({"links": [{"path": "a/../../b", "target": "c"}]}, "links.0.path"),
        ({"bytes": None}, "bytes"),
    ],
)
def test_a_damaged_one_is_said(changes: dict[str, Any], words: str) -> None:
    """No path leads out of the data, and no name of a content is another one's."""
    with pytest.raises(Failed, match=f"the manifest x is damaged: {words}"):
        parse_manifest(json.dumps({**MANIFEST.model_dump(), **changes}).encode(), "x")


def test_a_newer_format_is_refused() -> None:
    """In words that say what to do, whatever else is in it."""
    with pytest.raises(Refused, match=r"the backup x is of format 2, .* use a newer version"):
        parse_manifest(b'{"format": 2, "shards": []}', "x")
    for text in (b"", b"[]", b"\xff"):
        with pytest.raises(Failed, match="no JSON object"):
            parse_manifest(text, "x")


def test_ids_are_in_order() -> None:
    """The next id is later than all that are there, also in the same second and after a clock went back."""
    now = parse_id("20261130T031500Z")
    assert now == datetime(2026, 11, 30, 3, 15, tzinfo=UTC)
    assert choose_id(now, []) == "20261130T031500Z"
    assert choose_id(now, ["20261130T031500Z", "20261129T031500Z"]) == "20261130T031501Z"
    assert choose_id(now, ["20270101T000000Z"]) == "20270101T000001Z"
