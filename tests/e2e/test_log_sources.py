"""Whose lines are, and where those of pods lie, by the very agents that are deployed."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from components.collector.pod_links import CONFIG_HASH
from components.lines.sources import COMPOSE, CONTAINER
from tests.components.promtail.plans import config
from tests.support.line_agents import AGENTS
from tests.support.pushed import read_files
from tests.support.systems import plan_cluster, plan_shop

TIME = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
"""Now: lines that are older than a week are not sent."""
LOGGED = json.dumps({"level": "error", "msg": "broken"})
DOCKER = {"log": f"{LOGGED}\n", "stream": "stderr", "time": TIME}
COUNTED = {"log": "plain words\n", "stream": "stdout", "attrs": {"tag": "a"}, "time": TIME}
OWN = json.dumps({"log": "a field of the program", "level": "warn"})
LINES = {
    "error": (f"{TIME} stderr F {LOGGED}", LOGGED, "error"),
    "plain": (f"{TIME} stdout F plain", "plain", None),
    "own field": (f"{TIME} stdout F {OWN}", OWN, "warn"),
    "docker": (json.dumps(DOCKER, separators=(",", ":")), LOGGED, "error"),
    "docker with attributes": (json.dumps(COUNTED, separators=(",", ":")), "plain words", None),
}
"""What stands in a file, the line that is left of it, and its level."""


def read_pod(agent: str, folder: Path, text: str, **annotations: str) -> dict[str, str]:
    """The labels of one line of a pod, and the line."""
    plan = plan_cluster(folder / "plan", settings={"logs": json.dumps({"agent": agent})})
    meta = {"namespace": "shop", "name": "api-1", "uid": "u-1", "labels": {"app": "api"}, "annotations": annotations}
    return AGENTS[agent].read_pod(folder, plan, {"metadata": meta, "spec": {"containers": [{"name": "main"}]}}, text)


@pytest.mark.parametrize("agent", AGENTS)
@pytest.mark.parametrize(("written", "line", "level"), LINES.values(), ids=LINES)
def test_a_line_is_what_the_program_wrote(
    tmp_path: Path, agent: str, written: str, line: str, level: str | None
) -> None:
    """Whether the runtime is Docker or another one, which a cluster may have both of; fields and level follow."""
    made = read_pod(agent, tmp_path, written)
    assert made["line"] == line and made.get("level") == level
    assert made.items() >= {
        "service": "api", "app": "api", "container": "main", "namespace": "shop", "pod": "api-1",
        "job": "containerlogs", "filename": f"{tmp_path}/pods/shop_api-1_u-1/main/0.log",
    }.items()  # fmt: skip
    assert made["stream"] in ("stdout", "stderr")


@pytest.mark.parametrize("agent", AGENTS)
def test_static_pods_lie_under_their_hash(tmp_path: Path, agent: str) -> None:
    """The folder of a pod that a kubelet starts by itself has the hash of its file in its name, and no uid."""
    made = read_pod(agent, tmp_path, f"{TIME} stdout F up", **{CONFIG_HASH: "h-2"})
    assert made["line"] == "up" and made["service"] == "api"
    assert made["filename"] == f"{tmp_path}/pods/shop_api-1_h-2/main/0.log"


def test_parts_of_a_line_are_one_entry(tmp_path: Path) -> None:
    """A runtime writes 16 KiB of a line at a time, and those of the other stream between them."""
    parts = (f"{TIME} stdout P one ", f"{TIME} stdout P two ", f"{TIME} stdout F three")
    assert read_pod("collector", tmp_path, "\n".join(parts))["line"] == "one two three"


def test_promtail_itself_names_lines_so(tmp_path: Path) -> None:
    """The process that is deployed gives lines of containers the service that the rules say."""
    system = {"services.api.logs": {"compose": "shop/backend"}, "services.user_service": {"port": 1}}
    job = config(tmp_path / "plan", {**system, "services.worker.logs": {"container": "jobs"}})["scrape_configs"][0]
    targets = {
        "one": {f"{COMPOSE}project": "shop", f"{COMPOSE}service": "backend", f"{CONTAINER}name": "/shop-backend-1"},
        "two": {f"{COMPOSE}project": "depot", f"{COMPOSE}service": "backend", f"{CONTAINER}name": "/depot-backend-1"},
        "three": {f"{CONTAINER}name": "/jobs"},
        "four": {f"{CONTAINER}name": "/user-service"},
    }
    for line in targets:
        (tmp_path / line).write_text(f"{line}\n", encoding="utf-8")
    given = [{**labels, "__path__": str(tmp_path / line)} for line, labels in targets.items()]
    made = read_files(tmp_path, job, given, len(targets))
    named = {line: labels["service"] for line, labels in made.items()}
    assert named == {"one": "api", "two": "backend", "three": "worker", "four": "user_service"}
    assert all(labels["job"] == "containerlogs" for labels in made.values())


@pytest.mark.parametrize("agent", AGENTS)
def test_lines_of_a_file_are_the_services_own(tmp_path: Path, agent: str) -> None:
    """They have its name, its labels and its level, by the process that is deployed; the file's own job stays."""
    logs = {"file": "nginx", "format": "logfmt", "levelField": "sev", "labels": ["level", "zone"]}
    entry = {"path": "/var/log/nginx/*.log", "job": "nginx", "labelFields": ["level", "team"]}
    chosen = {"logs": json.dumps({"agent": agent})}
    plan = plan_shop(tmp_path / "plan", {"services.api.logs": logs, "hostLogs": [entry]}, chosen)
    (tmp_path / "access.log").write_text("sev=warn zone=a team=b msg=x\n", encoding="utf-8")
    shown = AGENTS[agent].read_host_log(tmp_path, plan, "nginx")
    assert shown.items() >= {
        "job": "nginx", "service": "api", "level": "warn", "zone": "a", "team": "b",
    }.items()  # fmt: skip
    assert shown["filename"] == str(tmp_path / "access.log")
