"""A service has one name: series and lines carry its key, whatever the platform calls what it runs in."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from components.lines.sources import DISCOVERY
from model.plan import Plan
from stack.assemble import assemble_plan
from targets.platforms import PLATFORMS
from tests.support.planned import document, job, workload
from tests.support.relabelling import relabel
from tests.support.systems import SYSTEM, changed, configuration, plan_cluster, project
from tests.support.validating import accepts, tool, written

KEY, FOLDED = "user_service", "user-service"
USERS = {"packs": ["http"], "port": 8000, "health": ["/health"]}
CHANGES: dict[str, Any] = {
    f"services.{KEY}": USERS,
    "services.own_pods": {
        "port": 9000, "health": ["/health"], "kubernetes": {"namespace": "shop", "selector": {"app": "own"}},
    },
    "objectives": [{"service": KEY, "kind": "availability", "target": 0.999, "window": "7d"}],
    "dashboards.0.services": [KEY],
}  # fmt: skip
OBJECT_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")
DOCKER, POD = "__meta_docker_container_", "__meta_kubernetes_pod_"


def planned(folder: Path, target: str, *, demo: bool, **settings: str) -> Plan:
    """A shop with keys that compose would have."""
    given = configuration({"target": target, "demo": str(demo).lower(), **settings})
    return assemble_plan("dev", given, platforms=PLATFORMS, root=project(folder, changed(SYSTEM, CHANGES)))


@pytest.mark.parametrize("demo", [True, False])
@pytest.mark.parametrize("target", ["docker", "kubernetes"])
def test_series_have_the_key(tmp_path: Path, target: str, demo: bool) -> None:
    """As it is written; a cluster has a name with dashes for the address, and Docker the key itself."""
    plan = planned(tmp_path, target, demo=demo)
    (scraped,) = job(plan, KEY).targets
    host = FOLDED if target == "kubernetes" else KEY
    assert scraped.labels["service"] == KEY and re.split(r"[.:]", scraped.address)[0] == host
    probed = [item for each in plan.telemetry.scrape for item in each.targets if "//" in item.address]
    assert [item.labels["service"] for item in probed if host in item.address] == [KEY]
    assert {alert.service for group in plan.telemetry.rules for alert in group.alerts} >= {KEY}
    assert not demo or workload(plan, host).ports[0].number == 8000


@pytest.mark.parametrize("target", ["docker", "kubernetes"])
def test_prometheus_takes_the_documents(tmp_path: Path, target: str) -> None:
    """File names, rules and queries with such a key are valid to the real judge."""
    folder = written(planned(tmp_path / "plan", target, demo=False), "prometheus", tmp_path / "written")
    accepts(tool("promtool"), "check", "config", "--lint=none", folder / "prometheus.yml")


@pytest.mark.parametrize(
    ("labels", "service"),
    [
        ({"name": "/shop-user_service-1", "label_com_docker_compose_service": KEY}, KEY),
        ({"name": "/user_service"}, KEY),
        ({"name": "/user-service"}, KEY),
        ({"name": "/dev-user_service", DISCOVERY.removeprefix(DOCKER) + "_workload": KEY}, KEY),
        ({"name": "/other"}, "other"),
    ],
)
def test_lines_of_a_container_have_the_key(tmp_path: Path, labels: dict[str, str], service: str) -> None:
    """By the service of compose, by the container's name in either spelling, and of a stand-in."""
    rules = document(planned(tmp_path, "docker", demo=False), "promtail", "promtail.yml")["scrape_configs"][0]
    meta = {DOCKER + name: value for name, value in labels.items()}
    made = relabel(rules["relabel_configs"], meta)
    assert made is not None and made["service"] == service


@pytest.mark.parametrize(
    ("labels", "service"),
    [
        ({"label_app_kubernetes_io_name": FOLDED}, KEY),
        ({"label_app": KEY}, KEY),
        ({"container_name": FOLDED}, KEY),
        ({"label_app": "own"}, "own_pods"),
        ({"container_name": "other"}, "other"),
    ],
)
def test_lines_of_a_pod_have_the_key(tmp_path: Path, labels: dict[str, str], service: str) -> None:
    """By the name of its application, in which a cluster has dashes, and by its selector."""
    rules = document(planned(tmp_path, "kubernetes", demo=False), "promtail", "promtail.yml")["scrape_configs"][0]
    meta = {POD + name: value for name, value in labels.items()} | {"__meta_kubernetes_namespace": "shop"}
    made = relabel(rules["relabel_configs"], meta)
    assert made is not None and made["service"] == service


def test_objects_of_a_cluster_have_valid_names(tmp_path: Path) -> None:
    """Workloads of stand-ins, and what an operator reads: monitors, probes, rules."""
    stand_ins = planned(tmp_path / "demo", "kubernetes", demo=True)
    operated = planned(tmp_path / "operator", "kubernetes", demo=False, prometheus='{"mode": "operator"}')
    names = [item.name for item in stand_ins.list_workloads()] + [item.name for item in operated.extra_objects]
    assert FOLDED in names and "own-pods" in names
    assert [name for name in names if not OBJECT_NAME.fullmatch(name)] == []


def test_one_label_holds_after_a_selector(tmp_path: Path) -> None:
    """Pods that a service's selector names are its own, though the label app says another service's key."""
    changes = {"services.shop_api": {"port": 1, "kubernetes": {"namespace": "shop", "selector": {"app": "api"}}}}
    rules = document(plan_cluster(tmp_path, changes), "promtail", "promtail.yml")["scrape_configs"][0]
    made = relabel(rules["relabel_configs"], {POD + "label_app": "api", "__meta_kubernetes_namespace": "shop"})
    assert made is not None and made["service"] == "shop_api"
