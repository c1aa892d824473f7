"""A component as a Pulumi resource: the only part of a component that knows Pulumi."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi

from model.component import Component
from model.workload import Workload
from targets.base import Deployment, Target


@dataclass(frozen=True, kw_only=True)
class ComponentArgs:
    """Arguments of every component resource.

    `workloads` come from a component's `workloads` or from your own hands; `target` is the platform;
    `after` are resources that must exist first; `started` maps workloads of other components to what came of them.
    """

    workloads: Sequence[Workload]
    target: Target
    after: Sequence[pulumi.Resource] = ()
    started: Mapping[str, Deployment] = field(default_factory=dict)


class MonitoringComponent(pulumi.ComponentResource):
    """One component of the stack as a Pulumi resource; usable alone in any program.

    Args:
        kind: the component's class; its name is part of the resource's type, so another name replaces the resource.

    Attributes:
        deployments: what came of each workload, by its name.
        address: `host:port` at which other workloads reach its first port.
        ready: resolves to True once every workload runs with the planned configuration.
    """

    deployments: dict[str, Deployment]
    address: pulumi.Output[str]
    ready: pulumi.Output[bool]

    def __init__(
        self, kind: type[Component[Any]], name: str, args: ComponentArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(f"observability:components:{kind.__name__}", name, {}, opts)
        self.deployments = {}
        for workload in args.workloads:
            known = {**args.started, **self.deployments}
            before = [resource for other in workload.after for resource in known[other].resources]
            self.deployments[workload.name] = args.target.deploy(workload, parent=self, after=[*args.after, *before])
        first = next(iter(self.deployments.values()))
        self.address = pulumi.Output.from_input(first.address)
        self.ready = pulumi.Output.all(*(d.ready for d in self.deployments.values())).apply(all)
        self.register_outputs({"address": self.address, "ready": self.ready})
