"""The container that delivers documents."""

from __future__ import annotations

from dataclasses import replace

from model.settings import KubernetesSettings
from model.workload import ConfigDir
from targets.kubernetes import manifests
from targets.kubernetes.shared import ClusterScope
from tests.support.workloads import IMAGES, PLAIN

PLACE = ClusterScope(stack="dev", settings=KubernetesSettings(), images=IMAGES)


def test_an_edited_document_leaves_the_pods_alone() -> None:
    """Only documents that are read at start change the pod template."""
    config = ConfigDir(path="/etc/x", files={"start.yml": "1", "live.yml": "1"}, restart_on=frozenset({"start.yml"}))
    before = manifests.build_controller(PLACE, replace(PLAIN, config=config))
    live = replace(config, files={**config.files, "live.yml": "2", "new.yml": "3"})
    assert manifests.build_controller(PLACE, replace(PLAIN, config=live)) == before
    start = replace(config, files={**config.files, "start.yml": "2"})
    assert manifests.build_controller(PLACE, replace(PLAIN, config=start)) != before
