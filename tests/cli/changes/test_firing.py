"""How often alerts would have fired, seen at a Prometheus that is none."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from cli.changes import firing
from cli.changes.firing import STEP, build_look, count_firings
from cli.changes.rules import Pair, Rule

NOW = 2_000_000_000.0


def series(*spans: tuple[int, int]) -> dict[str, Any]:
    """A series that is there within spans of minutes, as Prometheus answers."""
    return {
        "metric": {},
        "values": [[minute * STEP, "1"] for first, last in spans for minute in range(first, last + 1)],
    }


@pytest.mark.parametrize(
    ("spans", "wait", "stay", "count"),
    [
        ([], 0, 0, 0),
        ([(0, 0)], 0, 0, 1),
        ([(0, 4)], 300, 0, 0),
        ([(0, 5)], 300, 0, 1),
        ([(0, 5), (7, 12)], 300, 0, 2),
        ([(0, 5), (7, 12)], 300, 600, 1),
        ([(0, 3), (5, 8)], 300, 600, 0),
        ([(0, 5), (100, 105)], 300, 600, 2),
    ],
)
def test_firings_are_counted(spans: list[tuple[int, int]], wait: float, stay: float, count: int) -> None:
    """Each time that a condition is true without a gap for as long as the rule says."""
    assert count_firings([series(*spans)], wait, stay) == count
    assert count_firings([series(*spans), series(*spans)], wait, stay) == 2 * count


class Fake(BaseHTTPRequestHandler):
    """Answers by expression, and remembers what it was sent."""

    answers: dict[str, tuple[int, bytes]]
    seen: list[tuple[str, dict[str, list[str]], str]]

    def do_POST(self) -> None:
        """A range query."""
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.seen.append((self.path, form, self.headers.get("Authorization", "")))
        status, body = self.answers.get(form["query"][0], (200, b'{"data": {"result": []}}'))
        self.send_response(status)
        self.send_header("Location", "/elsewhere")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        """Silent."""


@pytest.fixture
def server() -> Iterator[str]:
    """The address of a Prometheus."""
    Fake.answers, Fake.seen = {}, []
    made = ThreadingHTTPServer(("127.0.0.1", 0), Fake)
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{made.server_port}/prometheus/"
    made.shutdown()
    made.server_close()


def pair(before: str | None, after: str | None, wait: str = "5m") -> Pair:
    """An alert before and after."""
    sides = (Rule("g", {"alert": "A", "expr": text, "for": wait}) if text else None for text in (before, after))
    return Pair(*sides)


def answer(*spans: tuple[int, int]) -> tuple[int, bytes]:
    """An answer with one series."""
    return 200, json.dumps({"data": {"result": [series(*spans)]}}).encode()


def test_both_expressions_are_looked_up(server: str) -> None:
    """Over the same week, minute by minute; new and removed alerts have one number."""
    Fake.answers = {"old": answer((0, 9)), "new": answer((0, 9), (20, 29), (40, 41))}
    notes = build_look(server, lambda: NOW)(
        [pair("old", "new"), pair(None, "new"), pair("old", None), pair("old", "x")]
    )
    assert notes == {
        0: "In the last 7 days it would have fired 2 times; as it was, once.",
        1: "In the last 7 days it would have fired 2 times.",
        2: "In the last 7 days it would have fired once, as it was.",
        3: "In the last 7 days it would have fired never; as it was, once.",
    }
    path, form, _ = Fake.seen[0]
    assert path == "/prometheus/api/v1/query_range" and form["step"] == ["60"]
    assert float(form["end"][0]) - float(form["start"][0]) == 7 * 86400


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ((400, b"{}"), "status 400"),
        ((302, b""), "status 302"),
        ((200, b"<html>"), "not one of Prometheus"),
        ((200, b'{"data": null}'), "not one of Prometheus"),
        ((200, b" " * 3000), "more than"),
    ],
)
def test_what_is_not_known_is_said(
    given: tuple[int, bytes], words: str, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error, a redirection, another server's answer, too much of it: never a number."""
    monkeypatch.setattr(firing, "MOST_BYTES", 2000)
    Fake.answers = {"old": given}
    (note,) = build_look(server)([pair("old", "new")]).values()
    assert note.startswith("How often it would have fired is not known") and words in note


def test_nobody_there_is_said() -> None:
    """No number either."""
    (note,) = build_look("http://127.0.0.1:1")([pair("old", None)]).values()
    assert "does not answer" in note


def test_what_is_looked_at_is_bounded(server: str) -> None:
    """So many rules, and so many seconds; recordings and texts are no alerts."""
    notes = build_look(server, lambda: NOW)([pair("old", None)] * (firing.MOST_RULES + 1))
    assert "too many rules" in notes[firing.MOST_RULES] and len(Fake.seen) == firing.MOST_RULES
    times = iter((NOW, NOW, NOW + firing.MOST_SECONDS + 1))
    assert "too many rules" in build_look(server, lambda: next(times))([pair("old", None)] * 2)[1]
    record = Rule("g", {"record": "a", "expr": "b"})
    assert not build_look(server)([Pair(record, None), pair("same", "same")])


def test_a_login_comes_from_netrc(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is in no argument, and nobody without a login sends one."""
    monkeypatch.setenv("HOME", str(tmp_path))
    build_look(server)([pair("old", None)])
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login me password you\n")
    (tmp_path / ".netrc").chmod(0o600)
    build_look(server)([pair("old", None)])
    assert [seen[2] for seen in Fake.seen] == ["", "Basic bWU6eW91"]
