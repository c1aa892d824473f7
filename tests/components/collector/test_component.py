"""The collector in Promtail's place: what runs, what it sees, and that it is one or the other."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from components.lines.settings import PODS_DIR
from components.lines.sources import build_cluster_rules
from model.errors import ConfigError
from model.plan import Plan
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


def test_each_program_sees_what_it_needs(tmp_path: Path) -> None:
    """The one that asks the engine sees no file of it, and the one that reads files cannot ask."""
    plan = plan_collector(tmp_path, {"hostLogs": [{"path": "/var/log/shop/*.log", "job": "shop", "group": 4}]})
    collector, links = workload(plan, "collector"), workload(plan, "collector-links")
    assert [mount.source for mount in collector.host_mounts] == ["/var/lib/docker/containers", "/var/log/shop"]
    assert collector.is_exempt("root-user") and collector.groups == (4,)
    assert links.host_mounts == () and links.exemptions == ()
    assert collector.shared_volumes[0].name == links.volumes[0].name


def test_on_a_cluster_both_are_on_every_node(tmp_path: Path) -> None:
    """One asks for pods and looks whether files are there; the other one reads them and may ask for nothing."""
    system = {"hostLogs": [{"path": "/var/log/shop/*.log", "job": "shop"}]}
    plan = plan_cluster(tmp_path, system, {**CHOSEN, "collector": json.dumps({"dockerFolder": "/docker"})})
    assert not {"promtail"} & {each.name for each in plan.list_workloads()}
    collector, links = workload(plan, "collector"), workload(plan, "collector-links")
    assert {collector.placement, links.placement} == {"node-agent"}
    assert [mount.source for mount in links.host_mounts] == [PODS_DIR, "/docker"]
    assert [mount.source for mount in collector.host_mounts] == [PODS_DIR, "/docker", "/var/log/shop"]
    assert [mount.path for mount in links.host_mounts] == [PODS_DIR, "/docker"]
    assert collector.host_mounts[-1].create and not collector.host_mounts[0].create
    assert collector.shared_volumes[0].name == links.volumes[0].name


def test_on_a_cluster_pods_alone_are_asked_for(tmp_path: Path) -> None:
    """And only what reading them takes; that is also all that opens the network beyond the stack."""
    plan = plan_cluster(tmp_path, settings=CHOSEN)
    collector, links = workload(plan, "collector"), workload(plan, "collector-links")
    (access,) = links.access
    assert (access.groups, access.resources, access.verbs) == (("",), ("pods",), ("get", "list", "watch"))
    assert collector.access == () and collector.egress == links.egress == "stack"
    assert links.field_refs == {"NODE_NAME": "node-name"}
    made = json.loads(links.config.files["links.json"]) if links.config else {}
    assert made == {"pods": PODS_DIR, "rules": build_cluster_rules(plan.system.services)}


@pytest.mark.parametrize("make", [plan_shop, plan_cluster])
def test_a_program_has_what_it_imports(tmp_path: Path, make: Callable[..., Plan]) -> None:
    """Delivered as it is, it accepts its document in another folder, with nothing of this repository around it."""
    plan = make(tmp_path / "plan", settings=CHOSEN)
    config = workload(plan, "collector-links").config
    assert config
    for path, text in config.files.items():
        (tmp_path / "there" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "there" / path).write_text(text, encoding="utf-8")
    command = [part.replace("{dir}", str(tmp_path / "there")) for part in config.validate[1:]]
    run = subprocess.run([sys.executable, *command], cwd="/", env={}, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert config.restart_on == set(config.files)


def test_positions_of_promtail_are_seen_where_they_stay(tmp_path: Path) -> None:
    """What an environment does not keep goes with Promtail, and could not be removed while somebody looks at it."""
    kept, dropped = (plan_collector(tmp_path / str(keep), retainData=keep) for keep in (True, False))
    names = [[volume.name for volume in workload(plan, "collector-links").volumes] for plan in (kept, dropped)]
    assert names == [["collector-links", "promtail-positions"], ["collector-links"]]


def test_it_watches_itself(tmp_path: Path) -> None:
    """Both programs are scraped, each under its name, and there are alerts about lines that do not arrive."""
    plan = plan_collector(tmp_path)
    for name in ("collector", "collector-links"):
        assert [target.labels["service"] for target in job(plan, name).targets] == [name]
        on_nodes = job(plan_cluster(tmp_path / name, settings=CHOSEN), name).discovery
        assert on_nodes and on_nodes.labels["service"] == name
    explained(plan, "collector")


def test_loki_indexes_the_labels_that_promtail_sends(tmp_path: Path) -> None:
    """They come as attributes of a resource, of which Loki makes labels that are named; Prometheus knows none."""
    plan = plan_collector(tmp_path, {"services.api.logs": {"labels": ["level", "component"]}})
    (rule,) = document(plan, "loki", "loki.yaml")["limits_config"]["otlp_config"]["resource_attributes"][
        "attributes_config"
    ]
    assert {"service", "container", "job", "level", "component", "stack", "environment"} <= set(rule["attributes"])
    assert "otlp" not in document(plan, "prometheus", "prometheus.yml")
