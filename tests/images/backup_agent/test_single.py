"""Backups of a text that is no file of the volume."""

from __future__ import annotations

import hashlib

import pytest

from backup_agent import single
from backup_agent.errors import Failed, Refused
from backup_agent.refresh import list_backups
from tests.support.backups import Stand

NAME = "pulumi-state"


def store(stand: Stand, *pieces: str) -> None:
    """Makes a backup of a text in pieces."""
    for number, piece in enumerate(pieces):
        single.append_text(stand.document, NAME, piece, begin=number == 0)
    digest = hashlib.sha256("".join(pieces).encode()).hexdigest()
    assert single.store_text(stand.document, NAME, digest, print).files == 1


def test_a_text_comes_back_as_it_was(stand: Stand) -> None:
    """It is listed by its name, beside the volume's backups and not among them; nothing of it stays in scratch."""
    single.append_text(stand.document, NAME, "of a call that was cut short", begin=True)
    store(stand, "a head\n", "and a rest\n")
    stand.run()
    own, _ = list_backups(single.rename_document(stand.document, NAME))
    volumes, _ = list_backups(stand.document)
    assert [each.files for each in own] == [1] and [each.files for each in volumes] == [3]
    assert single.fetch_text(stand.document, NAME, "latest") == "a head\nand a rest\n"
    left = [path for path in stand.folder.rglob(single.FILE) if stand.data not in path.parents]
    assert left == []


def test_a_text_that_did_not_come_whole_is_no_backup(stand: Stand) -> None:
    """What it should have been is said, and the next one begins anew."""
    single.append_text(stand.document, NAME, "a head", begin=True)
    with pytest.raises(Failed, match="did not come whole"):
        single.store_text(stand.document, NAME, hashlib.sha256(b"a head and a rest").hexdigest(), print)
    with pytest.raises(Failed, match="is nothing, and should be"):
        single.store_text(stand.document, NAME, "00", print)
    with pytest.raises(Refused, match="no"):
        single.fetch_text(stand.document, NAME, "latest")
