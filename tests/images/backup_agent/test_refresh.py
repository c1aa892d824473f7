"""What the destination has."""

from __future__ import annotations

import pytest

from backup_agent import refresh
from backup_agent.manifest import parse_time
from backup_agent.rclone import configuring
from backup_agent.refresh import list_backups, refresh_state
from backup_agent.state import State, find_state_file, read_state
from tests.support.backups import Stand


@pytest.mark.exhaustive  # rclone starts several times
def test_a_new_scratch_learns_from_the_destination(stand: Stand) -> None:
    """After a restart on another machine the age of the newest backup is known, and not zero."""
    stand.run()
    (listed,), problems = list_backups(stand.document)
    find_state_file(str(stand.scratch)).unlink()
    assert refresh_state(stand.document) == "" and not problems
    state = read_state(str(stand.scratch))
    assert state.newest_at == state.success_at == parse_time(listed.ended)
    assert (state.copies, state.size, state.files, state.destination_up) == (1, 55_000, 3, True)
    assert state.run_successful is None and state.run_at == 0


def test_a_destination_without_backups_is_up(stand: Stand) -> None:
    """There is none, and that is known."""
    assert refresh_state(stand.document) == "" and list_backups(stand.document) == ([], [])
    state = read_state(str(stand.scratch))
    assert state == State(destination_up=True, destination=state.destination) and state.destination


@pytest.mark.exhaustive  # rclone starts several times
def test_a_destination_that_is_away_or_empty_is_said(stand: Stand) -> None:
    """What was there stays known while it is away; one that has lost all has a newest backup of never."""
    stand.run()
    newest = read_state(str(stand.scratch)).newest_at
    away = stand.destination.rename(stand.folder / "away")
    assert "is not there" in refresh_state(stand.document)
    state = read_state(str(stand.scratch))
    assert state.destination_up is False and (state.newest_at, state.copies) == (newest, 1)
    stand.destination.mkdir()
    assert "had 1 backups and has none" in refresh_state(stand.document)
    assert read_state(str(stand.scratch)).newest_at == 0
    stand.destination.rmdir()
    away.rename(stand.destination)
    assert refresh_state(stand.document) == "" and read_state(str(stand.scratch)).newest_at == newest


@pytest.mark.exhaustive  # rclone starts several times
def test_what_cannot_be_read_is_not_listed(stand: Stand) -> None:
    """A newer format and damage are said beside those that can be restored."""
    report = stand.run()
    for name, text in (("20991231T000000Z", '{"format": 2}'), ("20990101T000000Z", "{")):
        (stand.folder / "bad").write_text(text)
        with configuring(stand.document) as rclone:
            rclone.run("copyto", str(stand.folder / "bad"), f"backup:dev/prometheus/manifests/{name}.json")
    listed, problems = list_backups(stand.document)
    assert [each.id for each in listed] == [report.id]
    assert "format 2" in problems[0] and "damaged" in problems[1]


def test_an_error_of_the_agent_is_not_a_destination_that_is_up(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever ends the look at the destination, the metric says that it was not seen."""
    stand.run()
    monkeypatch.setattr(refresh, "opening", lambda document: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        refresh_state(stand.document)
    assert read_state(str(stand.scratch)).destination_up is False
