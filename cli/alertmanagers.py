"""The running Alertmanagers of a stack, each asked from inside its own platform.

API: https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import docker

from cli import verify
from model.naming import derive_namespace
from model.plan import Plan

NAME, PORT, PREFIX = "alertmanager", 9093, "/alertmanager"
PODS = "app.kubernetes.io/name=alertmanager,app.kubernetes.io/managed-by=prometheus-operator"
"""The pods of an operator's Alertmanager."""


class Instance(Protocol):
    """One running Alertmanager."""

    def ask(self, path: str, body: str | None = None) -> str:
        """What it answers at a path below its prefix; with a body it is a POST of JSON.

        Raises:
            RuntimeError: it did not answer, or with an error.
        """

    def read_log(self, since: float) -> str:
        """Its log since a moment, in seconds of the Unix epoch."""


@dataclass(frozen=True)
class InContainer:
    """The Alertmanager of a stack on a Docker engine."""

    client: docker.DockerClient
    stack: str

    def ask(self, path: str, body: str | None = None) -> str:
        """See `Instance`."""
        url = f"http://127.0.0.1:{PORT}{PREFIX}{path}"
        return verify.fetch_url(self.client, self.stack, NAME, url, body, kind="application/json")

    def read_log(self, since: float) -> str:
        """See `Instance`."""
        container = self.client.containers.get(f"{self.stack}-{NAME}")
        return str(container.logs(since=int(since)).decode(errors="replace"))


def build_labels(plan: Plan) -> dict[str, str]:
    """The labels of an alert that a command sends: whose it is; with an operator, whose its receivers are."""
    own_namespace = derive_namespace(plan.stack, plan.settings.kubernetes) if plan.operator else ""
    return {
        "stack": plan.stack,
        "system": plan.system.name,
        "environment": plan.settings.environment,
        **({"namespace": own_namespace} if own_namespace else {}),
    }
