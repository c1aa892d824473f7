"""The agents that read lines, each asked in the same words; what they make of a line is the same."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from components.collector.documents import READ, build_docker_receiver, build_pod_receiver
from components.collector.operators import PATH, build_joined, build_time_operators
from components.collector.pod_links import CONFIG_HASH, POD, Api, PodLinks, list_containers, name_folder
from components.collector.settings import LINKS_DIR
from components.collector.statements import build_groups
from components.lines.files import HOST_DIR
from components.lines.reading import Reading, build_readings
from components.lines.settings import PODS_DIR
from components.promtail.documents import OLD_LINES
from components.promtail.multiline import build_joined as build_joined_stage
from components.promtail.multiline import build_joining_stages
from components.promtail.pipeline import build_stages
from components.promtail.times import build_time_stages
from model.lines import LineFormat, LineTime, Multiline
from model.logs import CONTAINERS, Logs
from model.plan import Plan
from tests.support.collected import collect_lines
from tests.support.planned import document, workload
from tests.support.pushed import Entry, pushed_lines, read_files


class LineAgent(Protocol):
    """An agent as tests use it."""

    def read_service(
        self, folder: Path, services: Mapping[str, Logs], lines: Sequence[str], count: int, service: str
    ) -> list[Entry]:
        """The entries of the lines of a container of one of some services."""

    def read_file(
        self,
        folder: Path,
        time: LineTime,
        line_format: LineFormat,
        lines: Sequence[str],
        count: int,
        *,
        multiline: Multiline | None = None,
    ) -> list[Entry]:
        """The entries of the lines of a file."""

    def read_pod(self, folder: Path, plan: Plan, pod: Mapping[str, Any], text: str) -> dict[str, str]:
        """The labels of the one line of a pod's only container, and the line as `line`."""

    def read_host_log(self, folder: Path, plan: Plan, job: str) -> dict[str, str]:
        """The labels of the one line of access.log in `folder`, which stands for the host's /var/log/<job>."""


class Promtail:
    """The very Promtail that is deployed."""

    def read_service(
        self, folder: Path, services: Mapping[str, Logs], lines: Sequence[str], count: int, service: str
    ) -> list[Entry]:
        """By the stages that containers have."""
        stages = [*build_joining_stages(services), *build_stages(build_readings(services))]
        return pushed_lines(folder, stages, lines, count, service=service)

    def read_file(
        self,
        folder: Path,
        time: LineTime,
        line_format: LineFormat,
        lines: Sequence[str],
        count: int,
        *,
        multiline: Multiline | None = None,
    ) -> list[Entry]:
        """By the stages that files have."""
        joined = [build_joined_stage(multiline, line_format, '{job=~".+"}')] if multiline else []
        read = [*build_stages({}, Reading(format=line_format)), *build_time_stages(time, line_format)]
        return pushed_lines(folder, [*joined, *read, OLD_LINES], lines, count)

    def read_pod(self, folder: Path, plan: Plan, pod: Mapping[str, Any], text: str) -> dict[str, str]:
        """By the job that pods have, with what service discovery knows of the pod."""
        write_pod_line(folder, pod, text)
        job = document(plan, "promtail", "promtail.yml")["scrape_configs"][0]
        moved = json.loads(json.dumps(job).replace(PODS_DIR, str(folder / "pods")))
        (meta,) = list_containers(pod)
        static = pod["metadata"].get("annotations", {}).get(CONFIG_HASH)
        more = {f"{POD}annotation_kubernetes_io_config_hash": static} if static else {}
        ((line, labels),) = read_files(folder, moved, [{**meta, **more}], 1).items()
        return {**labels, "line": line}

    def read_host_log(self, folder: Path, plan: Plan, job: str) -> dict[str, str]:
        """By the job that the file has."""
        jobs = document(plan, "promtail", "promtail.yml")["scrape_configs"]
        (chosen,) = [each for each in jobs if each["job_name"] == job]
        labels = chosen["static_configs"][0]["labels"]
        path = labels["__path__"].replace(f"{HOST_DIR}/var/log/{job}", str(folder))
        ((_, shown),) = read_files(folder, chosen, [{**labels, "__path__": path}], 1).items()
        return shown


class Collector:
    """The very collector that is deployed."""

    def read_service(
        self, folder: Path, services: Mapping[str, Logs], lines: Sequence[str], count: int, service: str
    ) -> list[Entry]:
        """By the document that containers have, from a file as Docker writes it."""
        container = folder / "links" / f"{service},{service},0,abc"
        container.mkdir(parents=True, exist_ok=True)
        file = container / "abc-json.log"
        file.write_text("".join(map(format_docker_line, lines)), encoding="utf-8")
        reader = json.loads(json.dumps(build_docker_receiver(services)).replace(LINKS_DIR, str(folder / "links")))
        labels = {"level", *(name for logs in services.values() for name in logs.labels)}
        groups = build_groups(build_readings(services), Reading())
        hidden = {"container", "since"}
        entries = collect_lines(folder, reader, groups, count, sorted(labels))
        return [
            Entry({name: value for name, value in each.labels.items() if name not in hidden}, *list_rest(each))
            for each in entries
        ]

    def read_file(
        self,
        folder: Path,
        time: LineTime,
        line_format: LineFormat,
        lines: Sequence[str],
        count: int,
        *,
        multiline: Multiline | None = None,
    ) -> list[Entry]:
        """By the operators that files have."""
        folder.mkdir(exist_ok=True)
        file = folder / "lines.log"
        file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        joined = [build_joined(multiline, line_format, within=PATH)] if multiline else []
        reader: dict[str, Any] = {
            "include": [str(file)],
            **READ,
            "include_file_path": True,
            "resource": {"job": CONTAINERS},
            "operators": [*joined, *build_time_operators(time, line_format)],
        }
        return collect_lines(folder, reader, build_groups({}, Reading(format=line_format)), count)

    def read_pod(self, folder: Path, plan: Plan, pod: Mapping[str, Any], text: str) -> dict[str, str]:
        """By the document that pods have, through links that its other program makes."""
        write_pod_line(folder, pod, text)
        config = workload(plan, "collector-links").config
        assert config
        (folder / "links").mkdir()
        rules = {**json.loads(config.files["links.json"]), "pods": str(folder / "pods")}
        PodLinks(folder / "links", rules, _Listed([pod]), "node").refresh(0)
        services = {key: service.logs for key, service in plan.system.services.items()}
        moved = json.dumps(build_pod_receiver(services)).replace(LINKS_DIR, str(folder / "links"))
        reader = json.loads(moved.replace(PODS_DIR, str(folder / "pods")))
        (entry,) = collect_lines(folder, reader, build_groups(build_readings(services), Reading()), 1)
        return {**{name: value for name, value in entry.labels.items() if value}, "line": entry.line}

    def read_host_log(self, folder: Path, plan: Plan, job: str) -> dict[str, str]:
        """By the receiver that the file has, and the statements of its lines."""
        text = json.dumps(document(plan, "collector", "collector.yaml")).replace("$$", "$")
        made = json.loads(text.replace(f"{HOST_DIR}/var/log/{job}", str(folder)))
        processors = made["processors"]
        groups = processors[f"transform/{job}"]["log_statements"][1:]
        labels = processors["groupbyattrs"]["keys"]
        (entry,) = collect_lines(folder, made["receivers"][f"file_log/{job}"], groups, 1, labels)
        return entry.labels


class _Listed(Api):
    """An API server that has listed its pods."""

    def __init__(self, pods: Sequence[Mapping[str, Any]]) -> None:
        super().__init__("")
        self.listed = json.dumps({"metadata": {"resourceVersion": "1"}, "items": pods}).encode()

    @contextmanager
    def get(self, path: str) -> Iterator[Any]:
        """What it answers, whatever is asked."""
        yield io.BytesIO(self.listed)


def write_pod_line(folder: Path, pod: Mapping[str, Any], text: str) -> None:
    """A line of the only container of a pod, where a kubelet has it."""
    (container,) = pod["spec"]["containers"]
    file = folder / "pods" / name_folder(pod) / container["name"] / "0.log"
    file.parent.mkdir(parents=True)
    file.write_text(f"{text}\n", encoding="utf-8")


def list_rest(entry: Entry) -> tuple[datetime, str, dict[str, str]]:
    """All of an entry but its labels."""
    return entry.time, entry.line, entry.beside


def format_docker_line(line: str, stream: str = "stdout") -> str:
    """A line as Docker's driver json-file writes it."""
    time = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f000Z")
    return json.dumps({"log": f"{line}\n", "stream": stream, "time": time}, separators=(",", ":")) + "\n"


AGENTS: Mapping[str, LineAgent] = {"promtail": Promtail(), "collector": Collector()}
