"""A stack on a cluster whose Prometheus and Alertmanager are those of an operator, which really runs.

The tests are in the order of a life: no operator, its definitions alone, the operator itself, a stack that uses it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import pytest
from kubernetes import client as kubernetes  # type: ignore[import-untyped]  # it publishes no types

from cli import operator_targets
from cli.cluster_host import ClusterHost
from cli.render import plan_file
from model.extra_objects import ExtraObject
from model.plan import Plan
from model.settings import KubernetesSettings
from targets.kubernetes.manifests import build_extra_object
from targets.kubernetes.operator import check_operator
from targets.kubernetes.preflight import connect_cluster
from targets.kubernetes.shared import ClusterScope
from tests.e2e.test_no_change import unchanged
from tests.support import watchers
from tests.support.clusters import ClusterStack, start_cluster
from tests.support.operators import operated as plan_of
from tests.support.running import Run
from tests.support.waiting import eventually
from tests.support.watchers import HOME, OPERATOR

NAME = "operated"
PREFLIGHT_SECONDS = 10.0
RECEIVER = "default"


class OperatedStack(ClusterStack):
    """A stack with no Prometheus and no Alertmanager of its own."""

    def _settings(self, ports: int) -> dict[str, Any]:
        given = super()._settings(ports)
        receivers = [
            {"name": RECEIVER, "webhook": {"url": f"http://demo-webhook.monitoring-{NAME}.svc:8080/demo/webhook"}},
            {"name": "pager", "webhook": {"urlSecret": "pager-url"}},
        ]
        routes = [{"severity": "critical", "receiver": "pager"}]
        return {
            **given,
            "prometheus": "operator",
            "alertmanager": {
                "receivers": receivers,
                "routes": routes,
                "deadMansSwitch": {"urlSecret": "pager-url", "interval": "5s"},
                "groupWait": "1s",
            },
        }

    def plan(self) -> Plan:
        """What is deployed, from its own copy of the system's file."""
        return plan_file(self.settings_in_use, NAME, root=self.root)

    def ask(self, path: str, *, name: str = "prometheus", port: int = operator_targets.PORT) -> Any:
        """What the operator's Prometheus or Alertmanager answers to a GET."""
        label = operator_targets.PODS.replace("name=prometheus", f"name={name}", 1)
        pods = self.api.list_namespaced_pod(HOME, label_selector=label).items
        if not pods:
            raise LookupError(f"no pod of {name} in {HOME}")
        return json.loads(self.host.fetch(pods[0], port, path))

    def prom(self, query: str) -> list[dict[str, Any]]:
        """The result of an instant query."""
        return list(self.ask(f"/api/v1/query?{urlencode({'query': query})}")["data"]["result"])


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OperatedStack]:
    """A stack that is not deployed yet, on a cluster without an operator."""
    made = OperatedStack(tmp_path_factory.mktemp("operated"), NAME, start_cluster(), ports=28480, system="agenttrace")
    watchers.remove(made.kubectl)
    made.edit_system(_reach_by_name)
    made.secret("pager-url", f"http://demo-webhook.monitoring-{NAME}.svc:8080/demo/webhook?key=pager")
    yield made
    try:
        made.run("down", "--purge", timeout=1200)
    finally:
        watchers.remove(made.kubectl)


def _reach_by_name(system: dict[str, Any]) -> None:
    """A service that is reached by its name is probed by a Probe; where pods are found, each is probed by itself."""
    worker = system["services"]["worker"]
    del worker["kubernetes"]
    worker["health"] = ["/metrics"]


def nothing_was_made(stack: OperatedStack) -> bool:
    """Whether the cluster holds nothing of the stack."""
    return stack.namespace not in {item.metadata.name for item in stack.api.list_namespace().items}


def _place(stack: OperatedStack) -> ClusterScope:
    settings = KubernetesSettings(kubeconfig=str(stack.kubeconfig), namespace="default")
    return ClusterScope(stack=NAME, settings=settings, images={})


# -- no operator -----------------------------------------------------------------------------------------------------


def test_without_an_operator_nothing_is_made(stack: OperatedStack) -> None:
    """One message with what is missing, within seconds, before anything is created."""
    refused = stack.run("up")
    assert refused.code != 0
    assert "no Prometheus Operator is installed: the cluster does not know alertmanagerconfigs" in refused.text
    assert refused.text.count("no Prometheus Operator is installed") == 1, refused.text[-3000:]
    assert nothing_was_made(stack)
    began = time.monotonic()
    plan = stack.plan()
    (found,) = check_operator(connect_cluster(_place(stack).settings), _place(stack), plan.extra_objects)
    took = time.monotonic() - began
    print(f"planned and refused in {took:.1f} s; by make up, with toolchain and Pulumi, {refused.seconds:.1f} s")
    assert found in " ".join(refused.text.split()) and took < PREFLIGHT_SECONDS


# -- the definitions alone -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def defined(stack: OperatedStack) -> OperatedStack:
    """The cluster knows the kinds, and nobody reads them."""
    watchers.define(stack.kubectl)
    return stack


def _dry_run(stack: OperatedStack, item: ExtraObject) -> Any:
    words = ("create", "--dry-run=server", "--validate=strict", "--filename=-")
    return stack.kubectl(*words, document=build_extra_object(_place(stack), item), check=False)


def test_the_api_server_accepts_every_object(defined: OperatedStack) -> None:
    """A strict dry run on the server of all that a stack writes, save what refers to nothing yet."""
    for item in plan_of("devops-mcp", demo=True).extra_objects:
        done = _dry_run(defined, item)
        assert done.returncode == 0, f"{item.kind} {item.name}: {done.stderr}"


@pytest.mark.parametrize(
    "endpoint",
    [{"interval": "15 s"}, {"interval": "often"}, {"intervall": "15s"}, {"scheme": "ftp"}, {"honorLabels": "yes"}],
    ids=str,
)
def test_what_we_refuse_the_api_server_refuses(defined: OperatedStack, endpoint: dict[str, Any]) -> None:
    """A wrong interval, value or field is found by the definition as the cluster holds it, before it is sent."""
    plan = plan_of("devops-mcp", demo=True)
    good = next(item for item in plan.extra_objects if item.kind == "ServiceMonitor")
    (before,) = good.body["spec"]["endpoints"]
    bad = replace(good, body={"spec": {**good.body["spec"], "endpoints": [{**before, **endpoint}]}})
    client = connect_cluster(_place(defined).settings)
    (found, *_) = [text for text in check_operator(client, _place(defined), [bad]) if "spec.endpoints[0]" in text]
    (field,) = endpoint
    assert found.startswith(f"ServiceMonitor {bad.name}: spec.endpoints[0].{field}: ")
    assert _dry_run(defined, bad).returncode != 0


def test_a_wrong_interval_is_refused_with_its_place(defined: OperatedStack) -> None:
    """In a stack's file, where the program itself knows what an interval is; nothing is created."""
    defined.edit_settings(lambda config: config.update({"scrapeInterval": "15 s"}))
    refused = defined.run("preview")
    defined.edit_settings(lambda config: config.update({"scrapeInterval": "5s"}))
    assert refused.code != 0 and 'scrapeInterval: "15 s": must be a number and a unit' in refused.text
    assert nothing_was_made(defined)


def test_objects_that_nobody_reads_are_refused(defined: OperatedStack) -> None:
    """Definitions without anything that runs by them are no operator."""
    refused = defined.run("up")
    assert refused.code != 0 and "no Prometheus Operator" not in refused.text, refused.text[-3000:]
    assert nothing_was_made(defined)


# -- an operator -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def ran(defined: OperatedStack) -> Run:
    """The first `up` of a stack beside an operator."""
    watchers.bring_images()
    watchers.install(defined.kubectl)
    eventually(lambda: defined.ask("/api/v1/scrape_pools"), timeout=180, what="the operator's Prometheus")
    eventually(
        lambda: defined.ask("/api/v2/status", name="alertmanager", port=9093), timeout=180, what="its Alertmanager"
    )
    return defined.up()


def test_a_rule_that_promtool_refuses_changes_nothing(ran: Run, defined: OperatedStack) -> None:
    """Nothing is created or changed, and promtool's own words are told."""

    def spoil(system: dict[str, Any]) -> None:
        system["alerts"][0]["summary"] += " {{ $labels.service "

    def mend(system: dict[str, Any]) -> None:
        system["alerts"][0]["summary"] = system["alerts"][0]["summary"].partition(" {{ $labels.service ")[0]

    defined.edit_system(spoil)
    refused = defined.run("preview")
    defined.edit_system(mend)
    assert refused.code != 0 and "promtool refuses the rules" in refused.text, refused.text[-3000:]


def test_every_target_is_up(ran: Run, defined: OperatedStack) -> None:
    """All monitors have become targets of the operator's Prometheus, and all answer."""
    print(ran.text[-1500:])
    host = ClusterHost(NAME, KubernetesSettings(kubeconfig=str(defined.kubeconfig)), OPERATOR)
    found = host.wait_targets(60)
    assert found and {target["health"] for target in found} == {"up"}
    kinds = {pool.partition("/")[0] for pool in defined.ask("/api/v1/scrape_pools")["data"]["scrapePools"]}
    assert {"serviceMonitor", "podMonitor", "probe"} <= kinds


def test_series_have_the_labels_of_our_own_prometheus(ran: Run, defined: OperatedStack) -> None:
    """Each target's labels are those that its scrape jobs give, and those of pods and nodes where they are found."""
    plan = defined.plan()
    wanted = {
        (own["job"], own["service"]): own
        for job in plan.telemetry.scrape
        for labels in ([job.discovery.labels] if job.discovery else [target.labels for target in job.targets])
        for own in [{"job": job.name, **labels}]
    }
    up = [series["metric"] for series in defined.prom('up{system="agenttrace"}')]
    found = {(metric["job"], metric["service"]): metric for metric in up}
    assert found.keys() == wanted.keys()
    allowed = {"__name__", "instance", "namespace", "pod", "node", "prometheus", "prometheus_replica"}
    for key, labels in wanted.items():
        assert labels.items() <= found[key].items()
        assert found[key].keys() - labels.keys() <= allowed, found[key]


def test_every_rule_is_loaded_and_healthy(ran: Run, defined: OperatedStack) -> None:
    """All groups are evaluated by the operator's Prometheus, without an error; one of them every five minutes."""
    plan = defined.plan()

    def loaded() -> bool:
        groups = {group["name"]: group for group in defined.ask("/api/v1/rules")["data"]["groups"]}
        rules = [rule for group in plan.telemetry.rules for rule in groups[group.name]["rules"]]
        bad = [(rule["name"], rule["health"], rule.get("lastError")) for rule in rules if rule["health"] != "ok"]
        assert not bad, bad
        return True

    eventually(loaded, timeout=330, what="every rule evaluated once")


def test_alertmanager_has_our_receivers(ran: Run, defined: OperatedStack) -> None:
    """With the secret's address, which is in no object but the Secret."""

    def receivers() -> set[str]:
        answer = defined.ask("/api/v2/receivers", name="alertmanager", port=9093)
        return {item["name"] for item in answer}

    wanted = {f"{defined.namespace}/alertmanager/{name}" for name in (RECEIVER, "pager")}
    eventually(lambda: wanted <= receivers(), timeout=180, what="our receivers")
    shown = defined.kubectl("get", "alertmanagerconfigs", f"--namespace={defined.namespace}", "-o", "json").stdout
    assert "key=pager" not in shown and '"key": "pager-url"' in shown


def test_the_watchdog_arrives(ran: Run, defined: OperatedStack) -> None:
    """From rule to receiver through the operator's Prometheus and Alertmanager, which routes by namespace."""

    def arrived() -> bool:
        return bool(defined.list_sent_alerts(name="Watchdog"))

    eventually(arrived, timeout=240, what="the Watchdog")


def test_dashboards_are_there(ran: Run, defined: OperatedStack) -> None:
    """Each as a ConfigMap with the label by which a Grafana of others finds it."""
    plan = defined.plan()
    found = defined.api.list_namespaced_config_map(defined.namespace, label_selector="grafana_dashboard=1").items
    assert len(found) == len(plan.telemetry.dashboards)
    assert all(item.metadata.annotations[OPERATOR.folder_annotation] for item in found)


def test_nothing_changes_without_a_change(ran: Run, defined: OperatedStack) -> None:
    """What the API server and the operator add to objects is no difference."""
    shown = defined.run("preview")
    assert shown.code == 0 and unchanged(shown.text), shown.text[-3000:]


def test_verify_asks_the_operators_prometheus(ran: Run, defined: OperatedStack) -> None:
    """The command shows the stack's targets although no Prometheus of its own runs."""
    shown = defined.run("verify")
    assert shown.code == 0, shown.text[-3000:]
    assert "0 of 0" not in shown.text


def test_it_goes_without_a_trace(ran: Run, defined: OperatedStack) -> None:
    """`make down` takes every object of ours away and leaves the operator's own."""
    assert defined.run("down", "--purge", timeout=1200).code == 0
    api = kubernetes.CustomObjectsApi(defined.api.api_client)
    for version, resource in operator_targets.POOLS:
        items = api.list_cluster_custom_object("monitoring.coreos.com", version, resource)["items"]
        assert not [item for item in items if item["metadata"]["namespace"] == defined.namespace]
    assert defined.ask("/api/v1/scrape_pools")
