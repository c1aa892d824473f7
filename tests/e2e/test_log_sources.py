"""Whose lines are, and where those of pods lie, by the very Promtail that is deployed."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from components.lines.sources import COMPOSE, CONTAINER, POD
from components.promtail.settings import PODS_DIR
from tests.components.promtail.plans import config
from tests.support.planned import document
from tests.support.pushed import read_files
from tests.support.systems import plan_cluster

TIME = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
"""Now: lines that are older than a week are not sent."""
HASH = f"{POD}annotation_kubernetes_io_config_hash"
LOGGED = json.dumps({"level": "error", "msg": "broken"})
DOCKER = {"log": f"{LOGGED}\n", "stream": "stderr", "time": TIME}
COUNTED = {"log": "plain words\n", "stream": "stdout", "attrs": {"tag": "a"}, "time": TIME}
OWN = json.dumps({"log": "a field of the program", "level": "warn"})
LINES = (
    (f"{TIME} stderr F {LOGGED}", LOGGED, "error"),
    (f"{TIME} stdout F plain", "plain", None),
    (f"{TIME} stdout F {OWN}", OWN, "warn"),
    (json.dumps(DOCKER, separators=(",", ":")), LOGGED, "error"),
    (json.dumps(COUNTED, separators=(",", ":")), "plain words", None),
)
"""What stands in a file, the line that is left of it, and its level."""


def read_pod(folder: Path, uid: str, text: str, **labels: str) -> dict[str, dict[str, str]]:
    """The labels of one line of a pod whose folder has this uid in its name."""
    file = folder / "pods" / f"shop_api_{uid}" / "main" / "0.log"
    file.parent.mkdir(parents=True)
    file.write_text(f"{text}\n", encoding="utf-8")
    job = document(plan_cluster(folder / "plan"), "promtail", "promtail.yml")["scrape_configs"][0]
    moved = json.loads(json.dumps(job).replace(PODS_DIR, str(folder / "pods")))
    meta = {"__meta_kubernetes_namespace": "shop", f"{POD}container_name": "main", f"{POD}label_app": "api"}
    return read_files(folder, moved, [{**meta, f"{POD}uid": "u-1", **labels}], 1)


@pytest.mark.parametrize(("written", "line", "level"), LINES)
def test_a_line_is_what_the_program_wrote(tmp_path: Path, written: str, line: str, level: str | None) -> None:
    """Whether the runtime is Docker or another one, which a cluster may have both of; fields and level follow."""
    ((shown, labels),) = read_pod(tmp_path, "u-1", written).items()
    assert shown == line and labels.get("level") == level
    assert (labels["service"], labels["container"], labels["namespace"]) == ("api", "main", "shop")
    assert labels["stream"] in ("stdout", "stderr")


def test_static_pods_lie_under_their_hash(tmp_path: Path) -> None:
    """The folder of a pod that a kubelet starts by itself has the hash of its file in its name, and no uid."""
    ((shown, labels),) = read_pod(tmp_path, "h-2", f"{TIME} stdout F up", **{HASH: "h-2"}).items()
    assert shown == "up" and labels["service"] == "api"


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


def test_lines_of_a_file_are_the_services_own(tmp_path: Path) -> None:
    """They have its name, its labels and its level, by the process that is deployed; the file's own job stays."""
    logs = {"file": "nginx", "format": "logfmt", "levelField": "sev", "labels": ["level", "zone"]}
    entry = {"path": "/var/log/nginx/*.log", "job": "nginx", "labelFields": ["level", "team"]}
    job = config(tmp_path / "plan", {"services.api.logs": logs, "hostLogs": [entry]})["scrape_configs"][1]
    labels = job["static_configs"][0]["labels"]
    assert labels["service"] == "api" and labels["__path__"] == "/host/var/log/nginx/*.log"
    (tmp_path / "access").write_text("sev=warn zone=a team=b msg=x\n", encoding="utf-8")
    ((_, shown),) = read_files(tmp_path, job, [{**labels, "__path__": str(tmp_path / "access")}], 1).items()
    assert shown.items() >= {
        "job": "nginx", "service": "api", "level": "warn", "zone": "a", "team": "b",
    }.items()  # fmt: skip
