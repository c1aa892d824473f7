"""Pods by what they say: hardening and groups."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from model.settings import KubernetesSettings
from model.workload import DataVolume, SharedVolume, Workload
from targets.kubernetes import manifests
from targets.kubernetes.shared import ClusterScope
from tests.support.workloads import IMAGES, PLAIN, SERVER

PLACE = ClusterScope(stack="dev", settings=KubernetesSettings(), images=IMAGES)


def pod(workload: Workload, scope: ClusterScope = PLACE) -> dict[str, Any]:
    """The pod's specification."""
    return dict(manifests.build_controller(scope, workload)["spec"]["template"]["spec"])


def every_container(spec: dict[str, Any]) -> list[dict[str, Any]]:
    """Containers of all kinds."""
    return [*spec.get("initContainers", []), *spec["containers"]]


@pytest.mark.parametrize("workload", [SERVER, PLAIN], ids=lambda w: w.name)
def test_a_pod_fits_the_restricted_level(workload: Workload) -> None:
    """Non-root, read-only, no capability, no escalation, the runtime's seccomp profile, and bounds: every container."""
    spec = pod(workload)
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in every_container(spec):
        own = container["securityContext"]
        assert own["allowPrivilegeEscalation"] is False
        assert own["readOnlyRootFilesystem"] is True
        assert own["capabilities"]["drop"] == ["ALL"]
        assert {"memory", "cpu"} == set(container["resources"]["limits"]) == set(container["resources"]["requests"])
    assert not [volume for volume in spec["volumes"] if "hostPath" in volume]


@pytest.mark.parametrize("workload", [SERVER, PLAIN], ids=lambda w: w.name)
def test_probes_have_their_time(workload: Workload) -> None:
    """Every probe says how long it may take: the default is one second, which a busy node exceeds."""
    probes = [value for each in every_container(pod(workload)) for key, value in each.items() if key.endswith("Probe")]
    assert probes or workload.probe is None
    assert all(probe.get("timeoutSeconds", 1) > 1 for probe in probes)


def test_groups_are_supplemental() -> None:
    """A pod is in the groups that its workload names; in none where it names none."""
    assert pod(replace(PLAIN, groups=(33, 4)))["securityContext"]["supplementalGroups"] == [4, 33]
    assert "supplementalGroups" not in pod(PLAIN)["securityContext"]


def test_agents_of_a_node_share_its_folders() -> None:
    """What one agent writes another one of the same node reads, and cannot change."""
    volume, view = DataVolume(name="links", path="/w"), SharedVolume(name="links", path="/r")
    writer = pod(replace(PLAIN, placement="node-agent", volumes=(volume,)))
    reader = pod(replace(PLAIN, name="reader", placement="node-agent", shared_volumes=(view,)))
    (written, read) = ([each for each in spec["volumes"] if each["name"] == "links"] for spec in (writer, reader))
    assert written == read and written[0]["hostPath"]["type"] == "DirectoryOrCreate"
    (mount,) = [each for each in reader["containers"][0]["volumeMounts"] if each["name"] == "links"]
    assert mount == {"name": "links", "mountPath": "/r", "readOnly": True}


BESIDE = replace(
    SERVER, name="helper", beside="server", shared_volumes=(SharedVolume(name="server-data", path="/seen"),)
)


def test_what_stands_beside_a_workload_has_its_user_and_its_node() -> None:
    """It reads the first instance's claim, which is attached to one node, and cannot write to it."""
    spec, neighbour = pod(BESIDE), pod(SERVER)
    assert spec["securityContext"]["runAsUser"] == neighbour["securityContext"]["runAsUser"]
    assert spec["securityContext"]["fsGroup"] == neighbour["securityContext"]["fsGroup"]
    (term,) = spec["affinity"]["podAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert term["topologyKey"] == "kubernetes.io/hostname"
    assert term["labelSelector"]["matchLabels"] == {
        "statefulset.kubernetes.io/pod-name": "server-0", "io.observability.stack": "dev",
    }  # fmt: skip
    claims = [volume for volume in spec["volumes"] if "persistentVolumeClaim" in volume]
    assert claims == [{"name": "server-data", "persistentVolumeClaim": {"claimName": "server-data-server-0"}}]
    assert {"name": "server-data", "mountPath": "/seen", "readOnly": True} in spec["containers"][0]["volumeMounts"]


def test_a_workload_goes_where_its_volume_is_in_use() -> None:
    """A new instance would wait for ever on another node; with several, what keeps them apart weighs more."""
    labels = manifests.build_controller(PLACE, BESIDE)["spec"]["template"]["metadata"]["labels"]
    affinity = pod(replace(SERVER, accompanied=True, replicas=2))["affinity"]
    (wish,) = affinity["podAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"]
    wanted = wish["podAffinityTerm"]["labelSelector"]["matchLabels"]
    assert wanted.items() <= labels.items() and wanted["io.observability.beside"] == "server"
    (apart,) = affinity["podAntiAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"]
    assert wish["weight"] < apart["weight"]
    assert "affinity" not in pod(SERVER)
