"""Things break, and the stack comes back without losing what it had."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import time
import uuid
from functools import partial
from typing import Any

import pytest

from tests.e2e.test_no_change import unchanged
from tests.support.running import RunningStack
from tests.support.waiting import eventually


def _set_query_timeout(timeout: str, config: dict[str, Any]) -> None:
    config["prometheus"]["queryTimeout"] = timeout


def _well(stack: RunningStack) -> None:
    def healthy() -> bool:
        states = [c.attrs["State"].get("Health", {}).get("Status") for c in stack.containers("service")]
        return set(states) == {"healthy"}

    eventually(healthy, timeout=150, what="all services healthy")


def test_killed_processes_come_back(stack: RunningStack) -> None:
    """SIGKILL of every service's process: all restart by themselves, metrics and logs from before are still there."""
    marker = uuid.uuid4().hex
    stack.http("api", 4000, "POST", "/demo/logs", {"msg": marker, "level": "info"})
    eventually(lambda: stack.loki(f'{{job="containerlogs"}} |= "{marker}"'), timeout=15, what="the marker")
    before = time.time()
    (series,) = eventually(lambda: stack.prom('up{service="api"}[2m]'), timeout=60, what="samples of before")
    samples = len(series["values"])
    started = stack.identities()
    for container in stack.containers("service"):
        os.kill(int(container.attrs["State"]["Pid"]), signal.SIGKILL)
    # an engine takes a moment to notice: until then everything still looks healthy
    eventually(lambda: not set(started.values()) & set(stack.identities().values()), timeout=60, what="new starts")
    _well(stack)
    eventually(lambda: stack.loki(f'{{job="containerlogs"}} |= "{marker}"'), timeout=30, what="the marker again")
    kept = stack.prom(f'up{{service="api"}}[{int(time.time() - before) + 120}s]')[0]["values"]
    assert len([v for v in kept if v[0] < before - 5]) >= samples - 2
    eventually(lambda: len(stack.prom("up == 0")) == 0 and stack.prom("up"), timeout=60, what="every target up")


def test_removed_container_is_put_back(stack: RunningStack) -> None:
    """A container removed by hand is named by `verify`, and created again by the next `make up`, with its data."""
    stack.container("prometheus").remove(force=True)
    stack.container("grafana").stop(timeout=5)
    examined = stack.run("doctor")
    assert examined.code == 1 and re.search(r"(?m)^ *1\. workload (grafana|prometheus) is ", examined.text), (
        examined.text
    )
    seen = stack.run("verify", "--json")
    assert seen.code == 1 and "Traceback" not in seen.text
    report = json.loads(seen.text[seen.text.index("{") :])
    states = {item["workload"]: item["state"] for item in report["workloads"]}
    assert (report["good"], states["prometheus"], states["grafana"]) == (False, "missing", "exited")
    assert f"there is no container {stack.name}-prometheus" in report["unseen"][0]
    run = stack.up()
    assert "created" in run.text or "replaced" in run.text
    oldest = stack.prom("min_over_time(timestamp(up{service='prometheus'})[30m:15s])")
    assert oldest and time.time() - float(oldest[0]["value"][1]) > 30


@pytest.mark.own_engine
def test_engine_restart(stack: RunningStack) -> None:
    """After the engine restarted, with other log defaults in daemon.json, all is back and nothing has changed."""
    restart = stack.engine.restart
    assert restart is not None, "with --engine tcp or ssh the engine is the tests' own"
    restart({"log-driver": "json-file", "log-opts": {"max-size": "1m", "max-file": "2"}})
    try:
        _well(stack)
        run = stack.run("preview")
        assert unchanged(run.text), run.text[-3000:]
    finally:
        restart({})
    _well(stack)
    run = stack.up()
    assert unchanged(run.text), run.text[-3000:]


def test_killed_deployments_converge(stack: RunningStack) -> None:
    """SIGKILL of the deploying processes at five random moments: the next `make up` converges."""
    chance = random.Random(20261121)  # noqa: S311 - repeatable moments, not secrets
    stack.edit_settings(partial(_set_query_timeout, "59s"))
    whole = stack.up().seconds
    for round_ in range(5):
        timeout = f"{60 + round_}s"
        stack.edit_settings(partial(_set_query_timeout, timeout))
        process = stack.start("up")
        moment = chance.uniform(0.1, 0.8) * whole
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(moment)
        stack.kill_run(process)
        print(f"killed after {moment:.1f} s of about {whole:.1f} s")
    stack.up()
    _well(stack)
    run = stack.up()
    assert unchanged(run.text), run.text[-3000:]
