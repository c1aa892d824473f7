"""A program of other people that sends telemetry: in a compose-like project, or in a namespace of a cluster."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import docker

from tests.support.foreign import Project
from tests.support.guests import LABEL, REFERENCE, SOURCES, Kubectl, load_image, load_node_image
from toolchain.guests import GUESTS as IMAGE

IDLE = ("sleep", "36000")
"""It sends where a test has it send."""
PROGRAM = "otlp.py"


class Sender:
    """The program in a container of a project that is not ours."""

    def __init__(self, client: docker.DockerClient, name: str = "till") -> None:
        self.project = Project(client, name, lambda _: REFERENCE)
        self._container = f"{name}-billing-1"

    def edit_settings(self, config: dict[str, Any]) -> None:
        """What a stack's settings say of it: the network that it is in."""
        config["docker"] = {**config.get("docker", {}), "externalNetworks": [self.project.network]}

    def start(self) -> None:
        """Starts it."""
        load_image(self.project.client)
        self.project.create()
        files = {f"/app/{PROGRAM}": (SOURCES / PROGRAM).read_text()}
        self.project.run("billing", "guests", command=IDLE, files=files, folders=("/tmp",))

    def run(self, script: str) -> str:
        """What a script of its shell says.

        Raises:
            RuntimeError: it failed.
        """
        code, said = self.project.client.containers.get(self._container).exec_run(["sh", "-c", script])
        assert isinstance(said, bytes)
        if code:
            raise RuntimeError(said.decode())
        return said.decode()

    def begin(self, script: str) -> None:
        """Starts a script beside the test."""
        self.project.client.containers.get(self._container).exec_run(["sh", "-c", script], detach=True)

    def end(self) -> None:
        """Ends all scripts."""
        self.project.client.containers.get(self._container).restart(timeout=1)

    def remove(self) -> None:
        """Removes it."""
        self.project.remove()


class ClusterSender:
    """The program in a pod of a namespace that is not the stack's."""

    def __init__(self, kubectl: Kubectl, name: str = "till") -> None:
        self.kubectl, self.namespace = kubectl, name

    def edit_settings(self, config: dict[str, Any]) -> None:
        """What a stack's settings say of it: nothing."""

    def start(self) -> None:
        """Starts it, and waits until it is there."""
        load_node_image()
        self.remove()
        for document in self._list_objects():
            self.kubectl("apply", "--filename=-", document=document)
        self.kubectl("rollout", "status", "deployment/billing", f"--namespace={self.namespace}", "--timeout=110s")

    def run(self, script: str) -> str:
        """What a script of its shell says.

        Raises:
            RuntimeError: it failed.
        """
        where = ("exec", f"--namespace={self.namespace}", "deployment/billing", "--", "sh", "-c", script)
        done = self.kubectl(*where, check=False)
        if done.returncode:
            raise RuntimeError(done.stderr.strip() or done.stdout)
        return done.stdout

    def begin(self, script: str) -> None:
        """Starts a script beside the test."""
        self.run(f"({script}) > /tmp/begun 2>&1 &")

    def end(self) -> None:
        """Ends all scripts."""
        self.kubectl("rollout", "restart", "deployment/billing", f"--namespace={self.namespace}")

    def remove(self) -> None:
        """Removes it."""
        self.kubectl("delete", "namespace", self.namespace, "--ignore-not-found", "--wait=true", "--timeout=110s")

    def _list_objects(self) -> list[dict[str, Any]]:
        meta = {"name": "billing", "namespace": self.namespace, "labels": {LABEL: "billing"}}
        container = {
            "name": "main", "image": IMAGE.reference, "imagePullPolicy": "Never", "command": list(IDLE),
            "volumeMounts": [{"name": "app", "mountPath": "/app"}],
        }  # fmt: skip
        spec = {
            "selector": {"matchLabels": {LABEL: "billing"}},
            "template": {
                "metadata": {"labels": {LABEL: "billing"}},
                "spec": {"containers": [container], "volumes": [{"name": "app", "configMap": {"name": "billing"}}]},
            },
        }
        data = {PROGRAM: Path(SOURCES / PROGRAM).read_text()}
        return [
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.namespace}},
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": data},
            {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": spec},
        ]


def parse_sent(text: str) -> dict[str, Any]:
    """What was acknowledged, as the program prints it."""
    return dict(json.loads(text))
