"""The command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from backup_agent.__main__ import main
from tests.support.backups import Stand


def call(stand: Stand, *words: str) -> int:
    """A command's exit code."""
    return main([words[0], "--document", str(stand.write_document()), *words[1:]])


@pytest.mark.exhaustive  # rclone starts several times
def test_a_backup_by_commands(stand: Stand, capsys: pytest.CaptureFixture[str]) -> None:
    """Each command's last line is JSON; progress comes before it."""
    assert call(stand, "run") == 0
    *lines, last = capsys.readouterr().out.splitlines()
    report = json.loads(last)
    assert set(report) == {"id", "bytes", "files", "uploaded_bytes", "seconds"} and lines[0].startswith("backup of")
    assert call(stand, "list") == 0
    (listed,) = json.loads(capsys.readouterr().out)
    assert set(listed) == {"id", "bytes", "files", "ended"} and listed["id"] == report["id"]
    assert call(stand, "verify", "--id", report["id"]) == 0
    (stand.folder / "r").mkdir()
    assert call(stand, "restore", "--id", "latest", "--into", str(stand.folder / "r")) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["id"] == report["id"]


def test_exit_codes(stand: Stand, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """1 failed, 2 wrong use, 3 refused, each with words on the standard error."""
    assert call(stand, "check") == 0 and call(stand, "verify") == 3
    assert capsys.readouterr().err.startswith("refused: the directory")
    stand.set_passphrase("")
    assert call(stand, "run") == 1 and "must hold one line" in capsys.readouterr().err
    stand.values["stack"] = ""
    assert call(stand, "check") == 1 and "stack: " in capsys.readouterr().err
    assert main(["check", "--document", str(tmp_path / "none")]) == 1
    for words in (["run"], ["restore", "--document", "x", "--into", "y", "--id", "yesterday"], []):
        with pytest.raises(SystemExit) as caught:
            main(words)
        assert caught.value.code == 2


@pytest.mark.exhaustive  # rclone starts several times
def test_an_error_of_the_system_is_no_traceback(stand: Stand, capsys: pytest.CaptureFixture[str]) -> None:
    """It is said like any other."""
    stand.run()
    target = stand.folder / "file"
    target.write_text("")
    assert call(stand, "restore", "--id", "latest", "--into", str(target)) == 3
    stand.scratch.joinpath("manifests").rename(stand.scratch / "old")
    stand.scratch.joinpath("manifests").write_text("")
    assert call(stand, "run") == 1 and "manifests" in capsys.readouterr().err


def test_a_check_needs_no_secrets(stand: Stand) -> None:
    """A delivery is checked where no secret may be there yet."""
    (stand.folder / "passphrase").unlink()
    assert call(stand, "check") == 0
