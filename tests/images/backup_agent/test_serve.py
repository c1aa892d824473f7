"""Serving."""

from __future__ import annotations

import hashlib
import re
import signal
import socket
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from backup_agent import serve
from backup_agent.document import DocumentFile
from backup_agent.refresh import list_backups
from backup_agent.serve import Agent, build_app
from backup_agent.state import change_state, read_state
from tests.support.backups import Stand
from tests.support.waiting import eventually


@contextmanager
def serving(stand: Stand) -> Iterator[str]:
    """The agent in a process of its own; gives its address."""
    with socket.create_server(("127.0.0.1", 0)) as opened:
        port = opened.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    with stand.start("serve", "--host", "127.0.0.1", "--port", str(port)) as process:
        try:
            eventually(lambda: get(f"{address}/healthz") == "OK\n", timeout=30, what="the agent is healthy")
            yield address
        finally:
            process.send_signal(signal.SIGTERM)
            _, errors = process.communicate(timeout=30)
            stand.lines.append(errors)
    assert process.returncode == 0, errors


def get(url: str) -> str:
    """The answer of a page."""
    with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - loopback
        return str(answer.read().decode())


def read_value(address: str, name: str) -> float | None:
    """The value of a metric without labels."""
    match = re.search(rf"^{name} (\S+)$", get(f"{address}/metrics"), re.MULTILINE)
    return float(match[1]) if match else None


def test_the_agent_serves(stand: Stand) -> None:
    """It looks at the destination, takes another document, shows a backup that a command made, and ends."""
    with serving(stand) as address:
        eventually(lambda: read_value(address, "backup_destination_up") == 1, timeout=30, what="it has looked")
        assert read_value(address, "backup_copies") == 0
        assert read_value(address, "process_start_time_seconds")
        stand.values["schedule"] = "0 */6 * * *"
        digest = hashlib.sha256(stand.write_document().read_bytes()).hexdigest()
        eventually(lambda: digest in get(f"{address}/metrics"), timeout=30, what="the document is used")
        assert read_value(address, "backup_interval_seconds") == 21_600
        assert stand.call("run")[0] == 0
        assert read_value(address, "backup_copies") == read_value(address, "backup_last_run_successful") == 1
        with pytest.raises(OSError, match="404"):
            get(f"{address}/other")
    assert "Traceback" not in stand.lines[-1]


@pytest.mark.exhaustive  # up to a minute until the schedule's next one
def test_a_schedule_makes_backups(stand: Stand) -> None:
    """Each minute one, and a verification; nobody else begins them."""
    stand.values |= {"schedule": "* * * * *", "verify": "* * * * *"}
    with serving(stand) as address:
        eventually(lambda: read_value(address, "backup_copies") == 1, timeout=120, what="a backup by the schedule")
        done = eventually(lambda: read_value(address, "backup_verify_successful"), timeout=120, what="a verification")
    assert done == 1 and len(list_backups(stand.document)[0]) == 1


def test_a_change_of_the_schedule_is_taken(stand: Stand) -> None:
    """Jobs are replaced, and a document that is wrong changes none."""
    agent = Agent(DocumentFile(stand.write_document()))
    agent.watch()
    agent._scheduler.start(paused=True)
    before = agent._scheduler.get_job("run").next_run_time
    stand.values["schedule"] = "15 4 * * *"
    stand.write_document()
    agent.watch()
    after = agent._scheduler.get_job("run").next_run_time
    assert (before.hour, after.hour) == (3, 4) and after.tzinfo == UTC
    (stand.folder / "backup.json").write_text("{")
    agent.watch()
    assert agent._scheduler.get_job("run").next_run_time == after
    agent.stop()


@pytest.mark.parametrize(("age", "expected"), [(None, ["run"]), (90_000, ["run"]), (80_000, [])])
def test_what_was_missed_is_made(
    stand: Stand, monkeypatch: pytest.MonkeyPatch, age: int | None, expected: list[str]
) -> None:
    """After a start the backup that was due meanwhile is made, and so is the first one."""
    if age is not None:
        change_state(str(stand.scratch), success_at=datetime.now(UTC).timestamp() - age)
    agent = Agent(DocumentFile(stand.write_document()))
    works: list[str] = []
    monkeypatch.setattr(agent, "work", works.append)
    agent.catch_up()
    assert works == expected


@pytest.mark.exhaustive  # rclone starts several times
def test_work_is_a_process_that_ends_with_the_agent(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command runs to its end; after the agent's end none is begun."""
    monkeypatch.setenv(
        "PYTHONPATH", str(stand.folder.parent) + ":" + serve.__file__.removesuffix("/backup_agent/serve.py")
    )
    agent = Agent(DocumentFile(stand.write_document()))
    agent._scheduler.start()
    agent.work("run")
    assert read_state(str(stand.scratch)).copies == 1 and agent.is_running
    agent.stop()
    agent.work("verify")
    assert read_state(str(stand.scratch)).verified_at == 0 and not agent.is_running


def test_health_is_the_schedulers(stand: Stand) -> None:
    """Without it no backup would be made."""
    file = DocumentFile(stand.write_document())
    agent, said = Agent(file), []

    def start(status: str, headers: Any) -> None:
        said.append(status)

    app = build_app(agent, file)
    list(app({"PATH_INFO": "/healthz"}, start))
    agent._scheduler.start(paused=True)
    list(app({"PATH_INFO": "/healthz"}, start))
    agent.stop()
    list(app({"PATH_INFO": "/healthz"}, start))
    assert said == ["503 Service Unavailable", "200 OK", "503 Service Unavailable"]
