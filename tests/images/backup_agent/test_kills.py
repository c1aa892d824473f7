"""What is left of work that was killed: nothing that is believed, and something to go on from."""

from __future__ import annotations

import os
import resource
import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from backup_agent.backup import MARKER
from backup_agent.errors import Failed
from backup_agent.refresh import list_backups
from tests.support.backups import Stand, read_tree
from tests.support.waiting import eventually

pytestmark = pytest.mark.exhaustive  # processes that are killed at several moments
FILES = 600


@pytest.fixture
def large(tmp_path: Path) -> Stand:
    """Data whose upload takes a while, and a backup of a part of it."""
    made = Stand(tmp_path)
    made.write("first", "in the first backup")
    made.run()
    for number in range(FILES):
        made.write(f"blocks/{number}", os.urandom(20_000), age=0 if number % 10 == 0 else 3600)
    return made


def count_stored(stand: Stand) -> int:
    """Files at the destination, those of the first backup aside."""
    return len(stand.list_stored()) - 2


def kill_when(stand: Stand, words: tuple[str, ...], reached: Callable[[], bool]) -> None:
    """Begin a command, and kill it when something is the case."""
    with stand.start(*words) as process:
        eventually(lambda: reached() or process.poll() is not None, timeout=60, what="the moment of the kill")
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=60)


RUN_MOMENTS: dict[str, Callable[[Stand], bool]] = {
    "it has the lock": lambda stand: (stand.scratch / "lock").exists(),
    "files are copied": lambda stand: (stand.scratch / "copies" / "5").exists(),
    "the upload is noted": lambda stand: (stand.scratch / "pending.json").exists(),
    "one is there": lambda stand: count_stored(stand) >= 1,
    "half are there": lambda stand: count_stored(stand) >= FILES // 2,
    "all are there": lambda stand: count_stored(stand) >= FILES,
    "it is complete": lambda stand: count_stored(stand) >= FILES + 1,
}


@pytest.mark.parametrize("moment", RUN_MOMENTS)
def test_a_run_that_is_killed(large: Stand, moment: str) -> None:
    """The list has the first backup, or a whole second one; the next run ends well, and all comes back."""
    kill_when(large, ("run",), lambda: RUN_MOMENTS[moment](large))
    listed, problems = list_backups(large.document)
    assert not problems and 1 <= len(listed) <= 2 and {each.files for each in listed} <= {1, FILES + 1}
    code, output, errors = large.call("run", "--wait", "60")
    assert code == 0, output + errors
    assert large.verify().files == FILES + 1
    assert read_tree(large.restore()[1]) == read_tree(large.data)
    # nothing of the interrupted upload is left: contents, and a list for each backup but the first
    assert count_stored(large) == FILES + len(list_backups(large.document)[0]) - 1


RESTORE_MOMENTS: dict[str, Callable[[Path], bool]] = {
    "the marker is there": lambda target: (target / MARKER).exists(),
    "one is downloaded": lambda target: any((target / ".restore-contents").glob("*")),
    "many are downloaded": lambda target: len(list((target / ".restore-contents").glob("*"))) > FILES // 3,
    "one has its name": lambda target: any((target / "blocks").glob("*")),
    "many have their names": lambda target: len(list((target / "blocks").glob("*"))) > FILES // 2,
}


@pytest.mark.parametrize("moment", RESTORE_MOMENTS)
def test_a_restore_that_is_killed(large: Stand, moment: str) -> None:
    """The directory says that it is not whole, nothing backs it up, and the same command ends it."""
    large.run()
    target = large.folder / "restored"
    target.mkdir()
    words = ("restore", "--id", "latest", "--into", str(target))
    kill_when(large, words, lambda: RESTORE_MOMENTS[moment](target))
    whole = read_tree(large.data)
    if not (target / MARKER).exists():
        assert read_tree(target) == whole  # it was faster
        return
    content = {name: each[2] for name, each in whole.items()}
    there = {name: each[2] for name, each in read_tree(target).items() if not name.startswith(".restore-")}
    assert there.items() <= content.items()  # no name has anything but its whole content
    half = Stand(large.folder / "half", data=str(target))
    with pytest.raises(Failed, match="a restore that has not ended"):
        half.run()
    code, output, errors = large.call(*words)
    assert code == 0, output + errors
    assert read_tree(target) == whole


def limit_sizes(size: int) -> None:
    """Let no file of this process become larger, as if the disk were full."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def test_a_file_size_limit_ends_in_words(large: Stand) -> None:
    """Scratch takes no more: the run fails, leaves nothing behind, and the backup before stays."""
    large.write("wal/1", b"x" * 500_000, age=0)
    code, _, errors = large.call("run", preexec_fn=partial(limit_sizes, 100_000))
    assert code == 1 and "scratch is full: File too large; give it more space" in errors and "Traceback" not in errors
    assert not (large.scratch / "copies").exists() and len(list_backups(large.document)[0]) == 1


def test_a_full_target_ends_in_words(large: Stand) -> None:
    """The directory takes no more: the restore fails and keeps its marker; with more room it goes on."""
    large.write("wal/1", b"x" * 500_000)
    large.run()
    target = large.folder / "restored"
    target.mkdir()
    words = ("restore", "--id", "latest", "--into", str(target))
    code, _, errors = large.call(*words, preexec_fn=partial(limit_sizes, 300_000))
    assert code == 1 and "could not be filled" in errors and "file too large" in errors, errors
    assert (target / MARKER).exists() and not (target / "wal/1").exists()
    assert large.call(*words)[0] == 0 and read_tree(target) == read_tree(large.data)


def test_a_run_waits_for_another_one(large: Stand) -> None:
    """Without a wait it is refused with exit code 3; with one it says so and makes its backup afterwards."""
    with large.start("run") as first:
        eventually((large.scratch / "copies").exists, timeout=30, what="the first one runs")
        code, _, errors = large.call("run")
        assert code == 3 and errors.startswith("refused: a backup or verification of this workload is under way")
        code, output, _ = large.call("run", "--wait", "60")
        first.communicate()
    assert first.returncode == 0 and code == 0 and "waiting for up to 60 s" in output
