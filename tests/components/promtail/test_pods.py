"""What Promtail sees of a node."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from components.lines.settings import PODS_DIR
from tests.support.planned import workload
from tests.support.systems import plan_cluster


def mounted(folder: Path, **settings: Any) -> dict[str, str]:
    """What Promtail sees of a node, by the path that it sees it at."""
    plan = plan_cluster(folder, settings={"promtail": json.dumps(settings)})
    return {mount.path: mount.source for mount in workload(plan, "promtail").host_mounts}


def test_links_lead_to_what_is_mounted(tmp_path: Path) -> None:
    """Files of Docker's containers are seen where the links say; without such nodes nothing of them is."""
    assert mounted(tmp_path / "a") == {PODS_DIR: PODS_DIR}
    folder = "/var/lib/docker/containers"
    assert mounted(tmp_path / "b", dockerFolder=folder) == {PODS_DIR: PODS_DIR, folder: folder}
