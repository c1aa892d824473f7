"""What only a cluster has: admission, identities, drift, drained pods, volumes that grow, namespaces of others."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlencode

import pytest
from kubernetes import client as kubernetes  # type: ignore[import-untyped]  # it publishes no types

from cli.render import plan_file, render_config_maps, render_objects
from model.capacity import SCRAPE_META, count_series, estimate_prometheus_memory
from model.naming import derive_agent_namespace
from tests.e2e.test_no_change import unchanged
from tests.support.clusters import AGENTS, ClusterStack
from tests.support.running import ROOT, RunningStack
from tests.support.waiting import eventually
from tests.support.yaml_files import read_yaml, read_yaml_documents, write_yaml

MAY = {
    ("prometheus", ""): ("list pods", "watch pods"),
    ("prometheus", "*"): ("list nodes", "get nodes/metrics"),
    ("promtail", "*"): ("list pods", "watch pods"),
    ("kube-state-metrics", "*"): (
        "list pods",
        "list deployments.apps",
        "watch nodes",
        "list horizontalpodautoscalers.autoscaling",
    ),
}
MAY_NOT = {
    "prometheus": ("get secrets", "list secrets", "create pods", "delete pods", "get nodes/proxy", "get pods/log"),
    "promtail": ("get secrets", "create pods", "patch nodes", "get pods/exec"),
    "kube-state-metrics": ("list secrets", "list configmaps", "delete pods"),
    "grafana": ("list pods", "get secrets"),
    "traefik": ("list pods", "get secrets", "list services"),
}


@pytest.fixture
def cluster(stack: RunningStack) -> ClusterStack:
    """The stack, with what is a cluster's about it."""
    return cast(ClusterStack, stack)


def _rendered(cluster: ClusterStack) -> str:
    plan = plan_file(cluster.settings_in_use, cluster.name)
    return "\n---\n".join({**render_objects(plan), **render_config_maps(plan)}.values())


def test_the_api_server_accepts_every_object(cluster: ClusterStack) -> None:
    """A dry run on the server, with its admission, of everything that is rendered."""
    every = [item for item in read_yaml_documents(_rendered(cluster)) if item]
    listed = {"apiVersion": "v1", "kind": "List", "items": every}
    done = cluster.kubectl(
        "apply", "--server-side", "--force-conflicts", "--dry-run=server", "--filename=-", document=listed
    )
    assert len(done.stdout.splitlines()) == len(every)
    assert "Warning" not in done.stderr, done.stderr


def test_pods_are_admitted_as_enforced(cluster: ClusterStack) -> None:
    """The stack's own namespace enforces the strictest level, and a pod that breaks it is refused."""
    levels = {
        name: cluster.api.read_namespace(name).metadata.labels["pod-security.kubernetes.io/enforce"]
        for name in (cluster.namespace, derive_agent_namespace(cluster.namespace))
    }
    assert list(levels.values()) == ["restricted", "privileged"]
    pod = {
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "bad", "namespace": cluster.namespace},
        "spec": {"containers": [{"name": "bad", "image": "busybox", "securityContext": {"privileged": True}}]},
    }  # fmt: skip
    refused = cluster.kubectl("create", "--filename=-", document=pod, check=False)
    assert refused.returncode != 0 and "violates PodSecurity" in refused.stderr


def test_identities_may_do_what_they_need_and_no_more(cluster: ClusterStack) -> None:
    """Each service account can do what its process does, and none of a list of other things."""

    def may(account: str, what: str, namespace: str) -> bool:
        home = derive_agent_namespace(cluster.namespace) if account in AGENTS else cluster.namespace
        verb, _, resource = what.partition(" ")
        where = ["--all-namespaces"] if namespace == "*" else [f"--namespace={namespace or cluster.namespace}"]
        who = f"--as=system:serviceaccount:{home}:{account}"
        name, _, sub = resource.partition("/")
        asked = [verb, name, *([f"--subresource={sub}"] if sub else [])]
        return cluster.kubectl("auth", "can-i", *asked, *where, who, check=False).stdout.strip() == "yes"

    lacking = [
        (account, what) for (account, home), rights in MAY.items() for what in rights if not may(account, what, home)
    ]
    assert not lacking
    too_much = [(account, what) for account, rights in MAY_NOT.items() for what in rights if may(account, what, "")]
    assert not too_much


def test_lines_carry_where_they_come_from(cluster: ClusterStack) -> None:
    """Namespace, pod, container and app are labels of a pod's lines."""
    pod = cluster.pod("api").metadata.name
    query = f'{{namespace="{cluster.namespace}", pod="{pod}", container="api", app="api"}}'
    assert eventually(lambda: cluster.loki(query), timeout=20, what=query)


def test_the_capacity_plan_is_right(cluster: ClusterStack) -> None:
    """Expected series are those of the live Prometheus within a quarter, and its memory is less than expected."""
    plan = plan_file(cluster.settings_in_use, cluster.name)
    size = plan.settings.kubernetes.model_copy(
        update={"expected_nodes": 1, "expected_pods": len(cluster.api.list_pod_for_all_namespaces().items)}
    )
    expected = count_series(plan.system, replace(plan.telemetry, rules=()), size)
    (total,) = cluster.prom(f"sum(scrape_samples_post_metric_relabeling + {SCRAPE_META})")
    live = float(total["value"][1])
    working = cluster.prom('max(container_memory_working_set_bytes{container="prometheus", name=~"prometheus.+"})')
    used, limit = float(working[0]["value"][1]), estimate_prometheus_memory(plan.system, plan.telemetry, size)
    print(
        f"{live:,.0f} series, {expected:,.0f} expected; Prometheus takes {used / 2**20:.0f} MiB,"
        f" {limit / 2**20:.0f} MiB expected"
    )
    assert abs(expected / live - 1) < 0.25
    assert used < limit


def test_several_instances_are_scraped_and_agree(cluster: ClusterStack) -> None:
    """Both Prometheus are targets with names of their own, and all Alertmanagers know each other."""
    pods = {series["metric"]["pod"] for series in cluster.prom('up{service="prometheus"} == 1')}
    assert pods == {"prometheus-0", "prometheus-1"}
    members = cluster.prom("alertmanager_cluster_members")
    assert {(series["metric"]["pod"], series["value"][1]) for series in members} == {
        (f"alertmanager-{number}", "3") for number in range(3)
    }


def test_drift_is_shown_and_repaired(cluster: ClusterStack) -> None:
    """What somebody edits by hand is seen by refresh, and the next up takes it back."""
    cluster.kubectl("scale", f"--namespace={cluster.namespace}", "deployment/traefik", "--replicas=0")
    shown = cluster.run("refresh")
    assert shown.code == 0 and "replicas" in shown.text and not unchanged(shown.text), shown.text[-2000:]
    cluster.up()
    assert cluster.pod("traefik")
    assert unchanged(cluster.run("preview").text)


@pytest.fixture
def _marker(cluster: ClusterStack) -> Iterator[str]:
    """A line in Loki and a sample in Prometheus from before."""
    began = str(int(time.time()))
    cluster.http("api", 4000, "POST", "/demo/logs", {"msg": f"before {began}", "level": "info"})
    eventually(lambda: cluster.loki(f'{{job="containerlogs"}} |= "before {began}"'), timeout=20, what="the line")
    yield began


@pytest.mark.parametrize("workload", ["prometheus", "alertmanager", "loki", "grafana", "promtail", "traefik"])
def test_a_killed_process_comes_back_with_its_data(cluster: ClusterStack, workload: str, _marker: str) -> None:
    """SIGKILL: the container is started anew, and nothing that was stored is lost."""
    pod = cluster.pod(workload)
    restarts = _restarts(pod, workload)
    cluster.kill(pod, workload)
    eventually(lambda: _restarts(cluster.pod(workload), workload) > restarts, timeout=90, what=f"{workload} again")
    _nothing_lost(cluster, _marker)


@pytest.mark.parametrize("workload", ["prometheus", "loki"])
def test_a_deleted_pod_comes_back_with_its_data(cluster: ClusterStack, workload: str, _marker: str) -> None:
    """Its successor mounts the same volume."""
    pod = cluster.pod(workload)
    cluster.api.delete_namespaced_pod(pod.metadata.name, pod.metadata.namespace)

    def again() -> bool:
        return bool(cluster.pod_named(pod.metadata.name).metadata.uid != pod.metadata.uid and cluster.pod(workload))

    eventually(again, timeout=120, what=f"{workload} again")
    _nothing_lost(cluster, _marker)


def test_a_pair_of_prometheus_has_no_gap(cluster: ClusterStack) -> None:
    """While one instance is deleted and comes back, the other has every sample."""
    began = time.time()
    gone = cluster.pod_named("prometheus-0")
    cluster.api.delete_namespaced_pod("prometheus-0", cluster.namespace)

    def again() -> bool:
        successor = cluster.pod_named("prometheus-0")
        return bool(successor.metadata.uid != gone.metadata.uid and successor.status.container_statuses[0].ready)

    eventually(again, timeout=120, what="prometheus-0 again")
    query = urlencode({"query": f'up{{service="api"}}[{int(time.time() - began) + 10}s]'})
    answer = cluster.host.fetch(cluster.pod_named("prometheus-1"), 9090, f"/prometheus/api/v1/query?{query}")
    (series,) = json.loads(answer)["data"]["result"]
    times = [float(at) for at, _ in series["values"]]
    longest = max(later - earlier for earlier, later in pairwise(times))
    print(f"longest gap of the pair: {longest:.1f} s (scrape interval 5 s)")
    assert longest < 7.5


def test_a_drain_takes_one_replica_and_an_alert_is_still_told_once(cluster: ClusterStack) -> None:
    """`kubectl drain` of the node: one of each pair goes, the other is kept until it is back; nobody is told twice."""
    (node,) = [item.metadata.name for item in cluster.api.list_node().items]
    pair = "io.observability.workload in (prometheus, alertmanager)"
    before = {pod: identity[0] for pod, identity in cluster.identities().items()}
    cluster.http("demo-webhook", 8080, "DELETE", "/demo/webhook")
    cluster.fault("api", 4000, "down")
    try:
        eventually(
            lambda: cluster.list_sent_alerts("firing", "TargetDown", "api"), timeout=150, what="TargetDown is told"
        )
        drained = cluster.kubectl(
            "drain", node, f"--pod-selector={pair}", "--delete-emptydir-data", "--timeout=30s", check=False
        )
        # nowhere else to go: the second of each pair stays, because the budget says so
        assert drained.returncode != 0 and "would violate the pod's disruption budget" in drained.stderr, drained.stderr
        left = {pod for pod, uid in before.items() if cluster.identities().get(pod, ("",))[0] == uid}
        assert len(left & {"prometheus-0", "prometheus-1"}) == 1
        assert len(left & {"alertmanager-0", "alertmanager-1", "alertmanager-2"}) == 2
        assert cluster.prom('up{service="api"} == 0')
    finally:
        cluster.kubectl("uncordon", node)
        eventually(lambda: _all_ready(cluster), timeout=180, what="all pods are back")
        told = cluster.list_sent_alerts("firing", "TargetDown", "api")
        cluster.heal("api", 4000)
    assert len(told) == 1, told
    eventually(lambda: cluster.list_sent_alerts("resolved", "TargetDown", "api"), timeout=400, what="its end is told")
    assert len(cluster.list_sent_alerts("firing", "TargetDown", "api")) == 1


def _all_ready(cluster: ClusterStack) -> bool:
    states = [state for pod in cluster.host.list_pods() for state in pod.status.container_statuses or ()]
    return bool(states) and all(state.ready for state in states)


def _restarts(pod: Any, container: str) -> int:
    return next(int(state.restart_count) for state in pod.status.container_statuses if state.name == container)


def _nothing_lost(cluster: ClusterStack, marker: str) -> None:
    query = f'{{job="containerlogs"}} |= "before {marker}"'
    eventually(lambda: len(cluster.loki(query)) == 1, timeout=60, what="the line of before, once")
    eventually(lambda: cluster.prom(f'up{{service="api"}} @ {marker}'), timeout=60, what="a sample of before")


def test_a_volume_grows_and_does_not_shrink(cluster: ClusterStack) -> None:
    """More retention makes the claim grow in place; less is refused before anything is touched."""
    claims = cluster.api.list_namespaced_persistent_volume_claim(cluster.namespace).items
    assert len(claims) >= 7
    held = next(claim for claim in claims if claim.metadata.name.startswith("loki-data"))
    spec = {"spec": {"resources": {"requests": {"storage": "20Gi"}}}}
    cluster.api.patch_namespaced_persistent_volume_claim(held.metadata.name, cluster.namespace, spec)

    def grown() -> bool:
        found = cluster.api.read_namespaced_persistent_volume_claim(held.metadata.name, cluster.namespace)
        return bool(found.status.capacity["storage"] == "20Gi")

    eventually(grown, timeout=60, what="the volume has grown")
    run = cluster.run("up")
    assert run.code != 0 and "has 20Gi and cannot shrink to 10Gi" in run.text, run.text[-2000:]


def _refused(cluster: ClusterStack, settings: dict[str, str], words: str) -> None:
    """With these settings a run ends with these words, within ten seconds."""
    cluster.edit_settings(lambda config: config.update(kubernetes=settings))
    try:
        run = cluster.run("preview")
        print(f"{words}: {run.seconds:.1f} s (limit 10 s)")
        assert run.code != 0 and words in run.text and "Traceback" not in run.text, run.text
        assert run.seconds < 10
    finally:
        cluster.edit_settings(lambda config: config.pop("kubernetes"))


def test_somebody_elses_namespace_is_left_alone(cluster: ClusterStack) -> None:
    """A namespace that this program did not make is refused before anything is registered."""
    name = "somebody-elses"
    cluster.api.create_namespace({"metadata": {"name": name}})
    try:
        _refused(cluster, {"namespace": name}, f"Namespace {name} exists and was not made by this program")
    finally:
        cluster.api.delete_namespace(name)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"context": "nowhere"}, "no context 'nowhere'"),
        ({"kubeconfig": "/no/such/file"}, "no kubeconfig can be read"),
    ],
)
def test_a_wrong_cluster_is_told_in_time(cluster: ClusterStack, settings: dict[str, str], words: str) -> None:
    """One clear message within ten seconds."""
    _refused(cluster, settings, words)


@pytest.fixture
def _silent_port() -> Iterator[int]:
    """A port of this machine that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def _kubeconfig(cluster: ClusterStack, path: Path, server: str, user: dict[str, Any]) -> dict[str, str]:
    """The setting that names the cluster's kubeconfig with another address or another user."""
    document = read_yaml(cluster.kubeconfig.read_text())
    document["clusters"][0]["cluster"] = {
        **document["clusters"][0]["cluster"],
        **({"server": server} if server else {}),
    }
    document["users"][0]["user"] = user or document["users"][0]["user"]
    path.write_text(write_yaml(document))
    return {"kubeconfig": str(path)}


def test_a_cluster_that_does_not_answer_is_told_in_time(
    cluster: ClusterStack, tmp_path: Path, _silent_port: int
) -> None:
    """Nothing listens, or what listens is silent: one message within ten seconds."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    _refused(cluster, _kubeconfig(cluster, tmp_path / "closed", f"https://127.0.0.1:{port}", {}), "no cluster answers")
    silent = _kubeconfig(cluster, tmp_path / "silent", f"https://127.0.0.1:{_silent_port}", {})
    _refused(cluster, silent, "no cluster answers")


def test_missing_rights_are_told_in_time(cluster: ClusterStack, tmp_path: Path) -> None:
    """A user who may only look is told all that is lacking, before anything is touched."""
    before = cluster.identities()
    cluster.kubectl("create", "serviceaccount", "visitor", "--namespace=default")
    try:
        role = ["--clusterrole=view", "--serviceaccount=default:visitor"]
        cluster.kubectl("create", "clusterrolebinding", "visitor", *role)
        token = cluster.kubectl("create", "token", "visitor", "--namespace=default").stdout.strip()
        _refused(
            cluster, _kubeconfig(cluster, tmp_path / "visitor", "", {"token": token}), "this user may not create/patch"
        )
    finally:
        cluster.kubectl("delete", "clusterrolebinding/visitor", check=False)
        cluster.kubectl("delete", "serviceaccount/visitor", "--namespace=default", check=False)
    assert cluster.identities() == before


def test_down_leaves_data_and_purge_leaves_nothing(cluster: ClusterStack) -> None:
    """`make down` keeps claims and says so; PURGE=1 leaves nothing, once nothing of others is there."""
    claims = cluster.api.list_namespaced_persistent_volume_claim(cluster.namespace).items
    run = cluster.run("down")
    assert run.code == 0 and "Kept data volumes" in run.text and "prometheus-data-prometheus-0" in run.text
    assert not cluster.host.list_pods()
    kept = {
        claim.metadata.name for claim in cluster.api.list_namespaced_persistent_volume_claim(cluster.namespace).items
    }
    assert {claim.metadata.name for claim in claims} >= kept >= {"loki-data-loki-0", "grafana-data-grafana-0"}
    cluster.kubectl("create", "configmap", "notes", f"--namespace={cluster.namespace}")
    refused = cluster.run("down", "--purge")
    assert refused.code == 2 and f"ConfigMap notes in namespace {cluster.namespace}" in refused.text
    assert (
        "Secret" not in refused.text and "PersistentVolumeClaim" not in refused.text
    )  # what is ours is none of theirs
    cluster.kubectl("delete", "configmap", "notes", f"--namespace={cluster.namespace}")
    assert cluster.run("down", "--purge").code == 0
    with pytest.raises(kubernetes.exceptions.ApiException):
        cluster.api.read_namespace(cluster.namespace)


@pytest.mark.parametrize("system", ["agenttrace", "devops-mcp"])
def test_services_are_found_by_discovery(
    cluster: ClusterStack, system: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The system's own stack on Kubernetes: its services' pods are found by labels, and their lines are there."""
    folder = tmp_path_factory.mktemp(system)
    own = ClusterStack(folder, f"e2e-{system}", cluster.kubeconfig, ports=28200, system=system)
    shipped = read_yaml((ROOT / f"Pulumi.{system}-kubernetes.yaml").read_text())["config"]
    given = {key.partition(":")[2]: value for key, value in shipped.items()}
    own.edit_settings(
        lambda config: config.update({k: v for k, v in given.items() if k not in ("environment", "demo")})
    )
    own.edit_settings(lambda config: config.update(scrapeInterval="5s"))
    try:
        run = own.up()
        plan = plan_file(own.settings_in_use, own.name)
        services = {key: item for key, item in plan.system.services.items() if item.kubernetes}
        assert services
        for key in services:
            (series,) = eventually(lambda key=key: own.prom(f'up{{job="{key}"}} == 1'), timeout=60, what=key)  # type: ignore[misc]
            assert series["metric"]["pod"].startswith(f"{key}-") and series["metric"]["namespace"] == own.namespace
            query = f'{{namespace="{own.namespace}", app="{key}"}}'
            eventually(lambda query=query: own.loki(query), timeout=60, what=query)  # type: ignore[misc]
        assert not own.prom("up == 0")
        print(f"{system}: make up in {run.seconds:.0f} s, {len(own.prom('up'))} targets up")
    finally:
        own.run("down", "--purge")
