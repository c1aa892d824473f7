"""What somebody changes behind Pulumi's back is named by `drift`, put right by `up`, and then there is none."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import pytest

from cli.render import plan_file
from tests.support.clusters import ClusterStack
from tests.support.running import Run, RunningStack
from tests.support.waiting import eventually

SILENT, DRIFTED = 0, 3


@dataclass(frozen=True)
class Tampering:
    """A change by hand, and the kind, name and property of what `drift` is to say."""

    change: Callable[[RunningStack], object]
    kind: str
    name: str
    what: str


def ask(stack: RunningStack) -> tuple[Run, dict[str, Any]]:
    """The answer of `drift --json`."""
    run = stack.run("drift", "--json")
    assert "Traceback" not in run.text, run.text
    return run, json.loads(run.text[run.text.index("{") :])


def is_silent(stack: RunningStack) -> None:
    """Nothing is printed."""
    run = stack.run("drift")
    print(f"drift of a stack as declared: {run.seconds:.1f} s")
    assert run.code == SILENT and run.text.strip() == "", run.text


def replace(stack: RunningStack, workload: str, change: Callable[[dict[str, Any], dict[str, Any]], object]) -> None:
    """A container in the place of a workload's, with its labels and `change` applied to its configuration."""
    old = stack.container(workload)
    attrs = old.attrs
    config: dict[str, Any] = {
        key: attrs["Config"][key] for key in ("Image", "Env", "Cmd", "Entrypoint", "User", "Labels", "Hostname")
    }
    host = attrs["HostConfig"]
    old.remove(force=True)
    change(config, host)
    api = stack.client.api
    answer = api.post(
        f"{api.base_url}/v{api.api_version}/containers/create?name={stack.name}-{workload}",
        json={**config, "HostConfig": {**host, "NetworkMode": f"{stack.name}-monitoring"}},
    )
    answer.raise_for_status()
    stack.client.containers.get(answer.json()["Id"]).start()


def _open(config: dict[str, Any], host: dict[str, Any]) -> None:
    config["Env"] = [*(config["Env"] or ()), "DEBUG=1"]
    config["Cmd"] = [*(config["Cmd"] or ()), "--log.level=debug"]
    host["CapDrop"], host["Privileged"] = None, True
    host["Binds"] = [*(host["Binds"] or ()), "/:/host:ro"]


def _move_tag(stack: RunningStack) -> None:
    """Another image under the name of Loki's."""
    repository, _, tag = _find_reference(stack).rpartition(":")
    stack.client.api.tag(stack.container("traefik").attrs["Image"], repository, tag)


def _find_reference(stack: RunningStack) -> str:
    """The name of Loki's image, on the machine that deployed it."""
    plan = plan_file(stack.state / "work" / stack.name / f"Pulumi.{stack.name}.yaml", stack.name)
    return plan.images["loki"].reference(plan.settings.docker.registry_mirror)


def _edit(stack: RunningStack, workload: str, script: str) -> None:
    """Runs a script on the volume with a workload's documents, which its own container may only read."""
    volume = {f"{stack.name}-{workload}-config": {"bind": "/config", "mode": "rw"}}
    tools = {f"{stack.name}-tools": {"bind": "/tools", "mode": "ro"}}
    stack.client.containers.run(
        stack.container(workload).attrs["Image"], ["sh", "-ec", script], entrypoint="/tools/busybox", remove=True,
        user="0:0", volumes={**volume, **tools},
    )  # fmt: skip


def _remove_with_volume(stack: RunningStack) -> None:
    """A workload's container, its delivery's, and the volume with its documents."""
    for name in ("blackbox-exporter", "blackbox-exporter-configure"):
        stack.client.containers.get(f"{stack.name}-{name}").remove(force=True)
    stack.client.volumes.get(f"{stack.name}-blackbox-exporter-config").remove()


def _add_container(stack: RunningStack) -> None:
    stack.client.containers.create(
        stack.container("traefik").attrs["Image"], name=f"{stack.name}-shell",
        labels={"io.observability.stack": stack.name},
    )  # fmt: skip


def _connect(stack: RunningStack) -> None:
    network = stack.client.networks.create(f"{stack.name}-other", labels={"io.observability.stack": stack.name})
    network.connect(stack.container("web"))


EDIT = "/tools/busybox sed -i 's/^global:/# edited by hand\\nglobal:/' /config/..data/prometheus.yml"
TAMPERINGS = (
    Tampering(lambda s: s.container("api").remove(force=True), "container", "api", "presence"),
    Tampering(lambda s: s.container("grafana").stop(timeout=5), "container", "grafana", "state"),
    Tampering(lambda s: s.container("demo-webhook").pause(), "container", "demo-webhook", "state"),
    Tampering(
        lambda s: s.container("traefik").update(mem_limit="1g", memswap_limit="1g"),
        "container",
        "traefik",
        "memory limit",
    ),
    Tampering(
        lambda s: s.container("promtail").update(restart_policy=cast(Any, {"Name": "no"})),
        "container",
        "promtail",
        "restart policy",
    ),
    Tampering(
        lambda s: s.client.networks.get(f"{s.name}-monitoring").disconnect(
            s.container("postgres-exporter"), force=True
        ),
        "container",
        "postgres-exporter",
        "networks",
    ),
    Tampering(_connect, "container", "web", "networks"),
    Tampering(
        lambda s: s.container("node-exporter").rename(f"{s.name}-renamed"), "container", "node-exporter", "presence"
    ),
    Tampering(_add_container, "container", "shell", "presence"),
    Tampering(lambda s: replace(s, "alertmanager", _open), "container", "alertmanager", "environment DEBUG"),
    Tampering(_move_tag, "image", "", "what its name means"),
    Tampering(_remove_with_volume, "volume", "blackbox-exporter-config", "presence"),
    Tampering(lambda s: _edit(s, "prometheus", EDIT), "document", "prometheus:", "content"),
    Tampering(
        lambda s: _edit(s, "loki", "/tools/busybox rm /config/..data/loki.yaml"), "document", "loki:", "presence"
    ),
)
"""One for each thing and each property of it that can be changed; by 14 hands at the same time."""
OF_ONE_CONTAINER = ("environment DEBUG", "command", "privileged", "capabilities dropped", "mounts /host")
"""What is said of the container that was made again by hand."""


@pytest.mark.docker_engine
def test_tampering_is_named_and_put_right(stack: RunningStack) -> None:
    """Each of them, all at once: named with what is declared and what runs, and gone after one `make up`."""
    is_silent(stack)
    before = stack.container("loki").attrs["Image"]
    for item in TAMPERINGS:
        item.change(stack)
    run, answer = ask(stack)
    print(f"drift of {len(TAMPERINGS)} kinds: {run.seconds:.1f} s, {len(answer['deviations'])} named")
    assert run.code == DRIFTED and answer["code"] == DRIFTED
    for item in TAMPERINGS:
        assert _find(stack, answer, item), (item, answer)
    of_one = {d["what"] for d in answer["deviations"] if d["name"] == f"{stack.name}-alertmanager"}
    assert of_one >= set(OF_ONE_CONTAINER), of_one
    assert all(item["declared"] and item["running"] and item["repair"] for item in answer["deviations"])
    said = stack.run("drift")
    assert said.code == DRIFTED and re.search(r"memory limit: declared \d+ MiB; running 1024 MiB", said.text), said.text
    repaired = stack.up()
    print(f"make up put it right in {repaired.seconds:.1f} s")
    assert stack.client.images.get(_find_reference(stack)).id == before == stack.container("loki").attrs["Image"]
    is_silent(stack)


def _find(stack: RunningStack, answer: dict[str, Any], item: Tampering) -> list[Any]:
    name = f"{stack.name}-{item.name}" if item.kind != "image" else ""
    return [
        said
        for said in answer["deviations"]
        if said["kind"] == item.kind
        and said["what"] == item.what
        and (said["name"].startswith(name) if item.kind == "document" else name in ("", said["name"]))
    ]


@pytest.mark.docker_engine
def test_drift_changes_nothing(stack: RunningStack) -> None:
    """Neither a container nor Pulumi's state."""
    before, state = stack.identities(), stack.pulumi("stack", "export")
    stack.container("web").stop(timeout=5)
    assert stack.run("drift").code == DRIFTED
    assert stack.container("web").status == "exited" and stack.pulumi("stack", "export") == state
    stack.container("web").start()
    assert before.keys() == stack.identities().keys()
    stack.up()


def test_a_long_silence_is_named(stack: RunningStack) -> None:
    """Until somebody ends it; and the schedule's alert reaches the receiver, and ends."""
    silence = {
        "matchers": [{"name": "alertname", "value": "Nothing", "isRegex": False, "isEqual": True}],
        "startsAt": "2026-01-01T00:00:00Z", "endsAt": "2036-01-01T00:00:00Z", "createdBy": "e2e", "comment": "x",
    }  # fmt: skip
    made = stack.http("alertmanager", 9093, "POST", "/alertmanager/api/v2/silences", silence)
    run = stack.run("drift", "--notify", "1h")
    assert run.code == DRIFTED and "alertname=Nothing" in run.text, run.text
    eventually(lambda: stack.list_sent_alerts("firing", "StackDrift"), timeout=90, what="the alert")
    stack.http("alertmanager", 9093, "DELETE", f"/alertmanager/api/v2/silence/{made['silenceID']}")
    assert stack.run("drift", "--notify", "1h").code == SILENT
    eventually(lambda: stack.list_sent_alerts("resolved", "StackDrift"), timeout=400, what="the end of the alert")


def test_changes_of_objects_are_named_and_put_right(stack: RunningStack) -> None:
    """On a cluster: scaled, edited, removed and added objects, and a field with whoever added it."""
    if stack.engine.client is not None:
        pytest.skip("the stack is on an engine")
    cluster = cast(ClusterStack, stack)
    is_silent(stack)
    here = f"--namespace={cluster.namespace}"
    cluster.kubectl("scale", here, "deployment/traefik", "--replicas=0")
    cluster.kubectl("set", "image", here, "deployment/blackbox-exporter", "blackbox-exporter=example.invalid/x:1")
    cluster.kubectl("delete", here, "service/grafana", "networkpolicy/deny-all")
    cluster.kubectl("label", here, "configmap/kube-root-ca.crt", f"io.observability.stack={stack.name}")
    run, answer = ask(stack)
    said = {(item["kind"], item["name"].rpartition("/")[2], item["what"]) for item in answer["deviations"]}
    print(f"drift of a cluster: {run.seconds:.1f} s, {len(said)} named")
    assert said >= {
        ("Deployment", "traefik", "spec.replicas"),
        ("Deployment", "blackbox-exporter", "spec.template.spec.containers[blackbox-exporter].image"),
        ("Service", "grafana", "presence"),
        ("NetworkPolicy", "deny-all", "presence"),
        ("ConfigMap", "kube-root-ca.crt", "presence"),
    }
    cluster.kubectl("label", here, "configmap/kube-root-ca.crt", "io.observability.stack-")
    stack.up()
    is_silent(stack)
