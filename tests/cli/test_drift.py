"""`observability drift`: what it prints, its exit codes, and whom it notifies."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from cli import drift, edited, secrets
from cli.drift import find_drift, list_old_secrets, notify
from cli.hosts import Host
from cli.workspace import Workspace
from model.deviation import Deviation, Drift
from model.plan import Plan
from model.secret import Secret
from tests.cli.test_edited import NOW, Alertmanager
from tests.support import fakes
from tests.support.calling import call

ITEM = Deviation(kind="container", name="dev-loki", what="memory limit", declared="512 MiB", running="1024 MiB")
SOME, BLIND = Drift(deviations=(ITEM,)), Drift(unread=("silences could not be looked at: none runs",))


class Place:
    """A host that has some drift, and says when it cannot be queried."""

    at_once = 1

    def __init__(self, given: Drift, *instances: Alertmanager, error: str = "") -> None:
        self.given, self.instances, self.error = given, instances, error

    def compare(self, plan: Plan) -> Drift:
        """What the platform has."""
        if self.error:
            raise RuntimeError(self.error)
        return self.given

    def compare_documents(self, plan: Plan) -> dict[str, Drift]:
        """None differ."""
        return {"loki": Drift()}

    def list_alertmanagers(self) -> Any:
        """Those that run."""
        return self.instances


PLAN = cast(
    Plan,
    SimpleNamespace(
        stack="dev", list_workloads=lambda: [], operator=None, system=SimpleNamespace(name="plue"),
        settings=SimpleNamespace(environment="dev", base_url="http://x"),
        secrets={"pager": Secret(name="pager", purpose="x"), "key": Secret(name="key", purpose="x", permanent="no")},
    ),
)  # fmt: skip


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Place:
    """The host that the command opens; the stack has no secrets of an age."""
    made = Place(Drift(), Alertmanager())
    monkeypatch.setattr(drift, "open_running", lambda stack: (fakes.workspace(tmp_path), PLAN, made))
    monkeypatch.setattr(secrets, "list_stored_names", lambda space: set())
    monkeypatch.setattr(secrets, "find_times", lambda space, plan, stored: {})
    return made


def test_nothing_is_silent(place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Where all is as declared, nothing is printed, and the exit code is 0."""
    assert call(monkeypatch, "drift") == 0
    assert capsys.readouterr().out == ""


def test_drift_is_said_in_words(
    place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What, where, declared, running and what puts it right; what is not known does not hide what is."""
    place.given = SOME + BLIND
    assert call(monkeypatch, "drift") == 3
    said = " ".join(capsys.readouterr().out.split())
    assert "1. container dev-loki, memory limit: declared 512 MiB; running 1024 MiB make up puts it right" in said
    assert "not compared silences could not be looked at" in said


@pytest.mark.parametrize(("given", "code"), [(Drift(), 0), (SOME, 3), (BLIND, 4), (SOME + BLIND, 3)])
def test_a_schedule_reads_the_code(
    place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], given: Drift, code: int
) -> None:
    """Nothing, drift, or not known: in the exit code and in the document for programs."""
    place.given = given
    assert call(monkeypatch, "drift", "--json") == code
    answer = json.loads(capsys.readouterr().out)
    assert (answer["stack"], answer["code"], len(answer["unread"])) == ("dev", code, len(given.unread))
    assert answer["deviations"] == ([vars(ITEM)] if given.deviations else [])


@pytest.mark.parametrize("option", [(), ("--json",)])
def test_a_place_that_is_not_reached_is_not_no_drift(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], option: tuple[str, ...]
) -> None:
    """Where no engine answers, the code says that nobody could look."""

    def fail(stack: str) -> Any:
        raise SystemExit("no Docker engine answers")

    monkeypatch.setattr(drift, "open_running", fail)
    assert call(monkeypatch, "drift", *option) == 4
    assert "no Docker engine answers" in capsys.readouterr().out


def test_what_cannot_be_looked_at_is_said(place: Place, tmp_path: Path) -> None:
    """Each part by itself: the others are compared all the same."""
    place.error, place.instances = "the cluster does not answer", ()
    said = find_drift(fakes.workspace(tmp_path), PLAN, cast(Host, place), NOW)
    assert said.unread == (
        "what the platform has could not be looked at: the cluster does not answer",
        "silences could not be looked at: none runs",
    )


def test_grafana_is_asked_as_its_administrator(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the password that the stack generated; without one, that is said."""
    monkeypatch.setattr(edited, "has_database", lambda plan: True)
    monkeypatch.setattr(edited, "compare_grafana", lambda plan, ask, at_once: Drift(notes=(str(ask("/api/x")),)))
    calls: list[Any] = []

    def ask_tunnel(tunnel: str, method: str, path: str, *, login: tuple[str, str]) -> Any:
        calls.append((tunnel, method, path, login))
        return SimpleNamespace(text='{"a": 1}')

    monkeypatch.setattr(drift, "ask_tunnel", ask_tunnel)
    monkeypatch.setattr(Place, "open_tunnel", lambda self, name, port: f"{name}:{port}", raising=False)
    space = fakes.workspace(tmp_path, {"stack output": '{"grafana-admin-password": "s3cret"}'})
    assert find_drift(space, PLAN, cast(Host, place), NOW).notes == ("{'a': 1}",)
    assert calls == [("grafana:3000", "GET", "/api/x", ("admin", "s3cret"))]
    (tmp_path / "other").mkdir()
    none = fakes.workspace(tmp_path / "other", {"stack output": "{}"})
    assert "the stack has no grafana-admin-password" in find_drift(none, PLAN, cast(Host, place), NOW).unread[0]


def test_a_secret_of_more_than_a_year_is_worth_knowing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It is no drift; one that cannot have another value is not named."""
    times = {"pager": NOW - timedelta(days=400), "key": NOW - timedelta(days=400)}
    monkeypatch.setattr(secrets, "list_stored_names", lambda space: set())
    monkeypatch.setattr(secrets, "find_times", lambda space, plan, stored: times)
    said = list_old_secrets(cast(Workspace, None), PLAN, NOW)
    assert said.notes == ("secret pager: it has had its value for 400 days; make rotate NAME=pager",)
    assert drift.choose_code(said) == 0
    times["pager"] = NOW - timedelta(days=300)
    assert list_old_secrets(cast(Workspace, None), PLAN, NOW) == Drift()


class Recording(Alertmanager):
    """An Alertmanager that keeps what it is sent."""

    def __init__(self) -> None:
        super().__init__()
        self.alerts: list[dict[str, Any]] = []

    def ask(self, path: str, body: str | None = None) -> str:
        """An alert, or the silences."""
        if path == "/api/v2/alerts":
            self.alerts += json.loads(body or "")
        return "[]"


@pytest.mark.parametrize(("given", "lasts"), [(SOME, True), (BLIND, True), (Drift(), False)])
def test_alertmanager_says_it_until_the_next_run(
    place: Place, monkeypatch: pytest.MonkeyPatch, given: Drift, lasts: bool
) -> None:
    """An alert with the same labels each time: it lasts for so long, and ends where nothing differs any more."""
    receiver = Recording()
    place.given, place.instances = given, (receiver,)
    call(monkeypatch, "drift", "--notify", "25h")
    (alert,) = receiver.alerts
    assert alert["labels"] == {
        "alertname": "StackDrift", "severity": "warning", "stack": "dev", "system": "plue", "environment": "dev",
    }  # fmt: skip
    length = datetime.fromisoformat(alert["endsAt"]) - datetime.fromisoformat(alert["startsAt"])
    assert length == (timedelta(hours=25) if lasts else timedelta(0))
    assert ("memory limit" in alert["annotations"]["description"]) == bool(given.deviations)


def test_nobody_notified_is_not_well() -> None:
    """Where no Alertmanager takes it, the command says so and does not end with 0."""
    for instances in ([], [Alertmanager(answers=False)]):
        said = notify(PLAN, instances, Drift(), timedelta(hours=1), NOW)
        assert len(said.unread) == 1 and said.unread[0].startswith("nobody is notified: ")
        assert drift.choose_code(said) == 4


def test_the_codes_are_documented() -> None:
    """The page that a schedule is copied from names each of them."""
    page = (Path(__file__).resolve().parents[2] / "docs" / "operations.md").read_text(encoding="utf-8")
    assert {int(code) for code in re.findall(r"^\| (\d) \| ", page, re.MULTILINE)} == {0, 1, 2, 3, 4}
