"""Measurements of a stack that really runs: deploying, changing and alerting, each beside a peer or a limit."""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast

import yaml
from docker.models.containers import Container

from bench.bench_stack import NAME, BenchStack
from bench.report import Row, measure_cost, measure_seconds, wait_until
from cli import verify
from cli.engine import execute_command
from cli.workspace import Workspace
from model.base import parse_duration
from model.naming import LABEL
from model.plan import Plan
from model.workload import MIB

EDIT_LIMIT = 10.0
"""Seconds after `up` within which a changed rule must be live."""
EDIT_SECONDS = 1.0
"""How much longer than an `up` without a change it may take from the start of `up` until a changed rule is live."""
TIMES_EMPTY = 4.0
"""How many times the cost of an empty program a preview without a change may have."""
UP_SECONDS = 2.0
"""How much longer than a preview an `up` without a change may take."""
DEPLOYER_BYTES = 300 * MIB
"""The most memory that a process of a run may have."""
TIMES_PROCESSES = 1.05
"""How many times the memory of its processes the idle stack may have."""
_RULES = f"{verify.PROMETHEUS}/api/v1/rules?type=alert"
_WEBHOOK = "http://127.0.0.1:8080/demo/webhook"


def measure_cold_start(stack: BenchStack, runs: int) -> Iterator[Row]:
    """A deployment from nothing, beside the same containers started by a plain script."""
    stack.up()  # brings the images
    every = []
    for _ in range(runs):
        stack.down()
        phases = stack.up()
        every.append(phases["pulumi up"] + phases["health"])
    seconds = statistics.median(every)
    plain = measure_seconds(lambda: start_by_hand(stack))
    yield Row(
        "cold up, images present", f"{seconds:.1f} s", f"the same containers by a plain script {plain:.1f} s", runs
    )
    stack.down()
    stack.up()


def start_by_hand(stack: BenchStack) -> None:
    """Removes the services' containers, starts the same again one after the other, and waits for their health.

    Their volumes are there already, so the script has less to do than `up`.
    """
    planned = [workload.name for workload in stack.plan.list_workloads()]
    containers = sorted(
        verify.list_services(stack.client, NAME), key=lambda c: planned.index(c.labels[f"{LABEL}.workload"])
    )
    for container in reversed(containers):
        container.remove(force=True)
    for container in containers:
        stack.client.api.start(_recreate_container(stack, container))
    verify.wait_healthy(stack.client, NAME, timeout=180)


def _recreate_container(stack: BenchStack, container: Container) -> str:
    attrs = container.attrs
    networks = {
        name: {"Aliases": network.get("Aliases")} for name, network in attrs["NetworkSettings"]["Networks"].items()
    }
    config = {**attrs["Config"], "HostConfig": attrs["HostConfig"], "NetworkingConfig": {"EndpointsConfig": networks}}
    api: Any = stack.client.api
    return str(api.create_container_from_config(config, str(container.name))["Id"])


def measure_no_change(stack: BenchStack, runs: int) -> Iterator[Row]:
    """`preview` and `up` of a stack that is as it should be, beside Python programs without and with resources.

    Each is the whole command with all that it starts. A first `up` is not counted: what it deploys is looked at anew.
    """
    stack.up()
    count = len(stack.space.export_state()["deployment"]["resources"])
    with tempfile.TemporaryDirectory() as folder:
        empty = build_peer_program(Path(folder) / "empty", stack.space.env, 0)
        trivial = build_peer_program(Path(folder) / "trivial", stack.space.env, count)
        none = measure_cost(lambda: _run_pulumi(empty, "preview"), runs)
        many = measure_cost(lambda: _run_pulumi(trivial, "preview"), runs)
        shown = measure_cost(lambda: stack.run_command("preview"), runs)
        done = measure_cost(lambda: stack.run_command("up"), runs)
    yield _judge_preview("wall clock", [cost.wall for cost in (shown, none, many)], count, runs)
    yield _judge_preview("processor time", [cost.cpu for cost in (shown, none, many)], count, runs)
    limit = shown.wall + UP_SECONDS
    beside = f"limit {limit:.1f} s, preview + {UP_SECONDS:.0f}"
    yield Row("up without a change", f"{done.wall:.1f} s", beside, runs, done.wall <= limit)


def _judge_preview(what: str, seconds: Sequence[float], count: int, runs: int) -> Row:
    full, least, peer = seconds
    measured = f"{full:.1f} s = {full / least:.1f} x"
    beside = f"empty program {least:.1f} s x {TIMES_EMPTY:.0f}; one of {count} trivial resources {peer:.1f} s"
    return Row(f"preview without a change, {what}", measured, beside, runs, full <= TIMES_EMPTY * least)


def _run_pulumi(space: Workspace, *args: str) -> None:
    space.run_pulumi(*args, "--stack", space.stack, "--expect-no-changes", capture=True)


def build_peer_program(folder: Path, env: Mapping[str, str], resources: int) -> Workspace:
    """A Pulumi program with so many resources that ask nobody for anything, deployed once."""
    (folder / "backend").mkdir(parents=True)
    (folder / "Pulumi.yaml").write_text("name: peer\nruntime: python\n", encoding="utf-8")
    program = f"import pulumi_random\nfor n in range({resources}): pulumi_random.RandomId(f'id-{{n}}', byte_length=8)\n"
    (folder / "__main__.py").write_text(program if resources else "", encoding="utf-8")
    space = Workspace("peer", folder, {**env, "PULUMI_BACKEND_URL": f"file://{folder / 'backend'}"}, local=True)
    space.run_pulumi("stack", "init", "peer", capture=True)
    space.run_pulumi("up", "--yes", "--skip-preview", "--stack", "peer", capture=True)
    return space


def measure_edits(stack: BenchStack, runs: int) -> Iterator[Row]:
    """From the start of `up` with one more alert, and from its end, to Prometheus' own list of rules.

    The limit is what an `up` without a change takes in the same run. A first one is not counted.
    """
    stack.up()
    same = statistics.median(measure_seconds(stack.up) for _ in range(runs))
    every = [_measure_edit(stack, f"BenchEdit{number}") for number in range(runs)]
    live, whole = (statistics.median(column) for column in zip(*every, strict=True))
    late = statistics.median(max(0.0, seen - ended) for seen, ended in every)
    limit = same + EDIT_SECONDS
    beside = f"limit {limit:.1f} s, up without a change + {EDIT_SECONDS:.0f}; the whole up {whole:.1f} s"
    yield Row("rule edit -> live, from the start", f"{live:.1f} s", beside, runs, live <= limit)
    yield Row("rule edit -> live, from the end", f"{late:.1f} s", f"limit {EDIT_LIMIT:.0f} s", runs, late <= EDIT_LIMIT)


def _measure_edit(stack: BenchStack, name: str) -> tuple[float, float]:
    """Seconds from the start of `up` until the rule is live, and until the command has ended."""
    stack.add_alert(name)
    began = time.monotonic()
    with ThreadPoolExecutor(1) as pool:
        run = pool.submit(measure_seconds, stack.up)
        try:
            wait_until(
                lambda: name in verify.fetch_url(stack.client, NAME, "prometheus", _RULES), timeout=120, what=name
            )
            seconds = time.monotonic() - began
        finally:
            whole = run.result()  # why it failed, where it did
    return seconds, whole


def measure_alerting(stack: BenchStack) -> Iterator[Row]:
    """From a service that goes down to the notification, beside the longest that its settings allow."""
    service, port = next((name, s.port) for name, s in stack.plan.system.services.items() if "http" in s.packs)
    parts = compute_notification_limit(stack.plan)
    limit = sum(parts.values())
    _send_request(stack, "demo-webhook", 8080, "DELETE", "/demo/webhook")

    def is_notified() -> bool:
        notes = json.loads(verify.fetch_url(stack.client, NAME, "demo-webhook", _WEBHOOK))["notifications"]
        every = [alert for note in notes for alert in note["payload"]["alerts"] if alert["status"] == "firing"]
        labels = [alert["labels"] for alert in every]
        return any(
            label_set["alertname"] == "TargetDown" and label_set.get("service") == service for label_set in labels
        )

    began = time.monotonic()
    _send_request(stack, service, port, "PUT", "/demo/faults/down")
    try:
        wait_until(is_notified, timeout=2 * limit, what=f"a notification that {service} is down")
        seconds = time.monotonic() - began
    finally:
        _send_request(stack, service, port, "DELETE", "/demo/faults")
    shown = " + ".join(f"{name} {value:.0f}" for name, value in parts.items())
    yield Row("target down -> notification", f"{seconds:.1f} s", f"limit {limit:.0f} s = {shown}", 1, seconds <= limit)


def compute_notification_limit(plan: Plan) -> dict[str, float]:
    """The longest time in seconds from a failed target to its notification, by part.

    The next scrape sees it, the next evaluation starts the alert's `for`, the first evaluation after that fires it, and
    Alertmanager waits for the group.
    """
    for_ = next(a.for_ for g in plan.telemetry.rules for a in g.alerts if a.name == "TargetDown")
    files = {w.name: w.config.files for w in plan.list_workloads() if w.config}
    evaluation = yaml.safe_load(files["prometheus"]["prometheus.yml"])["global"]["evaluation_interval"]
    route = yaml.safe_load(files["alertmanager"]["alertmanager.yml"])["route"]
    return {
        "scrape": parse_duration(plan.settings.scrape_interval),
        "evaluation": 2 * parse_duration(evaluation),
        "for": parse_duration(for_),
        "group wait": max(parse_duration(wait) for wait in _list_group_waits(route, "30s")),
        "delivery": 2.0,
    }


def _list_group_waits(route: Mapping[str, Any], inherited: str) -> list[str]:
    own = str(route.get("group_wait", inherited))
    return [own, *(wait for child in route.get("routes") or () for wait in _list_group_waits(child, own))]


def _send_request(stack: BenchStack, workload: str, port: int, method: str, path: str) -> None:
    """A request without a body, made inside the workload's own container."""
    lines = f"{method} {path} HTTP/1.0\\r\\nHost: {workload}\\r\\nContent-Length: 0\\r\\n\\r\\n"
    script = f"/tools/busybox printf '{lines}' | /tools/busybox nc 127.0.0.1 {port}"
    code, answer = execute_command(
        stack.client.containers.get(f"{NAME}-{workload}"), ["/tools/busybox", "sh", "-c", script]
    )
    if code or " 200 " not in answer.partition("\n")[0]:
        raise RuntimeError(f"{method} {path} of {workload}: {answer[:200]}")


def measure_memory(stack: BenchStack) -> Iterator[Row]:
    """Memory of each container as its engine counts it, without the page cache that can be given back.

    All together have little more than their processes: the rest would be a cache that nobody gives back.
    """
    containers = verify.list_services(stack.client, NAME)
    every = 0
    for container in containers:
        stats = cast(dict[str, Any], container.stats(stream=False))["memory_stats"]
        used = compute_working_set(stats)
        every += used
        limit = int(container.attrs["HostConfig"]["Memory"])
        name = container.labels[f"{LABEL}.workload"]
        share = f"limit {limit / MIB:.0f} MiB, {used / limit:.0%} of it"
        yield Row(f"memory of {name}", f"{used / MIB:.0f} MiB", share, 1, used < limit)
    processes = sum(_read_resident(int(row[1])) for container in containers for row in container.top()["Processes"])
    beside = f"their processes {processes / MIB:.0f} MiB x {TIMES_PROCESSES:g}"
    yield Row("memory of all", f"{every / MIB:.0f} MiB", beside, 1, every <= TIMES_PROCESSES * processes)


def measure_deployer(stack: BenchStack) -> Iterator[Row]:
    """The most memory that one of the processes of a preview has: the command with the program, Pulumi, a provider.

    A process of its own waits for them, as the kernel tells the peak of all that one has ever waited for.
    """
    peak = stack.measure_peak("preview")
    beside = f"limit {DEPLOYER_BYTES / MIB:.0f} MiB"
    yield Row("memory of the deployer", f"{peak / MIB:.0f} MiB", beside, 1, peak <= DEPLOYER_BYTES)


def _read_resident(pid: int) -> int:
    """Bytes of memory of a process, of what it shares with others its part.

    Format: https://docs.kernel.org/filesystems/proc.html, smaps_rollup.
    """
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    return 1024 * sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def compute_working_set(stats: Mapping[str, Any]) -> int:
    """Bytes in use without inactive page cache, from cgroup v1 or v2 figures."""
    detail = stats.get("stats", {})
    return int(stats["usage"]) - int(detail.get("total_inactive_file", detail.get("inactive_file", 0)))
