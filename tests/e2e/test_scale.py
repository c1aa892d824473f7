"""A system of a thousand services and ten thousand targets: planned, written, and loaded by the real Prometheus."""

from __future__ import annotations

import json
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

from bench import growth
from cli.render import render_documents
from tests.support.systems import plan_shop
from tests.support.waiting import eventually
from toolchain import validators
from toolchain.context import build_default_context

SERVICES, INSTANCES = 1000, 10


def test_prometheus_loads_ten_thousand_targets(tmp_path: Path) -> None:
    """Prometheus takes the documents of such a system, and has every target and every rule of it."""
    began = time.monotonic()
    planned = growth.build_plan(SERVICES, tmp_path / "project", INSTANCES, scrapeInterval="1m")
    texts = render_documents(planned)
    took, size = time.monotonic() - began, sum(map(len, texts.values()))
    rules = sum(len(group.alerts) + len(group.recordings) for group in planned.telemetry.rules)
    counts = f"{SERVICES * INSTANCES} targets, {rules} rules, {len(planned.system.objectives)} objectives"
    largest = max(map(len, texts.values()))
    print(f"{SERVICES} services, {counts}: rendered in {took:.1f} s")
    print(f"{size / 2**20:.1f} MiB in {len(texts)} documents, the largest of {largest / 2**20:.1f} MiB")
    small = growth.count_registrations(growth.build_plan(3, tmp_path / "small"))
    assert growth.count_registrations(planned) == small
    config = tmp_path / "config"
    for name, text in texts.items():
        if name.startswith("prometheus/"):
            path = config / name.removeprefix("prometheus/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    program = validators.ensure_validator(build_default_context(), "prometheus", pinned=True)
    command = [str(program), f"--config.file={config}/prometheus.yml", f"--storage.tsdb.path={tmp_path}/data"]
    api = f"http://127.0.0.1:{port}"
    began = time.monotonic()
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen([*command, f"--web.listen-address=127.0.0.1:{port}"], stdout=log, stderr=log)
    try:
        eventually(lambda: _get(f"{api}/-/ready"), timeout=120, what="Prometheus is ready")
        pools = eventually(lambda: _all_targets(api), timeout=120, what="every target is known")
        loaded = time.monotonic() - began
        groups = json.loads(_get(f"{api}/api/v1/rules"))["data"]["groups"]
        assert sum(len(group["rules"]) for group in groups) == rules
        resident = next(
            line for line in Path(f"/proc/{process.pid}/status").read_text().splitlines() if "VmRSS" in line
        )
        print(
            f"Prometheus: {pools} targets and {rules} rules loaded in {loaded:.1f} s, {resident.split(':')[1].strip()}"
        )
    finally:
        process.terminate()
        process.wait(timeout=60)


def test_a_shop_needs_as_many_resources(tmp_path: Path) -> None:
    """What is counted above is what an ordinary stack registers: its count is no accident of the generated system."""
    assert sum(growth.count_registrations(plan_shop(tmp_path)).values()) > 10


def _get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=30) as answer:  # noqa: S310 - loopback
        return str(answer.read().decode())


def _all_targets(api: str) -> int:
    active = json.loads(_get(f"{api}/api/v1/targets?state=active"))["data"]["activeTargets"]
    count: int = sum(target["labels"]["job"].startswith("service-") for target in active)
    if count != SERVICES * INSTANCES:
        raise LookupError(f"{count} of {SERVICES * INSTANCES}")
    return count
