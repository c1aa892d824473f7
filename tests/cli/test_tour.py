"""`observability tour`: what it waits for, and that it leaves no fault behind."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.tour import StandIn, Tour, find_stand_in, list_next_steps
from model.errors import ConfigError
from tests.support.systems import plan_shop


class FakeTunnel:
    """One request to a host, and its answer."""

    def __init__(self, host: FakeHost, workload: str) -> None:
        self._host, self._workload, self._asked = host, workload, b""

    def write(self, data: bytes) -> None:
        """Takes the request."""
        self._asked += data

    def read(self) -> Iterator[bytes]:
        """Answers it."""
        yield b"HTTP/1.0 200 OK\r\n\r\n" + self._host.answer(self._workload, self._asked.decode()).encode()

    def close(self) -> None:
        """Nothing is left to close."""


class FakeHost:
    """A stack in which a fault has its consequences at once, or has none."""

    def __init__(self, *, notifies: bool = True) -> None:
        self.fault, self.notifies = False, notifies
        self.messages: list[dict[str, Any]] = [self._message("firing")]  # of another time

    def open_tunnel(self, workload: str, _port: int) -> FakeTunnel:
        """See `cli.hosts.Host`."""
        return FakeTunnel(self, workload)

    def ask_prometheus(self, path: str) -> dict[str, Any]:
        """See `cli.hosts.Host`."""
        if path.startswith("query?query=up"):
            return {"result": [{"value": [0, "0" if self.fault else "1"]}]}
        return {"result": [{"value": [0, "1"]}] if self.fault else []}

    def answer(self, workload: str, asked: str) -> str:
        """What a part answers."""
        if workload == "demo-webhook":
            shown = [{"payload": message} for message in self.messages]
            return json.dumps({"total": len(shown), "notifications": shown})
        self.fault = asked.startswith("PUT")
        if self.notifies:
            self.messages.append(self._message("firing" if self.fault else "resolved"))
        return "{}"

    @staticmethod
    def _message(status: str) -> dict[str, Any]:
        return {"alerts": [{"status": status, "labels": {"alertname": "TargetDown", "service": "api"}}]}


def build_tour(tmp_path: Path, host: FakeHost, patience: float = 0) -> Tour:
    """A tour of a shop with stand-ins that has little patience, in seconds."""
    plan = plan_shop(tmp_path, {}, {"demo": "true"})
    assert find_stand_in(plan) == StandIn("api", 4000)
    fake: Any = host
    return Tour(plan, fake, find_stand_in(plan), patience)


def test_each_thing_is_shown_as_it_happens(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """From the fault to the message, and back."""
    host = FakeHost()
    build_tour(tmp_path, host).run()
    said = capsys.readouterr().out
    order = ["api is up", "503", "Prometheus sees it", "fires", "(firing)", "well again", "has ended", "(resolved)"]
    places = [said.index(words) for words in order]
    assert places == sorted(places)
    assert not host.fault


def test_a_message_that_does_not_come_ends_it(tmp_path: Path) -> None:
    """One of another time is none; the fault is switched off all the same."""
    host = FakeHost(notifies=False)
    with pytest.raises(RuntimeError, match=r"a message \(firing\); make verify STACK=dev"):
        build_tour(tmp_path, host).run()
    assert not host.fault


def test_a_question_that_fails_once_is_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One of hundreds may; whoever does not answer at all ends the tour with his own words."""
    host, failures = FakeHost(), [RuntimeError("once")]
    answer = host.ask_prometheus

    def ask(path: str) -> dict[str, Any]:
        if failures:
            raise failures.pop()
        return answer(path)

    monkeypatch.setattr(host, "ask_prometheus", ask)
    monkeypatch.setattr("cli.tour._EVERY", 0)
    build_tour(tmp_path, host, patience=5).run()
    failures.append(RuntimeError("never"))
    with pytest.raises(RuntimeError, match="never"):
        build_tour(tmp_path, host).run()
    assert not host.fault


def test_a_stack_without_stand_ins_has_no_tour(tmp_path: Path) -> None:
    """Nothing that is real gets a fault."""
    with pytest.raises(ConfigError, match="needs a stand-in"):
        find_stand_in(plan_shop(tmp_path, {}, {"demo": "false"}))


NOTIFIED = json.dumps({"receivers": [{"name": "team", "webhook": {"url": "http://hook.example.com/"}}]})


@pytest.mark.parametrize(
    ("settings", "first"),
    [
        ({"demo": "true"}, "make tour STACK=dev switches a fault of api on"),
        ({"demo": "false", "alertmanager": NOTIFIED}, "make alert-test STACK=dev sends"),
        ({"demo": "false"}, "say who is notified, as nobody is yet: docs/how-to/be-notified.md"),
    ],
)
def test_a_stack_that_is_up_says_what_is_next(settings: dict[str, str], first: str, tmp_path: Path) -> None:
    """Where something can be made to fail there is a tour; elsewhere receivers are tried, or declared first."""
    said = list_next_steps(plan_shop(tmp_path, {}, settings))
    assert said[0].startswith(f"Next: {first}") and "make doctor" in said[1]
