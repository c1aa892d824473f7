"""`python -m bench.lines --promtail PATH --collector PATH --loki PATH`: what the agents that read lines cost and lose.

Each agent has the document that is deployed, an engine of one container (`bench.engine`) and a real Loki, all on
loopback. First each reads lines that are there already; then lines are written while one agent follows the other. The
collector's figures have in them those of the program that makes its links.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import yaml
from rich.console import Console
from rich.table import Table

from bench.engine import Container, find_number, serve_engine
from bench.report import wait_until
from cli.render import plan_file
from cli.workspace import ROOT
from components.collector.component import DOCKER_SCRIPT, PROGRAM_OPTIONS, RULES
from components.collector.settings import LINKS, LINKS_DIR
from components.otelcol import DATA_DIR
from model.logs import CONTAINERS
from model.plan import Plan
from model.settings import AGENTS
from model.workload import MIB

TICK = 0.05
"""Seconds between two writes of lines that come one after another."""
SILENCE = 20.0
"""Seconds without a new line after which no more are waited for."""
PAGE = 5000
"""Lines that Loki gives at once at most."""
QUERY = f'{{job="{CONTAINERS}"}}'


@dataclass(frozen=True)
class Result:
    """What came of a run: lines lost, listed twice and counted twice, seconds until all were there, and what the agent
    took.

    Loki lists a line once that it has twice in one stream, and its counts over time may have both.
    """

    what: str
    lost: int
    listed: int
    counted: int
    seconds: float
    cpu: float
    memory: int


@dataclass(frozen=True)
class Programs:
    """Paths of the programs."""

    promtail: Path
    collector: Path
    loki: Path


@dataclass(frozen=True)
class Place:
    """Where agents run: a folder, which has how far each has read, the engine and its container, and Loki's URL."""

    folder: Path
    container: Container
    engine: str
    loki: str


def reserve_port() -> int:
    """A port of loopback that nobody has."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def build_plan(agent: str, folder: Path) -> Plan:
    """The stack `dev` with an agent."""
    text = yaml.safe_load((ROOT / "Pulumi.dev.yaml").read_text(encoding="utf-8"))
    text["config"]["observability:logs"] = {"agent": agent}
    file = folder / "Pulumi.dev.yaml"
    file.write_text(yaml.safe_dump(text), encoding="utf-8")
    return plan_file(file, "dev")


def find_documents(plan: Plan, name: str) -> Mapping[str, str]:
    """The documents of a workload, by path."""
    (config,) = [workload.config for workload in plan.list_workloads() if workload.name == name]
    return config.files if config else {}


# -- programs --------------------------------------------------------------------------------------------------------


@contextmanager
def start(command: Sequence[str | Path], folder: Path, name: str) -> Iterator[subprocess.Popen[bytes]]:
    """A program, until the block ends; what it says is in a file of its name."""
    with (folder / f"{name}.txt").open("ab") as said:
        process = subprocess.Popen([str(part) for part in command], stdout=said, stderr=said)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def write_document(folder: Path, name: str, document: Mapping[str, Any]) -> Path:
    """A document as a file."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(yaml.safe_dump(dict(document), sort_keys=False), encoding="utf-8")
    return folder / name


@contextmanager
def start_loki(program: Path, plan: Plan, folder: Path) -> Iterator[str]:
    """The URL of a Loki that has the plan's documents, and is empty."""
    folder.mkdir()
    texts = find_documents(plan, "loki")
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    moved = texts["loki.yaml"].replace(": /loki", f": {folder}/data").replace(": /etc/loki", f": {folder}")
    document = yaml.safe_load(moved)
    document["server"] |= {"http_listen_address": "127.0.0.1", "grpc_listen_address": "127.0.0.1"}
    document["server"] |= {"http_listen_port": reserve_port(), "grpc_listen_port": reserve_port()}
    url = f"http://127.0.0.1:{document['server']['http_listen_port']}"
    with start([program, f"-config.file={write_document(folder, 'loki.yaml', document)}"], folder, "loki"):
        wait_until(lambda: is_ready(url), timeout=120, what=f"Loki; see {folder}/loki.txt")
        yield url


def is_ready(url: str) -> bool:
    """Whether Loki takes lines."""
    try:
        with urllib.request.urlopen(f"{url}/ready", timeout=5) as answer:  # noqa: S310 - loopback
            return int(answer.status) == 200
    except OSError:
        return False


def build_promtail(plan: Plan, place: Place) -> dict[str, Any]:
    """Promtail's document with these addresses."""
    document: dict[str, Any] = yaml.safe_load(find_documents(plan, "promtail")["promtail.yml"])
    document["server"] |= {"http_listen_address": "127.0.0.1", "http_listen_port": reserve_port()}
    document["server"] |= {"grpc_listen_address": "127.0.0.1"}
    document["positions"]["filename"] = str(place.folder / "positions.yaml")
    document["clients"][0]["url"] = f"{place.loki}/loki/api/v1/push"
    (job,) = [each for each in document["scrape_configs"] if each["job_name"] == CONTAINERS]
    job["docker_sd_configs"][0]["host"] = f"tcp://{place.engine}"
    return {**document, "scrape_configs": [job]}


def build_collector(plan: Plan, place: Place) -> dict[str, Any]:
    """The collector's document with these addresses."""
    text = find_documents(plan, "collector")["collector.yaml"]
    text = text.replace(f"{LINKS_DIR}/", f"{place.folder}/links/").replace(DATA_DIR, str(place.folder / "data"))
    document: dict[str, Any] = yaml.safe_load(text)
    receiver, pipeline = f"file_log/{CONTAINERS}", f"logs/{CONTAINERS}"
    document["receivers"] = {receiver: document["receivers"][receiver]}
    document["service"]["pipelines"] = {pipeline: document["service"]["pipelines"][pipeline]}
    document["extensions"]["health_check"]["endpoint"] = f"127.0.0.1:{reserve_port()}"
    document["service"]["telemetry"]["metrics"] = {"level": "none"}
    for exporter in document["exporters"].values():
        exporter["endpoint"] = f"{place.loki}/otlp"
    return document


@contextmanager
def start_agent(agent: str, programs: Programs, place: Place) -> Iterator[list[int]]:
    """The processes of an agent, until the block ends."""
    folder, plan = place.folder, build_plan(agent, place.folder)
    with ExitStack() as running:
        if agent == "promtail":
            file = write_document(folder, "promtail.yml", build_promtail(plan, place))
            command: list[str | Path] = [programs.promtail, f"-config.file={file}"]
            yield [running.enter_context(start(command, folder, agent)).pid]
            return
        file = write_document(folder, "collector.yaml", build_collector(plan, place))
        command = [programs.collector, f"--config=file:{file}", *PROGRAM_OPTIONS]
        links = write_links(plan, place)
        yield [
            running.enter_context(start(each, folder, name)).pid
            for name, each in ((LINKS, links), (agent, command))
        ]  # fmt: skip


def write_links(plan: Plan, place: Place) -> list[str | Path]:
    """What starts the program that makes the collector's links."""
    folder, home = place.folder, place.folder / "program"
    for path, text in find_documents(plan, LINKS).items():
        (home / path).parent.mkdir(parents=True, exist_ok=True)
        (home / path).write_text(text, encoding="utf-8")
    document = json.loads((home / RULES).read_text(encoding="utf-8"))
    document |= {"engine": place.engine, "containers": str(place.container.file.parents[1])}
    (home / RULES).write_text(json.dumps(document), encoding="utf-8")
    (folder / "links").mkdir(exist_ok=True)
    listen = f"127.0.0.1:{reserve_port()}"
    arguments: list[str | Path] = ["run", home / RULES, folder / "links", listen, folder / "positions.yaml"]
    return [sys.executable, "-B", home / DOCKER_SCRIPT, *arguments]


def measure_process(pid: int) -> tuple[float, int]:
    """Seconds of processor time of a process, and the most memory that it had, in bytes.

    Source: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
    """
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    (peak,) = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")]
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"), int(peak) * 1024


# -- Loki ------------------------------------------------------------------------------------------------------------


def ask(loki: str, path: str, **query: Any) -> list[dict[str, Any]]:
    """What Loki answers."""
    with urllib.request.urlopen(f"{loki}/loki/api/v1/{path}?{urlencode(query)}", timeout=60) as answer:  # noqa: S310
        result: list[dict[str, Any]] = json.loads(answer.read())["data"]["result"]
        return result


def count_lines(loki: str) -> int:
    """How many lines Loki has, those that are there twice counted twice."""
    found = ask(loki, "query", query=f"sum(count_over_time({QUERY}[1h]))")
    return int(found[0]["value"][1]) if found else 0


def list_numbers(loki: str, began: float) -> Counter[int]:
    """The numbers of all lines since `began`, in seconds since 1970, and how often each is listed."""
    numbers, first = Counter[int](), int(began * 1e9)
    while True:
        options = {"query": QUERY, "start": first, "end": int((time.time() + 60) * 1e9), "limit": PAGE}
        streams = ask(loki, "query_range", direction="forward", **options)
        page = [(int(moment), line) for stream in streams for moment, line, *_ in stream["values"]]
        numbers.update(find_number(line) for _, line in page)
        if len(page) < PAGE:
            return numbers
        first = max(moment for moment, _ in page) + 1


def wait_for_lines(loki: str, count: int) -> float:
    """When Loki had all lines, or its last one."""
    last, seen = time.monotonic(), 0
    while seen < count and time.monotonic() - last < SILENCE:
        time.sleep(0.5)
        if (now := count_lines(loki)) != seen:
            last, seen = time.monotonic(), now
    return last


# -- runs ------------------------------------------------------------------------------------------------------------


def run_agents(what: str, agents: Sequence[str], programs: Programs, lines: int, seconds: float) -> Result:
    """What becomes of lines that are written within some seconds, by agents of which one follows the other."""
    with ExitStack() as running:
        folder = Path(running.enter_context(tempfile.TemporaryDirectory(prefix="lines")))
        container = Container(folder / "containers")
        engine = running.enter_context(serve_engine(container))
        # Loki has its list of labels where the collector may come
        plan = build_plan("collector", folder)
        loki = running.enter_context(start_loki(programs.loki, plan, folder / "loki"))
        place = Place(folder, container, engine, loki)
        began, clock = time.time(), time.monotonic()
        cpu, memory, ended = 0.0, 0, clock
        if not seconds:
            container.write(lines)
        for number, agent in enumerate(agents, 1):
            with start_agent(agent, programs, place) as processes:
                write_slowly(container, lines * number // len(agents), seconds / len(agents))
                if number == len(agents):
                    ended = wait_for_lines(loki, lines)
                    time.sleep(5)  # what comes twice may come later
                costs = [measure_process(pid) for pid in processes]
            cpu, memory = cpu + sum(each for each, _ in costs), max(memory, sum(most for _, most in costs))
        found, total = list_numbers(loki, began - 60), count_lines(loki)
        return Result(
            what, lines - len(found), found.total() - len(found), total - len(found), ended - clock, cpu, memory
        )


def write_slowly(container: Container, until: int, seconds: float) -> None:
    """Writes lines evenly until there are so many."""
    first, began = container.written, time.monotonic()
    while container.written < until:
        share = min(1.0, (time.monotonic() - began) / seconds) if seconds else 1.0
        container.write(first + int((until - first) * share) - container.written)
        time.sleep(TICK)


def print_results(results: Sequence[Result], console: Console) -> None:
    """Prints the table."""
    table = Table(
        "what", "lost", "listed twice", "counted twice", "all there after", "processor time", "memory", title="Lines"
    )
    for each in results:
        table.add_row(
            each.what, f"{each.lost:,}", f"{each.listed:,}", f"{each.counted:,}", f"{each.seconds:.1f} s",
            f"{each.cpu:.1f} s", f"{each.memory / MIB:.0f} MiB",
        )  # fmt: skip
    console.print(table)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures, and prints a table; 1 where a line was lost or is listed twice."""
    parser = argparse.ArgumentParser(prog="python -m bench.lines", description=(__doc__ or "").partition("\n")[0])
    for name in ("promtail", "collector", "loki"):
        parser.add_argument(f"--{name}", type=Path, required=True, help=f"path of the program {name}")
    parser.add_argument("--lines", type=int, default=100_000)
    parser.add_argument(
        "--seconds", type=float, default=30.0, help="how long lines are written while the agent changes"
    )
    parser.add_argument("--only", choices=("read", "change"), help="one of the two measurements")
    given = parser.parse_args(arguments)
    programs = Programs(given.promtail, given.collector, given.loki)
    results = []
    if given.only != "change":
        results += [run_agents(f"{agent} reads", (agent,), programs, given.lines, 0) for agent in AGENTS]
    if given.only != "read":
        for pair in (AGENTS, AGENTS[::-1]):
            results.append(run_agents(" then ".join(pair), pair, programs, given.lines, given.seconds))
    print_results(results, Console())
    return int(any(each.lost or each.listed for each in results))


if __name__ == "__main__":
    sys.exit(main())
