"""Promtail: what it reads, and which fields become labels."""

from __future__ import annotations

from pathlib import Path

import pytest

from model.errors import ConfigError
from tests.components.promtail.plans import config
from tests.support.planned import document, explained, scraped_as, workload
from tests.support.systems import plan_cluster, plan_shop


def test_folders_with_patterns_are_mounted_above_them(tmp_path: Path) -> None:
    """The folder above the first pattern is mounted once; none that does not exist is made, as it would be root's."""
    logs = [
        {"path": path, "job": f"job-{number}", **({"group": 4} if "sys" in path else {})}
        for number, path in enumerate(
            ("/srv/apps/*/logs/*.log", "/var/log/**/*.log", "/var/log/nginx/access", "/var/logs/syslog")
        )
    ]
    plan = plan_shop(tmp_path, {"hostLogs": logs})
    found = workload(plan, "promtail")
    assert [mount.source for mount in found.host_mounts] == ["/srv/apps", "/var/log", "/var/logs"]
    assert not any(mount.create for mount in found.host_mounts) and found.groups == (4,)
    jobs = document(plan, "promtail", "promtail.yml")["scrape_configs"][1:]
    paths = [job["static_configs"][0]["labels"]["__path__"] for job in jobs]
    assert paths == [f"/host{log['path']}" for log in logs]
    cluster = workload(plan_cluster(tmp_path / "b", {"hostLogs": logs}), "promtail")
    assert cluster.groups == (4,) and all(m.create for m in cluster.host_mounts if m.source != "/var/log/pods")


def test_host_files_are_mounted_read_only_with_a_reason(tmp_path: Path) -> None:
    """A log file of the host is read from its mounted folder, and the mount is a declared exemption."""
    system = {"hostLogs": [{"path": "/var/log/shop/*.log", "job": "shop"}]}
    plan = plan_shop(tmp_path, system)
    job = document(plan, "promtail", "promtail.yml")["scrape_configs"][1]
    assert job["static_configs"][0]["labels"]["__path__"] == "/host/var/log/shop/*.log"
    found = workload(plan, "promtail")
    assert [(m.source, m.path) for m in found.host_mounts] == [("/var/log/shop", "/host/var/log/shop")]
    assert found.is_exempt("host-mount")


def test_positions_survive(tmp_path: Path) -> None:
    """How far it has read stands on a volume."""
    found = workload(plan_shop(tmp_path), "promtail")
    assert config(tmp_path)["positions"]["filename"].startswith(found.volumes[0].path)


def test_it_watches_itself(tmp_path: Path) -> None:
    """Promtail is scraped and has alerts of its own."""
    plan = plan_shop(tmp_path)
    scraped_as(plan, "promtail")
    explained(plan, "promtail")


def test_lines_need_somebody_who_takes_them(tmp_path: Path) -> None:
    """Without Loki, what stands on it is refused by the setting that would be right."""
    with pytest.raises(ConfigError, match=r"loki\.enabled: false, but promtail sends its lines to it; leave it out"):
        plan_shop(tmp_path, settings={"loki": '{"enabled": false}'})
