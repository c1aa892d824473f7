"""A program that runs once on a cluster: what is made for it, and that it is as confined as what runs always."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from model.settings import KubernetesSettings, Toleration
from model.workload import SharedVolume
from targets.kubernetes.shared import ClusterScope
from targets.kubernetes.task import build_task_objects, name_task
from tests.support.workloads import IMAGES, SERVER

SETTINGS = KubernetesSettings.model_validate(
    {"imagePullSecrets": ("login",), "nodeSelector": {"disk": "ssd"}, "tolerations": (Toleration(key="dedicated"),)}
)
PLACE = ClusterScope(stack="dev", settings=SETTINGS, images=IMAGES)
BESIDE = replace(SERVER, beside="other", shared_volumes=(SharedVolume(name="other-data", path="/seen"),), ports=())


def objects(**more: Any) -> dict[str, dict[str, Any]]:
    """What is made for a task of a workload that stands beside another one, by kind."""
    made = build_task_objects(PLACE, BESIDE, ("do", "it"), {"/run/secrets/password": "canary"}, **more)
    return {item["kind"]: item for item in made}


def pod(**more: Any) -> dict[str, Any]:
    """Its pod."""
    return dict(objects(**more)["Job"]["spec"]["template"]["spec"])


def test_it_runs_once_and_is_not_forgotten() -> None:
    """A program that fails is not tried again by itself, and what nobody waits for any more goes."""
    spec = objects()["Job"]["spec"]
    assert spec["backoffLimit"] == 0 and spec["template"]["spec"]["restartPolicy"] == "Never"
    assert spec["ttlSecondsAfterFinished"] > 0 and spec["activeDeadlineSeconds"] > 0


def test_the_command_is_in_place_of_the_workloads_own() -> None:
    """With its image, or another one; without probes, ports and documents' delivery."""
    (container,) = pod()["containers"]
    assert container["command"] == ["do", "it"] and "args" not in container
    assert container["image"] == "example/server:v1" and "initContainers" not in pod()
    assert not {"ports", "livenessProbe", "readinessProbe", "startupProbe"} & container.keys()
    assert pod(image="agent")["containers"][0]["image"] == "example/agent:v1"


def test_it_has_the_user_and_the_place_of_its_workload() -> None:
    """The neighbour's user, whose volume it fills; nodes, taints and logins of registries as all of the stack."""
    spec = pod()
    owner = spec["securityContext"]["runAsUser"]
    assert owner == spec["securityContext"]["fsGroup"] and spec["securityContext"]["runAsNonRoot"] is True
    assert spec["nodeSelector"] == {"disk": "ssd"} and spec["tolerations"][0]["key"] == "dedicated"
    assert spec["imagePullSecrets"] == [{"name": "login"}]
    assert "serviceAccountName" not in spec and "affinity" not in spec  # neither is there while nothing runs
    own = spec["containers"][0]["securityContext"]
    assert (
        own["readOnlyRootFilesystem"] and not own["allowPrivilegeEscalation"] and own["capabilities"]["drop"] == ["ALL"]
    )


def test_it_sees_documents_secrets_and_one_claim() -> None:
    """Where the workload has them; the claim is there to be written to, and nothing else of the stack's is mounted."""
    spec = pod(claim=("other-data-other-0", "/seen"))
    sources = {volume["name"]: volume for volume in spec["volumes"]}
    mounts = {item["mountPath"]: sources[item["name"]] for item in spec["containers"][0]["volumeMounts"]}
    assert mounts["/seen"]["persistentVolumeClaim"] == {"claimName": "other-data-other-0"}
    assert mounts["/etc/server"]["configMap"]["name"] == mounts["/run/secrets"]["secret"]["secretName"]
    assert mounts["/data"] == {"name": "server-data", "emptyDir": {}}
    assert {item["mountPath"] for item in spec["containers"][0]["volumeMounts"]} == {
        "/seen", "/etc/server", "/run/secrets", "/data", "/cache", "/tmp",
    }  # fmt: skip
    assert "/seen" not in {item["mountPath"] for item in pod()["containers"][0]["volumeMounts"]}


def test_secrets_are_in_the_secret_alone() -> None:
    """Files by their names; no other object has a value."""
    made = objects()
    assert made["Secret"]["stringData"] == {"password": "canary"}
    assert "canary" not in str([item for kind, item in made.items() if kind != "Secret"])


def test_its_pod_is_none_of_the_stacks() -> None:
    """It is found by its own label, so that health, and what runs of a stack, leave it out."""
    labels = objects()["Job"]["spec"]["template"]["metadata"]["labels"]
    assert labels["io.observability.task"] == name_task(BESIDE) == "server-task"
    assert not {"io.observability.stack", "io.observability.workload"} & labels.keys()
