"""The gateway: off unless wanted, reached from where services are, and nothing outside without a password."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from components.otelcol import DATA_DIR
from model.errors import ConfigError
from model.workload import HttpProbe
from tests.components.otel.plans import SENDER, plan_gateway
from tests.support.planned import document, explained, job, scraped_as, workload
from tests.support.systems import SYSTEM, plan_shop


def test_it_is_off_unless_switched_on(tmp_path: Path) -> None:
    """Without a word about it nothing takes what is sent: no receiver of Prometheus, no labels of Loki."""
    plan = plan_shop(tmp_path)
    assert "otel" not in plan.workloads and not plan.telemetry.gateways
    assert "--web.enable-otlp-receiver" not in workload(plan, "prometheus").args
    assert "otlp" not in document(plan, "prometheus", "prometheus.yml")
    assert "otlp_config" not in document(plan, "loki", "loki.yaml")["limits_config"]


def test_stores_take_what_it_sends(tmp_path: Path) -> None:
    """Prometheus and Loki make labels of the same attributes, and late samples are no reason to lose a request."""
    plan = plan_gateway(tmp_path)
    assert {"--web.enable-otlp-receiver", "--enable-feature=exemplar-storage"} <= set(workload(plan, "prometheus").args)
    config = document(plan, "prometheus", "prometheus.yml")
    (rule,) = document(plan, "loki", "loki.yaml")["limits_config"]["otlp_config"]["resource_attributes"][
        "attributes_config"
    ]
    assert rule["attributes"] == config["otlp"]["promote_resource_attributes"] == list(plan.telemetry.otlp_labels)
    assert config["storage"]["tsdb"]["out_of_order_time_window"] == "1h"


def test_a_service_that_sends_needs_it(tmp_path: Path) -> None:
    """Where nobody takes its metrics the service would be down for good, so the plan is refused."""
    with pytest.raises(ConfigError, match=r"otel\.enabled: false, but billing sends its metrics to it"):
        plan_gateway(tmp_path, enabled=False)


def test_who_sends_is_not_scraped(tmp_path: Path) -> None:
    """It has no target; whether its metrics arrive is recorded as `up`, of which one is expected."""
    plan = plan_gateway(tmp_path)
    assert "billing" not in {each.name for each in plan.telemetry.scrape}
    (group,) = [group for group in plan.telemetry.rules if group.name == "arrivals"]
    (rule,) = group.recordings
    assert (rule.record, rule.labels["job"], rule.labels["team"]) == ("up", "billing", "money")
    expected = {
        each.labels["service"]: each.expr for g in plan.telemetry.rules if g.name == "targets-expected"
        for each in g.recordings
    }  # fmt: skip
    assert expected["billing"] == "vector(1)"


def test_pages_have_no_process_to_watch(tmp_path: Path) -> None:
    """What browsers alone send says nothing of a process: it is neither up nor down, and no target is expected."""
    services = {**SYSTEM["services"], "front": {"otlp": True, "packs": ["web"]}}
    plan = plan_gateway(tmp_path, services=services)
    assert [each.labels["service"] for each in plan.telemetry.pushed] == ["billing"]


def test_a_stand_in_is_scraped(tmp_path: Path) -> None:
    """In a demo nobody sends metrics, so what stands in for the service is asked for them."""
    plan = plan_shop(
        tmp_path, {"services": {**SYSTEM["services"], "billing": {"otlp": True, "packs": ["http"]}}}, {"demo": "true"}
    )
    assert job(plan, "billing").targets[0].address == "billing:8080" and not plan.telemetry.pushed


def test_programs_of_others_reach_it(tmp_path: Path) -> None:
    """It joins the networks of services, and a cluster lets every pod in by the two ports of OTLP alone."""
    made = workload(plan_gateway(tmp_path), "otel")
    assert made.egress == "anywhere"
    assert {port.number for port in made.ports if port.inbound} == {4317, 4318}
    assert [port.publish for port in made.ports] == [None] * 4


def test_ports_are_published_when_set(tmp_path: Path) -> None:
    """On loopback, for programs of the host."""
    ports = workload(plan_gateway(tmp_path, grpcPort=4317, httpPort=4318), "otel").ports
    assert [(port.publish, port.bind) for port in ports[:2]] == [(4317, "127.0.0.1"), (4318, "127.0.0.1")]


def test_only_machines_send_from_outside(tmp_path: Path) -> None:
    """The route opens three paths for those who may push, each by POST."""
    (route,) = [route for route in plan_gateway(tmp_path).telemetry.routes if route.name == "otel"]
    (opening,) = route.open
    assert (opening.grant, opening.methods, opening.paths) == (
        "push", ("POST",), ("/v1/traces", "/v1/metrics", "/v1/logs"),
    )  # fmt: skip
    assert route.strip and route.login


def test_the_workload_is_hardened_and_probed(tmp_path: Path) -> None:
    """It needs no exemption and no secret; its queues are on a volume that outlives it."""
    made = workload(plan_gateway(tmp_path), "otel")
    assert made.exemptions == () and made.secrets == ()
    assert made.probe == HttpProbe(path="/", port=13133)
    assert [(volume.path, volume.retain) for volume in made.volumes] == [(DATA_DIR, True)]


def test_it_asks_a_cluster_for_pods_alone(tmp_path: Path) -> None:
    """Elsewhere it asks nobody."""
    rights = workload(plan_gateway(tmp_path / "a", cluster=True), "otel").access
    assert {name for each in rights for name in each.resources} == {"pods", "namespaces", "replicasets"}
    assert workload(plan_gateway(tmp_path / "b"), "otel").access == ()


def test_it_watches_itself(tmp_path: Path) -> None:
    """It is scraped and has alerts of its own."""
    plan = plan_gateway(tmp_path)
    scraped_as(plan, "otel")
    explained(plan, "otel")


@pytest.mark.parametrize(
    ("own", "words"),
    [
        ({"memory": "6MiB"}, r"otel\.memory: 6MiB: .+; use 128MiB at least"),
        ({"sampling": {}}, r"otel\.sampling: nothing here stores spans.+; set jaeger\.enabled to true"),
        ({"queue": "100KiB"}, r'otel\.queue: "100KiB": must be 16MiB at least'),
    ],
)
def test_what_it_could_not_work_with_is_refused(tmp_path: Path, own: dict[str, Any], words: str) -> None:
    """The program would not start, or refuse everything, or keep nothing: file, key, value and what would be right."""
    with pytest.raises(ConfigError, match=rf"Pulumi\.dev\.yaml: {words}"):
        plan_gateway(tmp_path, **own)


def test_an_operator_s_prometheus_takes_nothing(tmp_path: Path) -> None:
    """It is said once, with the key and what to do."""
    with pytest.raises(
        ConfigError, match=r"Pulumi\.dev\.yaml: otel\.enabled: true, .+; set prometheus\.mode to own"
    ) as seen:
        plan_gateway(tmp_path, cluster=True, prometheus={"mode": "operator"})
    assert len(seen.value.problems) == 1


@pytest.mark.parametrize(("replicas", "jaeger", "queues"), [(1, False, 2), (2, True, 4)])
def test_the_volume_has_room_for_every_queue(tmp_path: Path, replicas: int, jaeger: bool, queues: int) -> None:
    """Each store has a queue of its own, and a file is written anew before the old one is removed."""
    plan = plan_gateway(tmp_path, cluster=True, jaeger=jaeger, queue="64MiB", prometheus={"replicas": replicas})
    (volume,) = workload(plan, "otel").volumes
    assert volume.size == 2 * queues * 64 * 1024**2


def test_a_dollar_sign_is_no_reference(tmp_path: Path) -> None:
    """A label's value is what the file says, where the program would put a variable of its environment."""
    service = {**SENDER, "labels": {"team": "a${env:HOME}$$b"}}
    plan = plan_shop(tmp_path, {"services": {**SYSTEM["services"], "billing": service}}, {"otel": '{"enabled": true}'})
    config = workload(plan, "otel").config
    assert config and "a$${env:HOME}$$$$b" in config.files["otel.yaml"]
    single = re.compile(r"(?<!\$)\$(?:\$\$)*(?!\$)")
    assert not single.search(config.files["otel.yaml"])


def test_packs_on_metrics_that_are_not_sent_are_named(tmp_path: Path) -> None:
    """With the key and what to do; one whose metrics the service declares, and one on its own metrics, are fine."""
    quiet = {**SENDER, "packs": ["http", "worker", "web"]}
    loud = {"otlp": True, "packs": ["http", "go"]}
    services = {**SYSTEM["services"], "quiet": quiet, "loud": loud}
    said = [text for text in plan_gateway(tmp_path, services=services).warnings if "SDKs do not send" in text]
    assert len(said) == 2
    for name, text in zip(("http", "go"), said, strict=True):
        assert text.startswith(f"configs/systems/shop.yaml: services.loud.packs: {name} stands on")
        assert "declare what loud sends in its `metrics`, with their roles, or leave the pack out" in text
