"""The collector in Promtail's place: what runs, what it sees, and that it is one or the other."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from model.errors import ConfigError
from tests.components.collector.plans import CHOSEN, plan_collector
from tests.support.planned import document, explained, job, workload
from tests.support.systems import plan_cluster, plan_shop


def test_a_stack_has_one_agent(tmp_path: Path) -> None:
    """Promtail unless the collector is chosen, and never both: each line would be there twice."""
    usual = {each.name for each in plan_shop(tmp_path / "a").list_workloads()}
    chosen = {each.name for each in plan_collector(tmp_path / "b").list_workloads()}
    assert "promtail" in usual and not {name for name in usual if name.startswith("collector")}
    assert {"collector", "collector-links"} <= chosen and "promtail" not in chosen


def test_settings_of_the_other_agent_are_refused(tmp_path: Path) -> None:
    """What is said of an agent that does not run has no effect, and says so."""
    with pytest.raises(ConfigError, match=r"promtail\.memory: has no effect, as logs\.agent is collector"):
        plan_collector(tmp_path / "a", promtail={"memory": "99MiB"})
    with pytest.raises(ConfigError, match=r"collector\.queue: has no effect, as logs\.agent is promtail"):
        plan_shop(tmp_path / "b", settings={"collector": json.dumps({"queue": "99MiB"})})


def test_a_cluster_has_promtail(tmp_path: Path) -> None:
    """So far the collector knows the containers of a Docker engine alone."""
    with pytest.raises(ConfigError, match=r"logs\.agent: 'collector' reads the containers of a Docker engine"):
        plan_cluster(tmp_path, settings=CHOSEN)


def test_each_program_sees_what_it_needs(tmp_path: Path) -> None:
    """The one that asks the engine sees no file of it, and the one that reads files cannot ask."""
    plan = plan_collector(tmp_path, {"hostLogs": [{"path": "/var/log/shop/*.log", "job": "shop", "group": 4}]})
    collector, links = workload(plan, "collector"), workload(plan, "collector-links")
    assert [mount.source for mount in collector.host_mounts] == ["/var/lib/docker/containers", "/var/log/shop"]
    assert collector.is_exempt("root-user") and collector.groups == (4,)
    assert links.host_mounts == () and links.exemptions == ()
    assert collector.shared_volumes[0].name == links.volumes[0].name


def test_positions_of_promtail_are_seen_where_they_stay(tmp_path: Path) -> None:
    """What an environment does not keep goes with Promtail, and could not be removed while somebody looks at it."""
    kept, dropped = (plan_collector(tmp_path / str(keep), retainData=keep) for keep in (True, False))
    names = [[volume.name for volume in workload(plan, "collector-links").volumes] for plan in (kept, dropped)]
    assert names == [["collector-links", "promtail-positions"], ["collector-links"]]


def test_it_watches_itself(tmp_path: Path) -> None:
    """Both programs are scraped, each under its name, and there are alerts about lines that do not arrive."""
    plan = plan_collector(tmp_path)
    assert [target.labels["service"] for target in job(plan, "collector").targets] == ["collector", "collector-links"]
    explained(plan, "collector")


def test_loki_indexes_the_labels_that_promtail_sends(tmp_path: Path) -> None:
    """They come as attributes of a resource, of which Loki makes labels that are named; Prometheus knows none."""
    plan = plan_collector(tmp_path, {"services.api.logs": {"labels": ["level", "component"]}})
    (rule,) = document(plan, "loki", "loki.yaml")["limits_config"]["otlp_config"]["resource_attributes"][
        "attributes_config"
    ]
    assert {"service", "container", "job", "level", "component", "stack", "environment"} <= set(rule["attributes"])
    assert "otlp" not in document(plan, "prometheus", "prometheus.yml")
