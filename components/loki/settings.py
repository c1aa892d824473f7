"""Settings of Loki: one process, or several, alike or in parts, that share an object store."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, model_validator

from model.base import Duration, Strict
from model.component import Planning
from model.errors import Inconsistent, Problem
from model.object_store import Storage
from model.settings import ComponentSettings
from model.stores import LogLimits

NAME = "loki"
PORT, GRPC_PORT, GOSSIP_PORT = 3100, 9095, 7946
CONFIG_DIR = "/etc/loki"
DATA_DIR = "/loki"
CREDENTIALS = "/run/secrets/loki-s3-credentials"
CA = "ca.pem"
SECRET_KEY = "loki-s3-secret-key"  # noqa: S105 - its name
TENANT = "fake"
"""The tenant of every line while authentication is off; Loki's own name for it."""
WRITE, READ, BACKEND = f"{NAME}-write", f"{NAME}-read", f"{NAME}-backend"
SERIES = {NAME: 2100, WRITE: 1600, READ: 1400, BACKEND: 1300}  # of an instance, by workload
MOST_COPIES = 3  # of each line: one may be away and two still agree; more would only cost


LIMITS = LogLimits()
"""What is taken of records that are sent as OTLP."""


class Replicas(Strict):
    """Instances, by what they are."""

    all: Annotated[int, Field(ge=2, le=30)] = 3
    """Instances that each do everything, in mode replicated; each line is on three of them, or on both."""
    write: Annotated[int, Field(ge=1, le=30)] = 3
    """Instances that take lines, each with a volume; each line is on three of them, or on all where they are fewer."""
    read: Annotated[int, Field(ge=1, le=30)] = 2
    """Instances that answer queries; they keep nothing."""
    backend: Annotated[int, Field(ge=1, le=10)] = 2
    """Instances that read the index, delete old lines and evaluate rules."""


class Settings(ComponentSettings):
    """Loki."""

    mode: Literal["single", "replicated", "simpleScalable"] = "single"
    """One process; several that are alike and share a bucket; or parts for writing, reading and the rest that grow
    apart, which Loki 4 does not have any more. The latter two on Kubernetes only.

    Source: https://grafana.com/docs/loki/latest/get-started/deployment-modes/"""
    replicas: Replicas | None = None
    """Instances in the modes replicated and simpleScalable."""
    storage: Storage = Field(default_factory=Storage)
    """Where lines are kept. Lines of before a change stay where they are, and are not found any more."""
    retention: Duration = "360h"
    """How long lines are kept; the compactor deletes older ones."""
    ingestion_rate_mb: Annotated[int, Field(ge=1, le=1024)] = 8
    """Mean rate of accepted lines, in MB per second."""
    ingestion_burst_size_mb: Annotated[int, Field(ge=1, le=4096)] = 16
    """Burst above the mean rate, in MB."""
    max_entries_limit_per_query: Annotated[int, Field(ge=1)] = 5000
    """Lines that one query may return."""
    max_query_length: Duration = "721h"
    """Longest time range of a query."""
    max_streams: Annotated[int, Field(ge=1)] = 10_000
    """Active streams (distinct sets of labels); protects from labels with too many values."""

    @model_validator(mode="after")
    def _check_shared_storage(self) -> Settings:
        problems = []
        if self.mode != "single" and self.storage.s3 is None:
            who = "its parts share" if self.mode == "simpleScalable" else "its instances share"
            problems.append(Problem("storage.s3", f"is required by mode {self.mode}: {who} a bucket"))
        if self.replicas is not None:
            problems += self._check_replicas(self.replicas)
        if problems:
            raise Inconsistent(problems)
        return self

    def _check_replicas(self, replicas: Replicas) -> list[Problem]:
        if self.mode == "single":
            return [Problem("replicas", "mode single is one process; count instances in mode replicated")]
        other = "simpleScalable" if self.mode == "replicated" else "replicated"
        return [
            Problem(f"replicas.{name}", f"has an effect in mode {other} only, and this is {self.mode}; leave it out")
            for name in sorted(replicas.model_fields_set)
            if (name == "all") == (self.mode == "simpleScalable")
        ]


def list_parts(own: Settings, context: Planning) -> Mapping[str, int]:
    """Instances by workload; empty where Loki is one process, as it is planned where several are refused."""
    if own.mode == "single" or context.settings.target != "kubernetes":
        return {}
    replicas = own.replicas or Replicas()
    if own.mode == "replicated":
        return {NAME: replicas.all}
    return {BACKEND: replicas.backend, WRITE: replicas.write, READ: replicas.read}


def find_part(name: str, parts: Mapping[str, int]) -> str:
    """The workload that does what a part is for: that part, or Loki itself where it has none."""
    return name if name in parts else NAME
