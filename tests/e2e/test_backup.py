"""Backups on a real engine: made while the stack runs, gone with no volume, and there again after a restore."""

from __future__ import annotations

import json
import re
import shutil
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from cli.backups import STATE
from cli.drill import MARGIN
from tests.e2e.test_no_change import unchanged
from tests.support.buckets import BucketServer
from tests.support.running import PROMETHEUS, Engine, RunningStack
from tests.support.waiting import eventually

pytestmark = [pytest.mark.docker_engine, pytest.mark.local_engine]

KEY_ID, SECRET_KEY, PASSPHRASE = "observability", "canary/2c7d+f4", "canary-correct-horse-battery"
PARTS = ("loki", "alertmanager", "prometheus", "grafana")
LOKI = "http://127.0.0.1:3100/loki/api/v1"
ALERTMANAGER = "http://127.0.0.1:9093/alertmanager/api/v2"


@dataclass(frozen=True)
class Known:
    """What the stack knew when it was backed up: a time, what was counted then, a line, and a silence.

    `sums` has the sum of every metric by its name, `counts` the number of lines of the ten minutes before by service.
    """

    at: float
    sums: dict[str, str]
    counts: dict[str, str]
    line: str
    silence: str


@pytest.fixture(scope="module")
def bucket(engine: Engine) -> Iterator[BucketServer]:
    """A bucket that the engine's containers reach, by TLS with an authority that is its own."""
    server = BucketServer("backups", KEY_ID, SECRET_KEY, host=engine.find_host_gateway(), tls=True)
    yield server
    server.close()


@pytest.fixture(scope="module")
def stack(bucket: BucketServer, engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """A stack that is backed up to it."""
    own = RunningStack(tmp_path_factory.mktemp("backup"), "e2e-backup", engine, ports=28400)
    configure_backups(own, bucket)
    try:
        own.up()
        yield own
    finally:
        own.discard()


def configure_backups(stack: RunningStack, bucket: BucketServer) -> None:
    """Has a stack backed up to a bucket."""
    s3 = {"endpoint": bucket.url, "bucket": bucket.bucket}
    if bucket.authority:
        s3["caCertificate"] = bucket.authority
    stack.edit_settings(lambda config: config.update(backup={"enabled": True, "destination": {"s3": s3}}))
    set_secrets(stack)


def set_secrets(stack: RunningStack) -> None:
    """What people set: nothing of it is generated."""
    stack.secret("backup-passphrase", PASSPHRASE)
    stack.secret("backup-access-key-id", KEY_ID)
    stack.secret("backup-secret-access-key", SECRET_KEY)


def sums(stack: RunningStack, at: float) -> dict[str, str]:
    """The sum of every metric at a time, by its name, as Prometheus knows it now."""
    options = urlencode({"query": 'sum by (__name__) ({__name__=~".+"})', "time": at})
    series = stack.get("prometheus", f"{PROMETHEUS}/query?{options}")["data"]["result"]
    return {item["metric"]["__name__"]: item["value"][1] for item in series}


def counts(stack: RunningStack, at: float, span: str = "10m") -> dict[str, str]:
    """The lines of the stack's own containers in the time before a moment, by service, as Loki knows them now."""
    own = f'{{job="containerlogs", container=~"{stack.container_name("")}.+"}}'
    query = f"sum by (service) (count_over_time({own}[{span}]))"
    series = stack.get("loki", f"{LOKI}/query?{urlencode({'query': query, 'time': at})}")["data"]["result"]
    return {item["metric"].get("service", ""): item["value"][1] for item in series}


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


def make_known(stack: RunningStack) -> Known:
    """Makes what is looked for after a restore, and waits until all of it is there, the silence in its file too."""
    line, comment = f"line {uuid.uuid4()}", f"silence {uuid.uuid4()}"
    stack.http("api", 4000, "POST", "/demo/logs", {"msg": line, "level": "info"})
    silence(stack, comment)
    eventually(lambda: stack.loki(f'{{job="containerlogs"}} |= "{line}"'), timeout=60, what="the line in Loki")
    script = f"/tools/busybox grep -c '{comment}' /alertmanager/silences || true"
    eventually(lambda: stack.sh("alertmanager", script).strip() == "1", timeout=150, what="the silence in its file")
    at = time.time() - 30  # samples of then have arrived
    # lines of a file arrive in their order: with a later one of the service that writes most, those before are there
    eventually(lambda: counts(stack, at + 30, "30s").get("web"), timeout=180, what="a line of after that")
    known = Known(at, sums(stack, at), counts(stack, at), line, comment)
    assert len(known.sums) > 200 and len(known.counts) > 5
    return known


def made_ready(stack: RunningStack) -> None:
    """A backup that was made when there was data of the time that a drill asks about."""
    eventually(lambda: sums(stack, time.time() - MARGIN - 60), timeout=400, what="samples that are old enough")
    assert stack.run("backup").code == 0


def check_known(stack: RunningStack, known: Known) -> None:
    """All that was known is known again."""
    assert sums(stack, known.at) == known.sums
    assert counts(stack, known.at) == known.counts
    assert stack.loki(f'{{job="containerlogs"}} |= "{known.line}"')
    assert known.silence in silences(stack)


def restore_state(stack: RunningStack) -> None:
    """`make state-restore`, where nothing but the stack's file and the secrets of its backups is there."""
    run = stack.run("state-restore")
    assert run.code == 0 and "resources" in run.text, run.text[-6000:]
    assert not [secret for secret in (PASSPHRASE, SECRET_KEY) if secret in run.text]


@pytest.fixture(scope="module")
def known(stack: RunningStack) -> Known:
    """What is there before the backup."""
    return make_known(stack)


def test_a_backup_is_made_while_the_stack_runs(stack: RunningStack, known: Known, bucket: BucketServer) -> None:
    """Of every part with data; it is at the destination, where neither a name nor a content can be read."""
    run = stack.run("backup")
    assert run.code == 0, run.text[-6000:]
    listed = stack.run("backups", "--json")
    found = json.loads(listed.text[listed.text.index("{") :])
    assert listed.code == 0 and found["unknown"] == {}
    assert {name: len(copies) for name, copies in found["backups"].items()} == {
        **dict.fromkeys(PARTS, 1),
        STATE: 2,  # the first is of the end of `up`
    }
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


def test_a_drill_restores_into_another_stack(stack: RunningStack, known: Known, bucket: BucketServer) -> None:
    """What that one answers about the past is the same, and it is gone afterwards; the stack itself is left alone."""
    made_ready(stack)
    before, stored = stack.identities(), set(bucket.keys())
    run = stack.run("drill", timeout=900)
    assert run.code == 0, run.text.partition("== compare")[2][:3000] or run.text[-6000:]
    for part in ("prometheus", "loki", "alertmanager"):
        assert re.search(rf"{part}: \d+ answers, all the same", run.text), run.text[-3000:]
    assert stack.identities() == before and set(bucket.keys()) == stored
    other: dict[str, Any] = {"label": f"io.observability.stack={stack.name}-drill"}
    assert stack.client.containers.list(all=True, filters=other) == stack.client.volumes.list(filters=other) == []


def test_a_drill_says_that_a_backup_is_not_whole(stack: RunningStack, known: Known, bucket: BucketServer) -> None:
    """A content that is lost at the destination is named, and the drill's own stack is removed all the same."""
    (largest,) = sorted(bucket.keys(), key=lambda key: len(bucket.read(key)))[-1:]
    content = bucket.read(largest)
    bucket.remove(largest)
    try:
        run = stack.run("drill", timeout=900)
    finally:
        bucket.write(largest, content)
    assert run.code == 1 and "is not whole" in run.text and "the drill failed: restore" in run.text, run.text[-3000:]
    assert stack.client.volumes.list(filters={"label": f"io.observability.stack={stack.name}-drill"}) == []


def test_a_stack_that_runs_is_not_restored_into(stack: RunningStack, known: Known) -> None:
    """It is refused before anything is touched."""
    before = stack.identities()
    run = stack.run("restore", "--from", "latest")
    assert run.code == 2 and "the stack runs" in run.text
    run = stack.run("state-restore")
    assert run.code == 2 and "has a state already" in run.text, run.text[-3000:]
    assert stack.identities() == before


def test_a_state_that_stayed_is_not_copied_again(stack: RunningStack, known: Known, bucket: BucketServer) -> None:
    """A run that changes nothing leaves the destination alone; one that changes something adds a copy."""
    # a busy machine may have made something unwell, which a run then makes again
    eventually(lambda: unchanged(stack.up().text), timeout=300, what="a run that changes nothing")
    before = set(bucket.keys())
    assert STATE not in stack.up().text and set(bucket.keys()) == before
    stack.edit_settings(lambda config: config.update(alertmanager={**config["alertmanager"], "retention": "121h"}))
    assert STATE in stack.up().text and set(bucket.keys()) > before


def test_volumes_with_data_are_not_restored_into(stack: RunningStack, known: Known) -> None:
    """Each is named, and stays as it is; the next `make up` finds its data."""
    assert stack.run("down").code == 0
    run = stack.run("restore", "--from", "latest")
    assert run.code == 2 and all(f"{stack.name}-{part}-data of {part} is not empty" in run.text for part in PARTS)


def test_a_restore_brings_everything_back(stack: RunningStack, known: Known) -> None:
    """After containers, volumes and Pulumi's state are gone: sums of all metrics, lines, silences, and passwords."""
    stack.up()
    passwords = stack.password("grafana-admin-password")
    stack.clear()
    shutil.rmtree(stack.state)
    label = {"label": f"io.observability.stack={stack.name}"}
    assert stack.client.volumes.list(filters=label) == stack.containers() == []
    set_secrets(stack)
    restore_state(stack)
    run = stack.run("restore", "--from", "latest")
    assert run.code == 0 and "All is there" in run.text, run.text[-6000:]
    assert stack.containers() == []  # what restored it is gone
    stack.up()
    check_known(stack, known)
    assert stack.password("grafana-admin-password") == passwords
    assert stack.run("drift").code == 0  # volumes are as the target makes them


def test_no_secret_is_seen(stack: RunningStack) -> None:
    """Neither in what the engine shows of containers nor in their lines."""
    shown = [where for where, text in stack.shown() if PASSPHRASE in text or SECRET_KEY in text]
    assert shown == []
