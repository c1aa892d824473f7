"""What a target is: it refuses what it cannot express, and deploys the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import pulumi
import pulumi_random as random

from model.workload import Workload


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """What came of one workload.

    `ready` resolves once the workload is started with the planned configuration; `ports` maps port names to the
    `host:port` they are published on; `resources` are what later workloads may depend on.
    """

    name: str
    ready: pulumi.Output[bool]
    address: str
    ports: dict[str, str] = field(default_factory=dict)
    resources: tuple[pulumi.Resource, ...] = ()


def mark_secrets(name: str, texts: Mapping[str, pulumi.Output[str]], parent: pulumi.Resource) -> pulumi.Output[str]:
    """A random text that is another one when one of these secrets changes, and says nothing of it."""
    mark = random.RandomId(name, byte_length=8, keepers=texts, opts=pulumi.ResourceOptions(parent=parent))
    return pulumi.Output.unsecret(mark.hex)


class Target(Protocol):
    """A platform. Addresses are plain strings that are known before anything is deployed."""

    def build_address(self, name: str, port: int) -> str:
        """`host:port` at which other workloads of the stack reach port `port` of workload `name`."""

    def check(self, workloads: Sequence[Workload]) -> list[str]:
        """What this platform cannot express in `workloads`, as readable sentences; empty when all is well."""

    def deploy(
        self, workload: Workload, *, parent: pulumi.Resource, after: Sequence[pulumi.Resource] = ()
    ) -> Deployment:
        """Registers the resources of `workload` as children of `parent`, to be started after `after`."""
