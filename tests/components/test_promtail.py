"""Promtail: what it reads, and which fields become labels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from model.errors import ConfigError
from model.system import HIGH_CARDINALITY
from tests.support.planned import document, explained, scraped_as, workload
from tests.support.systems import plan_shop


def config(folder: Path, system: dict[str, Any] | None = None) -> dict[str, Any]:
    """promtail.yml of the shop."""
    return dict(document(plan_shop(folder, system), "promtail", "promtail.yml"))


def test_containers_are_read_through_the_proxy(tmp_path: Path) -> None:
    """Discovery asks the socket proxy, never the socket, and its lines are {job="containerlogs"}."""
    job = config(tmp_path)["scrape_configs"][0]
    assert job["docker_sd_configs"][0]["host"] == "tcp://socket-proxy:2375"
    assert {"target_label": "job", "replacement": "containerlogs"} in job["relabel_configs"]
    assert not workload(plan_shop(tmp_path), "promtail").host_mounts


def test_index_labels_have_few_values(tmp_path: Path) -> None:
    """No field with many values becomes an index label; those that people search by become structured metadata."""
    (match,) = (stage["match"] for stage in config(tmp_path)["scrape_configs"][0]["pipeline_stages"])
    labels = {name for stage in match["stages"] for name in stage.get("labels", {})}
    metadata = {name for stage in match["stages"] for name in stage.get("structured_metadata", {})}
    assert labels == {"level"} and not labels & HIGH_CARDINALITY
    assert {"trace_id", "request_id"} <= metadata


def test_host_files_are_mounted_read_only_with_a_reason(tmp_path: Path) -> None:
    """A log file of the host is read from its mounted folder, and the mount is a declared exemption."""
    system = {"hostLogs": [{"path": "/var/log/shop/*.log", "job": "shop"}]}
    plan = plan_shop(tmp_path, system)
    job = document(plan, "promtail", "promtail.yml")["scrape_configs"][1]
    assert job["static_configs"][0]["labels"]["__path__"] == "/host/var/log/shop/*.log"
    found = workload(plan, "promtail")
    assert [(m.source, m.path) for m in found.host_mounts] == [("/var/log/shop", "/host/var/log/shop")]
    assert found.exempt("host-mount")


def test_positions_survive(tmp_path: Path) -> None:
    """How far it has read stands on a volume."""
    found = workload(plan_shop(tmp_path), "promtail")
    assert config(tmp_path)["positions"]["filename"].startswith(found.volumes[0].path)


def test_it_watches_itself(tmp_path: Path) -> None:
    """Promtail is scraped and has alerts of its own."""
    plan = plan_shop(tmp_path)
    scraped_as(plan, "promtail")
    explained(plan, "promtail")


def test_containers_can_be_chosen_by_label(tmp_path: Path) -> None:
    """Every container is collected, or those with the wanted labels alone."""
    (everything,) = document(plan_shop(tmp_path / "a"), "promtail", "promtail.yml")["scrape_configs"][0][
        "docker_sd_configs"
    ]
    assert "filters" not in everything
    settings = {"promtail": '{"containerLabels": ["team=shop", "logs"]}'}
    plan = plan_shop(tmp_path / "b", settings=settings)
    (chosen,) = document(plan, "promtail", "promtail.yml")["scrape_configs"][0]["docker_sd_configs"]
    assert chosen["filters"] == [{"name": "label", "values": ["team=shop", "logs"]}]


def test_lines_need_somebody_who_takes_them(tmp_path: Path) -> None:
    """Without Loki, what stands on it is refused by the setting that would be right."""
    with pytest.raises(ConfigError, match=r"loki\.enabled: false, but promtail sends its lines to it; leave it out"):
        plan_shop(tmp_path, settings={"loki": '{"enabled": false}'})
