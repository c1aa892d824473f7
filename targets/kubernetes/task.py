"""A program that runs once for a stack that does not, as plain data: a Job, and what it reads.

Format: https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/job-v1/. The pod is that of the workload
whose program it is, with another command, without what only a deployment makes, and with one more claim to write to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from model.base import DAY
from model.naming import LABEL
from model.workload import SECRETS_DIR, Workload
from targets.kubernetes.pod import build_pod
from targets.kubernetes.shared import ClusterScope, Object, build_metadata

SECONDS = DAY
"""After which the cluster ends and removes what nobody waits for any more."""
_ROLE = {f"{LABEL}.role": "task"}


def name_task(workload: Workload) -> str:
    """The name of everything that is made for a task of a workload."""
    return f"{workload.name}-task"


def build_task_objects(
    scope: ClusterScope,
    workload: Workload,
    command: Sequence[str],
    secrets: Mapping[str, str],
    *,
    image: str = "",
    claim: tuple[str, str] | None = None,
) -> list[Object]:
    """The Secret and the ConfigMap that the program reads, and its Job.

    Args:
        scope: where it goes.
        workload: whose program it is.
        command: its command line.
        secrets: contents of secret files by path.
        image: another image than the workload's.
        claim: name of a claim that it may write to, and the path at which it sees that.
    """
    name = name_task(workload)
    files = {path.rpartition("/")[2]: text for path, text in secrets.items()}
    documents = dict(workload.config.files) if workload.config else {}
    meta = build_metadata(scope, name, scope.namespace, **_ROLE)
    job: Object = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": meta,
        "spec": {
            "backoffLimit": 0,
            "activeDeadlineSeconds": SECONDS,
            "ttlSecondsAfterFinished": SECONDS,
            "template": {
                "metadata": {"labels": {f"{LABEL}.task": name, **_ROLE, **scope.settings.labels}},
                "spec": _build_pod(scope, workload, command, image, claim),
            },
        },
    }
    return [
        {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "stringData": files},
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": documents},
        job,
    ]


def _build_pod(
    scope: ClusterScope, workload: Workload, command: Sequence[str], image: str, claim: tuple[str, str] | None
) -> Object:
    plain = replace(workload, config=None, secrets=(), shared_volumes=(), volumes=(), probe=None, ports=())
    pod = build_pod(scope, replace(plain, image=image or workload.image, entrypoint=tuple(command), args=()))
    for key in ("serviceAccountName", "affinity", "initContainers"):
        pod.pop(key, None)  # the first is not there; nothing stands anywhere yet; and nothing is probed
    (container,) = pod["containers"]
    tools = {"tools"}
    container["volumeMounts"] = [item for item in container["volumeMounts"] if item["name"] not in tools]
    pod["volumes"] = [item for item in pod["volumes"] if item["name"] not in tools]
    name = name_task(workload)
    mounts: list[tuple[str, str, Object]] = [
        ("secrets", SECRETS_DIR, {"secret": {"secretName": name, "defaultMode": 0o440}}),
        *((volume.name, volume.path, {"emptyDir": {}}) for volume in workload.volumes),
    ]
    if workload.config:
        mounts.append(("config", workload.config.path, {"configMap": {"name": name}}))
    if claim:
        mounts.append(("data", claim[1], {"persistentVolumeClaim": {"claimName": claim[0]}}))
    container["volumeMounts"] += [{"name": name, "mountPath": path} for name, path, _ in mounts]
    pod["volumes"] += [{"name": name, **source} for name, _, source in mounts]
    return {**pod, "restartPolicy": "Never"}
