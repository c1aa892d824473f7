"""A stack without a demo on a cluster: services of another namespace, and objects that are there already."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from model.naming import derive_agent_namespace
from tests.e2e.test_no_change import unchanged
from tests.support.clusters import ClusterStack, start_cluster
from tests.support.pods import pod
from tests.support.waiting import eventually
from tests.support.yaml_files import write_yaml

NAME, SHOP = "e2e-life", "e2e-shop"
PORT, REPLICAS = 8080, 2
SYSTEM = {
    "name": "shop",
    "title": "Shop",
    "services": {
        "api": {
            "port": PORT,
            "metricsPath": "/metrics.txt",
            "health": ["/health.txt"],
            "metrics": {"shop_orders_total": {"type": "counter"}},
            "kubernetes": {"namespace": SHOP, "selector": {"app": "api"}, "expected": REPLICAS},
        }
    },
}
"""A system whose one service is found by its pods."""


def deployment() -> dict[str, Any]:
    """The service itself: its containers declare no port, and a second container of each pod is none of it."""
    files = "echo 'shop_orders_total 1' > /www/metrics.txt; echo well > /www/health.txt"
    serve = f"{files}; exec httpd -f -p {PORT} -h /www"
    made = pod("api", "busybox", "sh", "-c", serve, volumes=[{"name": "www", "emptyDir": {}}])
    beside = {**made["spec"]["containers"][0], "name": "beside", "command": ["sleep", "infinity"]}
    made["spec"]["containers"].append(beside)
    template = {"metadata": made["metadata"], "spec": made["spec"]}
    labels = {"matchLabels": made["metadata"]["labels"]}
    spec = {"replicas": REPLICAS, "selector": labels, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "api"}, "spec": spec}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClusterStack]:
    """A stack that watches the service, not deployed yet; the service runs in its own namespace."""
    own = ClusterStack(tmp_path_factory.mktemp("life"), NAME, start_cluster(), ports=28500)
    (own.root / "configs/systems/shop.yaml").write_text(write_yaml(SYSTEM))
    own.edit_settings(lambda config: config.update(system="shop", demo=False, prometheus={}, alertmanager={}))
    own.kubectl("create", "namespace", SHOP)
    try:
        own.kubectl("apply", f"--namespace={SHOP}", "--filename=-", document=deployment())
        own.kubectl("wait", f"--namespace={SHOP}", "--for=condition=Available", "deployment/api", "--timeout=90s")
        yield own
    finally:
        own.run("down", "--purge")
        own.kubectl("delete", "namespace", SHOP, "--wait=false", check=False)


def both(stack: ClusterStack, query: str) -> list[dict[str, Any]]:
    """The series of a query once there is one of each pod."""
    return eventually(lambda: _of_pods(stack, query), timeout=90, what=query)


def _of_pods(stack: ClusterStack, query: str) -> list[dict[str, Any]]:
    found = stack.prom(query)
    return found if len({series["metric"]["pod"] for series in found}) == REPLICAS else []


def test_a_namespace_that_is_not_there_is_told(stack: ClusterStack) -> None:
    """Before the first object: a role in it could not be made."""
    stack.edit_system_of("shop", lambda system: system["services"]["api"]["kubernetes"].update(namespace="nowhere"))
    try:
        run = stack.run("up")
        assert run.code == 2 and "namespace nowhere does not exist" in run.text, run.text[-2000:]
        assert NAME not in str([item.metadata.name for item in stack.api.list_namespace().items])
    finally:
        stack.edit_system_of("shop", lambda system: system["services"]["api"]["kubernetes"].update(namespace=SHOP))


def test_pods_without_a_declared_port_are_scraped_and_asked(stack: ClusterStack) -> None:
    """Each pod of a service in another namespace is one target, and one answer of its health endpoint."""
    run = stack.up()
    up = both(stack, 'up{service="api", job="api"} == 1')
    assert len(up) == REPLICAS and {series["metric"]["namespace"] for series in up} == {SHOP}
    assert {series["metric"]["instance"].rpartition(":")[2] for series in up} == {str(PORT)}
    assert len(both(stack, "shop_orders_total")) == REPLICAS
    asked = both(stack, 'probe_success{service="api", job="blackbox"} == 1')
    assert len(asked) == REPLICAS
    pods = {item.status.pod_ip for item in stack.api.list_namespaced_pod(SHOP).items}
    assert {series["metric"]["instance"] for series in asked} == {f"http://{ip}:{PORT}/health.txt" for ip in pods}
    assert not stack.prom("up == 0")
    print(f"make up in {run.seconds:.0f} s; {len(up)} pods scraped, {len(asked)} asked")


def test_what_down_keeps_is_taken_again(stack: ClusterStack) -> None:
    """`make down` keeps namespace and claims; the next `make up` writes to them, and the data is there."""
    before = {
        claim.metadata.name: claim.metadata.uid
        for claim in stack.api.list_namespaced_persistent_volume_claim(stack.namespace).items
    }
    (first,) = stack.prom("min(prometheus_tsdb_lowest_timestamp_seconds)")
    assert stack.run("down").code == 0
    run = stack.up()
    claims = stack.api.list_namespaced_persistent_volume_claim(stack.namespace).items
    assert {claim.metadata.name: claim.metadata.uid for claim in claims} == before
    (again,) = eventually(
        lambda: stack.prom("min(prometheus_tsdb_lowest_timestamp_seconds)"), timeout=60, what="the oldest sample"
    )
    assert again["value"][1] == first["value"][1]
    assert unchanged(stack.run("preview").text)
    print(f"make up after down: {run.seconds:.0f} s")


def test_objects_of_others_stop_a_run(stack: ClusterStack) -> None:
    """In the stack's own namespace and cluster-wide: all are named, and none is touched."""
    assert stack.run("down").code == 0
    selector = {"spec": {"ports": [{"port": 1}], "selector": {"app": "other"}}}
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "loki", "labels": {"app": "other"}}}
    stack.kubectl("apply", f"--namespace={stack.namespace}", "--filename=-", document={**service, **selector})
    role = f"{stack.namespace}-prometheus"
    stack.kubectl("create", "clusterrole", role, "--verb=get", "--resource=configmaps")
    try:
        run = stack.run("up")
        assert run.code == 2, run.text[-2000:]
        assert f"Service loki in namespace {stack.namespace} exists and was not made by this program" in run.text
        assert f"ClusterRole {role} exists and was not made by this program" in run.text
        assert stack.api.read_namespaced_service("loki", stack.namespace).metadata.labels == {"app": "other"}
        assert not stack.host.list_pods()
    finally:
        stack.kubectl("delete", "service/loki", f"--namespace={stack.namespace}")
        stack.kubectl("delete", f"clusterrole/{role}")


@pytest.mark.parametrize("pods", [0, 3])
def test_a_killed_run_is_finished_by_the_next(stack: ClusterStack, pods: int) -> None:
    """SIGKILL in the middle of a first deployment, with no pod yet and with some: the next `make up` lands."""
    assert stack.run("down", "--purge").code == 0
    process = stack.start("up")

    def begun() -> bool:
        policies = stack.kubectl(
            "get", "networkpolicies", f"--namespace={stack.namespace}", "--output=name", check=False
        )
        return len(policies.stdout.split()) > 3 and len(stack.host.list_pods()) >= pods

    eventually(begun, timeout=240, what="a deployment that is half made")
    assert process.poll() is None, "it ended before it could be killed"
    stack.kill_run(process)
    run = stack.up()
    both(stack, 'up{service="api", job="api"} == 1')
    assert not re.search(r"already exists", run.text)
    assert unchanged(stack.run("preview").text)
    print(f"killed with {pods} pods; make up lands in {run.seconds:.0f} s")


def test_a_stack_whose_files_are_broken_can_be_looked_at_and_removed(stack: ClusterStack) -> None:
    """Only what says where it runs is needed: `make verify` shows it, and `make down` leaves nothing."""
    stack.edit_settings(lambda config: config.update(typo=1))
    (stack.root / "configs/systems/shop.yaml").write_text("services: [")
    looked = stack.run("verify")
    assert looked.code == 1 and "prometheus" in looked.text and "shop.yaml" in looked.text, looked.text[-2000:]
    assert stack.run("down", "--purge").code == 0
    left = {item.metadata.name for item in stack.api.list_namespace().items}
    assert not left & {stack.namespace, derive_agent_namespace(stack.namespace)}
