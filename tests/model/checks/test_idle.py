"""Settings of what does not run are refused, and those of what runs are not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from model.errors import ConfigError
from tests.support.systems import plan_cluster, plan_shop

TWO = {key: {"kind": "redis", "address": f"{key}:6379"} for key in ("a", "b")}


def said(folder: Path, section: str, value: dict[str, object], **system: object) -> list[str]:
    """The places of all problems of a shop with this section."""
    with pytest.raises(ConfigError) as caught:
        plan_shop(folder, system, {section: json.dumps(value)})
    return [problem.where for problem in caught.value.problems]


def test_nothing_is_said_of_what_does_not_run(tmp_path: Path) -> None:
    """Without a database or a demo, no setting of an exporter or of stand-ins could mean anything."""
    assert said(tmp_path, "redisExporter", {"memory": "64MiB"}) == ["Pulumi.dev.yaml: redisExporter.memory"]
    assert said(tmp_path, "redisExporter", {"enabled": False}) == ["Pulumi.dev.yaml: redisExporter.enabled"]
    assert said(tmp_path, "demoWorkload", {"requestRate": 5.0}) == ["Pulumi.dev.yaml: demoWorkload.requestRate"]
    assert said(tmp_path, "socketProxy", {"port": 2375}) == ["Pulumi.dev.yaml: socketProxy.port"]


def test_a_port_is_published_once(tmp_path: Path) -> None:
    """One exporter has a port to publish, and of two none could have it."""
    one = {"a": TWO["a"]}
    port = '{"port": 9121}'
    assert plan_shop(tmp_path / "one", {"databases": one}, {"redisExporter": port}).system.name == "shop"
    assert said(tmp_path / "two", "redisExporter", {"port": 9121}, databases=TWO) == [
        "Pulumi.dev.yaml: redisExporter.port"
    ]


def test_kubelets_have_no_container_of_ours(tmp_path: Path) -> None:
    """They can be switched off, but nothing of them is limited here."""
    assert plan_cluster(tmp_path, settings={"kubelet": '{"enabled": false}'}).system.name == "shop"
    with pytest.raises(ConfigError, match=r"kubelet\.memory: has no effect, as nothing of kubelet runs here"):
        plan_cluster(tmp_path, settings={"kubelet": '{"memory": "64MiB"}'})
