"""A real Prometheus with the documents of a large system: what it takes to load them, and to evaluate their rules.

It listens on loopback, has a history that was written before it started, and scrapes addresses of loopback alone.
"""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from bench.growth import build_plan
from bench.report import Row, wait_until
from cli.workspace import ROOT
from model.base import parse_duration
from model.plan import Plan
from model.workload import MIB
from packs.slo import FAST_INTERVAL
from packs.slo_alerts import SLOW_INTERVAL

LOADED = (1_000, 100)
"""Services, and targets of each, whose documents are loaded."""
EVALUATED = (3_000, 2)
"""The same of the system whose rules are evaluated; a third of the services has an objective."""
RULE_SHARE = 0.2
"""The part of its interval that the evaluation of a group may take."""
LOAD_LIMIT = 60.0
"""Seconds within which all targets are known: what people wait for after a restart."""
_ADDRESS = re.compile(r"\b10\.(\d+\.\d+\.\d+):8080")
"""Of a service, as `bench.growth` makes it: the model refuses loopback, where a container finds itself alone."""
_STATUSES = ("200", "201", "404", "500", "503")
_SCRAPE = 15
_REQUESTS = 600
"""Seconds of requests before now: twice what the rate of the rules looks at."""
_SHORT, _LONG = 6 * 3600, 14 * 86400
"""Seconds that the longest windows over quick and over slow recordings look at."""


@dataclass(frozen=True)
class Prometheus:
    """A process that answers at `address`."""

    address: str
    process: subprocess.Popen[bytes]

    def ask(self, path: str) -> Any:
        """The data that its API answers to a path with its query."""
        with urllib.request.urlopen(f"{self.address}/api/v1/{path}", timeout=60) as answer:  # noqa: S310 - loopback
            return json.load(answer)["data"]

    def get(self, path: str, **parameters: str) -> Any:
        """The data that its API answers to a path with these parameters."""
        return self.ask(f"{path}?{urllib.parse.urlencode(parameters)}")

    def is_ready(self) -> bool:
        """Whether it serves queries.

        Raises:
            RuntimeError: the process has ended.
        """
        if self.process.poll() is not None:
            raise RuntimeError(f"Prometheus has ended with {self.process.returncode}")
        try:
            with urllib.request.urlopen(f"{self.address}/-/ready", timeout=5) as answer:  # noqa: S310 - loopback
                return bool(answer.status == 200)
        except OSError:
            return False

    def count_targets(self) -> int:
        """How many targets of the system's services it knows."""
        active = self.get("targets", state="active")["activeTargets"]
        return sum(target["labels"]["service"].startswith("service-") for target in active)

    def list_groups(self) -> list[dict[str, Any]]:
        """Its groups of rules, as https://prometheus.io/docs/prometheus/latest/querying/api/#rules describes them."""
        return list(self.get("rules", **{"exclude_alerts": "true"})["groups"])

    def count_series(self, selector: str) -> int:
        """How many series a selector finds now."""
        result = self.get("query", query=f"count({selector})")["result"]
        return int(result[0]["value"][1]) if result else 0

    def read_memory(self) -> int:
        """Resident memory in bytes."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")) * 1024


@contextmanager
def run_prometheus(documents: Mapping[str, str], folder: Path) -> Iterator[Prometheus]:
    """Prometheus with these documents, whose data is below `folder`; ready, and ended at the end.

    Raises:
        RuntimeError: it ends, or does not become ready within two minutes; what it logged is in `folder`/log.
    """
    for name, text in documents.items():
        path = folder / "config" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    command = [
        _get_program("prometheus"), f"--config.file={folder}/config/prometheus.yml",
        f"--storage.tsdb.path={folder}/data", "--storage.tsdb.retention.time=60d", f"--web.listen-address={address}",
    ]  # fmt: skip
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        made = Prometheus(f"http://{address}", process)
        wait_until(made.is_ready, timeout=120, what="Prometheus is ready")
        yield made
    finally:
        process.kill()  # an orderly end waits for a hundred thousand scrapes, and there is nothing to store
        process.wait()


@cache
def _get_program(name: str) -> str:
    """The path of a program of the deployed version."""
    command = [sys.executable, "-m", "toolchain", "validator", "--pinned", name]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def list_documents(plan: Plan) -> Mapping[str, str]:
    """The documents of the plan's Prometheus by their path; its services are on loopback, where nobody answers."""
    (config,) = (each.config for each in plan.list_workloads() if each.name == "prometheus")
    return {path: _ADDRESS.sub(r"127.\1:8080", text) for path, text in config.files.items()} if config else {}


# -- loading ---------------------------------------------------------------------------------------------------------


def measure_loading() -> Iterator[Row]:
    """The documents of the largest system, from the start of Prometheus until it knows every target and rule."""
    services, instances = LOADED
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        plan = build_plan(services, folder / "project", instances, scrapeInterval="1m")
        rules = sum(len(group.alerts) + len(group.recordings) for group in plan.telemetry.rules)
        began = time.monotonic()
        with run_prometheus(list_documents(plan), folder) as prometheus:
            every = services * instances
            wait_until(lambda: prometheus.count_targets() == every, timeout=300, what=f"{every} targets are known")
            seconds = time.monotonic() - began
            known = sum(len(group["rules"]) for group in prometheus.list_groups())
            memory = prometheus.read_memory()
    yield Row(
        f"Prometheus: {every} targets and {known} rules loaded",
        f"{seconds:.1f} s, {memory / MIB:.0f} MiB",
        f"limit: {LOAD_LIMIT:.0f} s, {rules} rules",
        good=known == rules and seconds <= LOAD_LIMIT,
    )


# -- rules -----------------------------------------------------------------------------------------------------------


def measure_rules() -> Iterator[Row]:
    """How long the rules of all objectives take once every window of theirs is full of samples."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        plan = build_plan(EVALUATED[0], folder / "project", EVALUATED[1], scrapeInterval="1m")
        keys = [(item.key, item.service, item.window) for item in plan.system.objectives]
        write_history(plan, keys, folder / "data", time.time())
        groups = {f"{plan.system.name}-slo": FAST_INTERVAL, f"{plan.system.name}-slo-long": SLOW_INTERVAL}
        with run_prometheus(list_documents(plan), folder) as prometheus:
            for result in ("slo:error_ratio:rate6h", "slo:error_ratio:window"):
                wait_until(
                    lambda result=result: prometheus.count_series(result) >= len(keys),  # type: ignore[misc]
                    timeout=parse_duration(SLOW_INTERVAL) * 2,
                    what=f"{result} of {len(keys)} objectives",
                )
            seconds = {group["name"]: float(group["evaluationTime"]) for group in prometheus.list_groups()}
    for group, interval in groups.items():
        limit = parse_duration(interval) * RULE_SHARE
        yield Row(
            f"evaluate {group}, {len(keys)} objectives",
            f"{seconds[group]:.2f} s every {interval}",
            f"limit: {limit:.0f} s, {RULE_SHARE:.0%} of the interval",
            good=0 < seconds[group] <= limit,
        )


def write_history(plan: Plan, objectives: Iterable[tuple[str, str, str]], data: Path, now: float) -> None:
    """Writes blocks that hold what the rules of objectives look back on: (key, service, window) each.

    Format: https://prometheus.io/docs/prometheus/latest/storage/#backfilling-from-openmetrics-format.
    """
    every = list(objectives)
    labels = f'system="{plan.system.name}",environment="{plan.stack}"'
    marks = [f'slo="{key}",window="{window}",service="{service}",{labels}' for key, service, window in every]
    texts = {
        "requests": _list_requests([f'service="{service}",{labels}' for _, service, _ in every], now),
        "quick": _list_recordings(marks, ("_seen", "", "_failed"), "", _list_times(now, FAST_INTERVAL, _SHORT)),
        "slow": _list_recordings(marks, ("", "_failed"), "_sampled", _list_times(now, SLOW_INTERVAL, _LONG)),
    }
    for name, lines in texts.items():
        path = data.parent / f"{name}.txt"
        with path.open("w", encoding="ascii") as file:
            file.writelines(f"{line}\n" for line in lines)
            file.write("# EOF\n")
        command = [_get_program("promtool"), "tsdb", "create-blocks-from", "openmetrics", "--quiet"]
        subprocess.run([*command, "--max-block-duration=384h", path, data], check=True, capture_output=True)
        path.unlink()


def _list_requests(services: Iterable[str], now: float) -> Iterator[str]:
    """Counters of the last minutes, of all instances and statuses of each service."""
    yield "# TYPE http_requests counter"
    for labels in services:
        for instance in range(EVALUATED[1]):
            for number, status in enumerate(_STATUSES):
                series = f'http_requests_total{{instance="{instance}",status="{status}",route="/",{labels}}}'
                for at in range(int(now) - _REQUESTS, int(now) + 1, _SCRAPE):
                    yield f"{series} {(at % 10_000_000) * (len(_STATUSES) - number)} {at}"


def _list_recordings(marks: Iterable[str], kinds: Iterable[str], suffix: str, times: Iterable[int]) -> Iterator[str]:
    """What the rules would have recorded at these times (Unix time)."""
    every = list(marks)
    for kind in kinds:
        yield f"# TYPE slo:requests{kind}:rate5m{suffix} gauge"
        value = 0.01 if kind == "_failed" else 10
        for mark in every:
            for at in times:
                yield f"slo:requests{kind}:rate5m{suffix}{{{mark}}} {value} {at}"


def _list_times(now: float, step: str, seconds: int) -> range:
    """The times of so many seconds until now, a `step` apart."""
    return range(int(now) - seconds, int(now) + 1, int(parse_duration(step)))
