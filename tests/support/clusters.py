"""A stack that really runs on a Kubernetes cluster, for the same tests that a stack on a Docker engine passes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from base64 import b64decode
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from kubernetes import client as kubernetes  # type: ignore[import-untyped]  # it publishes no types
from kubernetes.stream import stream  # type: ignore[import-untyped]

from cli.cluster_host import ClusterHost
from model.naming import derive_agent_namespace
from model.settings import KubernetesSettings
from tests.support.older import Kubernetes
from tests.support.running import ROOT, Engine, RunningStack, SecretCopy
from tests.support.waiting import eventually
from toolchain import validators
from toolchain.cluster.service import OTHER_PROGRAMS
from toolchain.context import build_default_context

AGENTS = ("promtail", "node-exporter")
"""The workloads that are in the second namespace."""


RELEASE = "E2E_KUBERNETES"
"""Environment variable with the release of Kubernetes whose cluster is used in place of the toolchain's own."""
SILENT_PANELS = frozenset({"Certificates of kubelets end in"})
"""Panels without a line on the toolchain's cluster: its kubelets renew no certificate."""


def start_cluster(nodes: int = 1) -> Path:
    """The kubeconfig of the cluster that tests use, or of one with several nodes; it is started if need be."""
    toolchain = [sys.executable, "-m", "toolchain"]
    if release := os.environ.get(RELEASE):
        os.environ[OTHER_PROGRAMS] = str(Kubernetes(release).ensure())
    subprocess.run([*toolchain, "ensure", "kubernetes"], cwd=ROOT, check=True)
    done = subprocess.run(
        [*toolchain, "cluster", f"--nodes={nodes}"], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True
    )
    return Path(done.stdout.strip().splitlines()[-1])


class ClusterStack(RunningStack):
    """A stack in two namespaces of a cluster."""

    watches_containers = "kubelet"

    def __init__(self, folder: Path, name: str, kubeconfig: Path, ports: int, system: str = "plue") -> None:
        self.kubeconfig = kubeconfig
        self.host = ClusterHost(name, KubernetesSettings(kubeconfig=str(kubeconfig)))
        self.api = self.host.api
        self.namespace = self.host.namespace
        super().__init__(folder, name, Engine(None), ports, system)

    def _settings(self, ports: int) -> dict[str, Any]:
        """Everything that a cluster adds is on: several instances, and a discovery of pods. It has no host ports."""
        given = super()._settings(ports)
        for component in ("traefik", "loki", "grafana", "demoWorkload"):
            given[component] = {}
        given["target"] = "kubernetes"
        given["prometheus"] = {"replicas": 2, "evaluationInterval": given["prometheus"]["evaluationInterval"]}
        given["alertmanager"] = {"replicas": 3}
        return given

    def clear(self) -> None:
        """See `RunningStack`: the namespaces with all that is in them."""
        self.host.purge_volumes()
        for home in (derive_agent_namespace(self.namespace),):
            try:
                self.api.delete_namespace(home)
            except kubernetes.exceptions.ApiException as error:
                assert error.status == 404, error
        eventually(self._gone, timeout=120, what="the namespaces of an earlier run to go")

    def discard(self) -> None:
        """Removes the stack with its data by the command: what it has outside of its namespaces has no one label."""
        self.run("down", "--purge")

    def _gone(self) -> bool:
        left = {item.metadata.name for item in self.api.list_namespace().items}
        return not left & {self.namespace, derive_agent_namespace(self.namespace)}

    def container_name(self, workload: str) -> str:
        """What the label `container` of a workload's log lines holds; its pod and namespace are labels of their own."""
        return workload

    def pod(self, workload: str) -> Any:
        """The first ready pod of a workload.

        Raises:
            LookupError: none is ready.
        """
        found = self.ready(workload)
        if not found:
            raise LookupError(f"no pod of {workload} is ready")
        return found[0]

    def ready(self, workload: str) -> list[Any]:
        """Every ready pod of a workload, by name."""
        return [
            pod
            for pod in sorted(self.host.list_pods(workload), key=lambda pod: pod.metadata.name)
            if any(state.type == "Ready" and state.status == "True" for state in pod.status.conditions or ())
        ]

    def run_workload(self, workload: str, *, runs: bool) -> None:
        """Has the pods of an agent leave every node, or come back."""
        labels = {"none.example.com": None if runs else "none"}
        change = {"spec": {"template": {"spec": {"nodeSelector": labels}}}}
        where = f"--namespace={derive_agent_namespace(self.namespace)}"
        self.kubectl("patch", "daemonset", workload, where, "--type=merge", f"--patch={json.dumps(change)}")
        eventually(lambda: bool(self.host.list_pods(workload)) == runs, timeout=120, what=f"pods of {workload}: {runs}")

    def identities(self) -> dict[str, tuple[str, str]]:
        """UID and restarts of every pod: what must not change when only documents do."""
        return {
            pod.metadata.name: (
                pod.metadata.uid,
                ",".join(str(state.restart_count) for state in pod.status.container_statuses or ()),
            )
            for pod in self.host.list_pods()
        }

    def sh(self, workload: str, script: str) -> str:
        """Output of a shell script in the first pod of a workload.

        Raises:
            RuntimeError: it failed.
        """
        return self.sh_in(self.pod(workload), script)

    def sh_in(self, pod: Any, script: str) -> str:
        """Output of a shell script in the first container of a pod.

        Raises:
            RuntimeError: it failed.
        """
        workload = pod.spec.containers[0].name
        asked = stream(
            self.api.connect_get_namespaced_pod_exec, pod.metadata.name, pod.metadata.namespace, container=workload,
            command=["/tools/busybox", "sh", "-c", script], stdin=False, stdout=True, stderr=True, tty=False,
            _preload_content=False,
        )  # fmt: skip
        asked.run_forever(timeout=60)
        text = str(asked.read_stdout(timeout=0)) + str(asked.read_stderr(timeout=0))
        if asked.returncode:
            raise RuntimeError(f"{workload}: {script}: exit status {asked.returncode}: {text}")
        return text

    def shown(self) -> Iterator[tuple[str, str]]:
        """Every object but Secrets, the logs of all containers, and what their processes were told."""
        kinds = "all,configmaps,serviceaccounts,persistentvolumeclaims,networkpolicies,poddisruptionbudgets,events"
        for home in (self.namespace, derive_agent_namespace(self.namespace)):
            for line in ("--output=yaml", "--output=json"):
                yield f"objects in {home}", self.kubectl("get", kinds, f"--namespace={home}", line).stdout
        for pod in self.host.list_pods():
            where = f"{pod.metadata.namespace}/{pod.metadata.name}"
            for state in (*(pod.status.init_container_statuses or ()), *pod.status.container_statuses):
                log = self.kubectl(
                    "logs", f"--namespace={pod.metadata.namespace}", pod.metadata.name, f"-c{state.name}"
                )
                yield f"the log of {where}/{state.name}", log.stdout
                for process in _processes(state):
                    for part in ("cmdline", "environ"):
                        with suppress(FileNotFoundError, ProcessLookupError):  # a probe's process ends meanwhile
                            yield f"{part} of {where}/{state.name}", (process / part).read_text(errors="replace")

    def secret_copies(self) -> Iterator[SecretCopy]:
        """What the pods mount below /run/secrets, as their processes see it."""
        readers = [pod for pod in self.host.list_pods() if any(item.name == "secrets" for item in pod.spec.volumes)]
        for pod in readers:
            workload = pod.metadata.labels["io.observability.workload"]
            look = "for f in /run/secrets/*; do {0} stat -L -c '%n %a %u' $f; {0} base64 -w0 $f; echo; done"
            lines = self.sh(workload, look.format("/tools/busybox")).splitlines()
            for head, text in zip(lines[::2], lines[1::2], strict=True):
                path, mode, owner = head.split()
                yield SecretCopy(f"{workload}:{path}", int(mode, 8), int(owner), b64decode(text).decode())

    @property
    def settings_in_use(self) -> Path:
        """The stack's file with what this machine adds to it."""
        return self.state / "work" / self.name / f"Pulumi.{self.name}.yaml"

    def pod_named(self, name: str) -> Any:
        """A pod of the stack's own namespace.

        Raises:
            LookupError: there is none, for now.
        """
        try:
            return self.api.read_namespaced_pod(name, self.namespace)
        except kubernetes.exceptions.ApiException as error:
            raise LookupError(f"pod {name}: {error.reason}") from None

    def kill(self, pod: Any, container: str) -> None:
        """SIGKILL for the process of a container, from its node: within the container its first process is immune."""
        state = next(item for item in pod.status.container_statuses if item.name == container)
        for process in _processes(state):
            with suppress(ProcessLookupError):
                os.kill(int(process.name), signal.SIGKILL)

    def kubectl(self, *words: str, document: object = None, check: bool = True) -> subprocess.CompletedProcess[str]:
        """kubectl with the cluster's kubeconfig."""
        program = validators.ensure_validator(build_default_context(), "kubectl", pinned=True)
        command = [str(program), f"--kubeconfig={self.kubeconfig}", *words]
        text = None if document is None else json.dumps(document)
        done = subprocess.run(command, input=text, capture_output=True, text=True, check=False, timeout=120)
        assert not check or done.returncode == 0, f"{words}: {done.stderr}"
        return done


def _processes(state: Any) -> Iterator[Path]:
    """The processes of a container, as folders of /proc: the cluster's node is this machine."""
    if not state.container_id:
        return
    wanted = state.container_id.rpartition("/")[2]
    for entry in Path("/proc").glob("[0-9]*/cgroup"):
        with suppress(FileNotFoundError, ProcessLookupError):
            if wanted in entry.read_text():
                yield entry.parent
