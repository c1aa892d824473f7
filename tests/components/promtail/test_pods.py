"""Lines of pods, by the very Promtail that is deployed: where they are, and what a runtime puts around them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from components.promtail.settings import PODS_DIR
from components.promtail.sources import POD
from tests.support.planned import document, workload
from tests.support.promtail_runs import read_files
from tests.support.systems import plan_cluster

TIME = "2026-11-29T10:00:00.000000001Z"
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


def mounted(folder: Path, **settings: Any) -> dict[str, str]:
    """What Promtail sees of a node, by the path that it sees it at."""
    plan = plan_cluster(folder, settings={"promtail": json.dumps(settings)})
    return {mount.path: mount.source for mount in workload(plan, "promtail").host_mounts}


def test_links_lead_to_what_is_mounted(tmp_path: Path) -> None:
    """Files of Docker's containers are seen where the links say; without such nodes nothing of them is."""
    assert mounted(tmp_path / "a") == {PODS_DIR: PODS_DIR}
    folder = "/var/lib/docker/containers"
    assert mounted(tmp_path / "b", dockerFolder=folder) == {PODS_DIR: PODS_DIR, folder: folder}
