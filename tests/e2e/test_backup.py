"""Backups on a real engine: made while the stack runs, gone with no volume, and there again after a restore."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.support.buckets import BucketServer
from tests.support.running import PROMETHEUS, Engine, RunningStack
from tests.support.waiting import eventually

pytestmark = [pytest.mark.docker_engine, pytest.mark.local_engine]

KEY_ID, SECRET_KEY, PASSPHRASE = "observability", "canary/2c7d+f4", "canary-correct-horse-battery"
PARTS = ("loki", "alertmanager", "prometheus", "grafana")
ALERTMANAGER = "http://127.0.0.1:9093/alertmanager/api/v2"


@dataclass(frozen=True)
class Known:
    """What the stack knew when it was backed up: a time at which there are samples, a line, and a silence."""

    sampled: float
    line: str
    silence: str


@pytest.fixture(scope="module")
def bucket(engine: Engine) -> Iterator[BucketServer]:
    """A bucket that the engine's containers reach."""
    server = BucketServer("backups", KEY_ID, SECRET_KEY, host=engine.find_host_gateway())
    yield server
    server.close()


@pytest.fixture(scope="module")
def stack(bucket: BucketServer, engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """A stack that is backed up to it."""
    own = RunningStack(tmp_path_factory.mktemp("backup"), "e2e-backup", engine, ports=28400)
    s3 = {"endpoint": f"http://{bucket.endpoint}", "bucket": bucket.bucket}
    own.edit_settings(lambda config: config.update(backup={"enabled": True, "destination": {"s3": s3}}))
    own.secret("backup-passphrase", PASSPHRASE)
    own.secret("backup-access-key-id", KEY_ID)
    own.secret("backup-secret-access-key", SECRET_KEY)
    try:
        own.up()
        yield own
    finally:
        own.discard()


def sampled(stack: RunningStack, at: float) -> list[Any]:
    """Targets that were up at a time, as Prometheus knows it now."""
    options = urlencode({"query": 'up{service="prometheus"} == 1', "time": at})
    return list(stack.get("prometheus", f"{PROMETHEUS}/query?{options}")["data"]["result"])


def silences(stack: RunningStack) -> list[str]:
    """Comments of the silences that hold."""
    every = stack.get("alertmanager", f"{ALERTMANAGER}/silences")
    return [item["comment"] for item in every if item["status"]["state"] == "active"]


def silence(stack: RunningStack, comment: str) -> None:
    """Silences what never fires."""
    now = datetime.now(UTC)
    body = {
        "matchers": [{"name": "alertname", "value": "Nothing", "isRegex": False}], "createdBy": "test",
        "comment": comment, "startsAt": now.isoformat(), "endsAt": (now + timedelta(days=1)).isoformat(),
    }  # fmt: skip
    stack.http("alertmanager", 9093, "POST", "/alertmanager/api/v2/silences", body)


@pytest.fixture(scope="module")
def known(stack: RunningStack) -> Known:
    """What is there before the backup, the silence in its file too."""
    made = Known(time.time() - 15, f"line {uuid.uuid4()}", f"silence {uuid.uuid4()}")
    stack.http("api", 4000, "POST", "/demo/logs", {"msg": made.line, "level": "info"})
    silence(stack, made.silence)
    query = f'{{job="containerlogs"}} |= "{made.line}"'
    eventually(lambda: stack.loki(query), timeout=60, what="the line in Loki")
    eventually(lambda: sampled(stack, made.sampled), timeout=60, what="a sample of that time")
    script = f"/tools/busybox grep -c '{made.silence}' /alertmanager/silences || true"
    eventually(lambda: stack.sh("alertmanager", script).strip() == "1", timeout=150, what="the silence in its file")
    return made


def test_a_backup_is_made_while_the_stack_runs(stack: RunningStack, known: Known, bucket: BucketServer) -> None:
    """Of every part with data; it is at the destination, where neither a name nor a content can be read."""
    run = stack.run("backup")
    assert run.code == 0, run.text[-6000:]
    listed = stack.run("backups", "--json")
    found = json.loads(listed.text[listed.text.index("{") :])
    assert listed.code == 0 and found["unknown"] == {}
    assert {name: len(copies) for name, copies in found["backups"].items()} == dict.fromkeys(PARTS, 1)
    names = bucket.keys()
    assert names and not [name for name in names if any(part in name for part in PARTS)]
    assert bucket.refused == []


def test_a_second_backup_takes_what_is_new(stack: RunningStack, known: Known, bucket: BucketServer) -> None:
    """What is there already is not uploaded again."""
    before = set(bucket.keys())
    assert stack.run("backup").code == 0
    assert before < set(bucket.keys())  # all of the first one is there, under the names that it had
    assert '"1"' in json.dumps(stack.prom('backup_destination_up{service="backup-loki"}'))


def test_metrics_say_that_there_is_a_backup(stack: RunningStack, known: Known) -> None:
    """Of each agent: a success, a size, and copies at the destination; no alert about one is pending."""
    for query in ("backup_last_run_successful == 1", "backup_size_bytes > 0", "backup_copies > 0"):
        eventually(lambda query=query: len(stack.prom(query)) == len(PARTS), timeout=60, what=query)  # type: ignore[misc]
    assert stack.prom('ALERTS{alertname=~"Backup.*"}') == []


def test_a_stack_that_runs_is_not_restored_into(stack: RunningStack, known: Known) -> None:
    """It is refused before anything is touched."""
    before = stack.identities()
    run = stack.run("restore", "--from", "latest")
    assert run.code == 2 and "the stack runs" in run.text
    assert stack.identities() == before


def test_nor_are_volumes_with_data(stack: RunningStack, known: Known) -> None:
    """Each is named, and stays as it is; the next `make up` finds its data."""
    assert stack.run("down").code == 0
    run = stack.run("restore", "--from", "latest")
    assert run.code == 2 and all(f"{stack.name}-{part}-data of {part} is not empty" in run.text for part in PARTS)


def test_a_restore_brings_everything_back(stack: RunningStack, known: Known) -> None:
    """After the volumes are gone, the same answers: samples, lines, silences."""
    assert stack.run("down", "--purge").code == 0
    label = {"label": f"io.observability.stack={stack.name}"}
    assert stack.client.volumes.list(filters=label) == []
    run = stack.run("restore", "--from", "latest")
    assert run.code == 0 and "All is there" in run.text, run.text[-6000:]
    assert stack.containers() == []  # what restored it is gone
    stack.up()
    assert sampled(stack, known.sampled)
    assert stack.loki(f'{{job="containerlogs"}} |= "{known.line}"')
    assert known.silence in silences(stack)
    assert stack.run("drift").code == 0  # volumes are as the target makes them


def test_no_secret_is_seen(stack: RunningStack) -> None:
    """Neither in what the engine shows of containers nor in their lines."""
    shown = [where for where, text in stack.shown() if PASSPHRASE in text or SECRET_KEY in text]
    assert shown == []
