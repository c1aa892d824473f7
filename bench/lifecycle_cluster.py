"""Measurements on a Kubernetes cluster: each step of a stack's life beside `kubectl` with the same objects.

What kubectl does is less: it waits for pods, but not for targets, and it does not know whether a process took its
documents. Each step ends for both when the same thing is true: all pods are ready, the rule is live, nothing is left.
"""

from __future__ import annotations

import json
import secrets
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from bench.bench_stack import NAME, BenchStack
from bench.report import Row, measure_seconds, wait_until
from cli.cluster_host import ClusterHost, read_pod_health
from cli.render import build_cluster_scope, plan_file, render_config_maps, render_objects
from cli.workspace import ROOT
from model.plan import Plan
from targets.kubernetes import storage

EDIT_LIMIT = 10.0
"""Seconds after the end of `up` within which a changed rule must be live."""
_RULES = "/prometheus/api/v1/rules?type=alert"
_READY_SECONDS = 300


class Peer:
    """The stack's own objects in the hands of kubectl."""

    def __init__(self, plan: Plan) -> None:
        self._settings = plan.settings.kubernetes
        self._program = _ask_toolchain("validator", "kubectl", "--pinned")
        self.host = ClusterHost(NAME, self._settings)
        self.documents = _build_documents(plan)

    def apply(self) -> None:
        """Applies all objects on the server's side."""
        self._kubectl("apply", "--server-side", "--force-conflicts", "--filename=-", documents=self.documents)

    def up(self) -> None:
        """Applies, and waits until every pod is ready."""
        self.apply()
        wait_ready(self.host)

    def down(self) -> None:
        """Deletes all objects, and waits until they are gone."""
        self._kubectl("delete", "--ignore-not-found", "--filename=-", documents=self.documents)

    def _kubectl(self, *arguments: str, documents: list[Any]) -> None:
        config = [f"--kubeconfig={self._settings.kubeconfig}"] if self._settings.kubeconfig else []
        context = [f"--context={self._settings.context}"] if self._settings.context else []
        text = json.dumps({"apiVersion": "v1", "kind": "List", "items": documents})
        subprocess.run(
            [self._program, *config, *context, *arguments], input=text, text=True, check=True, capture_output=True
        )


def measure_beside_kubectl(runs: int) -> Iterator[Row]:
    """From nothing, no change, a rule, and the end: `make` beside `kubectl`, one after the other on one cluster."""
    settings = {"target": "kubernetes", "kubernetes": {"kubeconfig": _ask_toolchain("cluster")}}
    with BenchStack(change=settings) as stack:
        measured: dict[str, list[float]] = {}
        plans: list[Plan] = []
        for number in range(runs):
            for what, seconds in _measure_life(stack, f"BenchEdit{number}", plans):
                measured.setdefault(what, []).append(seconds)
        ours = {what: statistics.median(every) for what, every in measured.items()}
        plan = plans[0]
        theirs = dict(_measure_peer_life(Peer(plan)))
    count = len(_build_documents(plan))
    yield Row(f"up from nothing, {count} objects", f"{ours['up']:.1f} s", f"kubectl {theirs['up']:.1f} s", runs)
    yield Row("up without a change", f"{ours['no-op']:.1f} s", f"kubectl {theirs['no-op']:.1f} s", runs)
    beside = f"kubectl {theirs['edit']:.1f} s"
    yield Row("rule edit -> live, from the start", f"{ours['edit']:.1f} s", beside, runs)
    late, limit = ours["edit late"], f"limit {EDIT_LIMIT:.0f} s"
    yield Row("rule edit -> live, from the end of up", f"{late:.1f} s", limit, runs, late <= EDIT_LIMIT)
    yield Row("destroy with data", f"{ours['down']:.1f} s", f"kubectl {theirs['down']:.1f} s", runs)


def _ask_toolchain(*arguments: str) -> str:
    """The last line that a command of the toolchain prints: a path."""
    command = [sys.executable, "-m", "toolchain", *arguments]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout.strip().splitlines()[-1]


def _measure_life(stack: BenchStack, name: str, plans: list[Plan]) -> Iterator[tuple[str, float]]:
    """Seconds of each step of a stack that ends where it began: with nothing. Its plan is added to `plans`."""
    phases = stack.up()
    yield "up", phases["pulumi up"] + phases["health"]
    yield "no-op", stack.up()["pulumi up"]
    plans.append(_build_deployed_plan(stack))
    host = ClusterHost(NAME, plans[-1].settings.kubernetes)
    stack.add_alert(name)
    began = time.monotonic()
    stack.up()
    ended = time.monotonic()
    wait_until(lambda: is_live(host, name), timeout=120, what=name)
    yield "edit", time.monotonic() - began
    yield "edit late", time.monotonic() - ended
    yield "down", measure_seconds(stack.down)


def _measure_peer_life(peer: Peer) -> Iterator[tuple[str, float]]:
    try:
        yield "up", measure_seconds(peer.up)
        yield "no-op", measure_seconds(peer.apply)
        yield "edit", measure_seconds(lambda: _edit_rule(peer))
    finally:
        seconds = measure_seconds(peer.down)
    yield "down", seconds


def _edit_rule(peer: Peer) -> None:
    """One more rule in the ConfigMap, by hand; the sidecar delivers it as it delivers ours."""
    (item,) = [each for each in peer.documents if each["metadata"]["name"] == "prometheus-config"]
    file = next(key for key in item["data"] if key.startswith("rules"))
    content = yaml.safe_load(item["data"][file])
    content["groups"].append({"name": "peer", "rules": [{"alert": "PeerEdit", "expr": "vector(0) > 1"}]})
    item["data"] |= {file: yaml.safe_dump(content), storage.REVISION_KEY: secrets.token_hex(6)}
    peer.apply()
    wait_until(lambda: is_live(peer.host, "PeerEdit"), timeout=180, what="PeerEdit")


def is_live(host: ClusterHost, name: str) -> bool:
    """Whether every instance of Prometheus has the rule."""
    pods = host.list_pods("prometheus")
    return bool(pods) and all(name in host.fetch(pod, 9090, _RULES) for pod in pods)


def wait_ready(host: ClusterHost) -> None:
    """Waits until there are pods and every one is ready."""

    def ready() -> bool:
        states = [read_pod_health(pod) for pod in host.list_pods()]
        return bool(states) and all(item.good for item in states)

    wait_until(ready, timeout=_READY_SECONDS, what="every pod is ready")


def _build_deployed_plan(stack: BenchStack) -> Plan:
    """The plan with what this machine adds to the settings."""
    return plan_file(stack.space.directory / f"Pulumi.{NAME}.yaml", NAME)


def _build_documents(plan: Plan) -> list[dict[str, Any]]:
    """All objects of a stack, with Secrets of random content where the program would make some."""
    text = "\n---\n".join({**render_objects(plan), **render_config_maps(plan)}.values())
    every: list[dict[str, Any]] = [item for item in yaml.safe_load_all(text) if item]
    scope = build_cluster_scope(plan)
    for workload in plan.list_workloads():
        for name, secret_files in storage.group_secret_files(workload).items():
            files = {Path(secret.path).name: secrets.token_urlsafe(24) for secret in secret_files}
            meta = {"name": name, "namespace": scope.find_namespace(workload)}
            every.append({"apiVersion": "v1", "kind": "Secret", "metadata": meta, "stringData": files})
    return sorted(every, key=lambda item: item["kind"] != "Namespace")
