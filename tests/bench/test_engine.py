"""The engine of the measurement of lines: a file as Docker's driver writes it, and answers as an engine gives them."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path

from bench.engine import ID, Container, build_frames, find_number, serve_engine


def test_lines_are_numbered_and_have_times_of_their_own(tmp_path: Path) -> None:
    """Two lines of one time and text would be one line for Loki."""
    container = Container(tmp_path)
    container.write(3)
    container.write(2)
    entries = [json.loads(line) for line in container.file.read_text(encoding="utf-8").splitlines()]
    assert [find_number(entry["log"]) for entry in entries] == [0, 1, 2, 3, 4]
    times = [entry["time"] for entry in entries]
    assert times == sorted(set(times)) and all(entry["log"].endswith("\n") for entry in entries)


def test_a_frame_says_how_long_it_is() -> None:
    """Eight bytes of head; whole seconds are what an agent asks from, and lines of that second are sent again."""
    line = json.dumps({"log": "up\n", "stream": "stdout", "time": "2026-01-01T00:00:05.5Z"})
    second = 1767225605
    body = b"2026-01-01T00:00:05.5Z up\n"
    assert build_frames([line], second) == bytes((1, 0, 0, 0, 0, 0, 0, len(body))) + body
    assert build_frames([line], second + 1) == b""


def test_it_answers_as_an_engine(tmp_path: Path) -> None:
    """With and without a version before the path."""
    container = Container(tmp_path)
    with serve_engine(container) as address:
        for prefix in ("", "/v1.43"):
            with urllib.request.urlopen(f"http://{address}{prefix}/containers/{ID}/json", timeout=5) as answer:
                assert json.loads(answer.read())["LogPath"] == str(container.file)
