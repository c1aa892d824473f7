"""The whole stack as one ComponentResource: secrets, target, then every planned component in order."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
import pulumi_random as random
from pulumi.runtime import config as runtime_config

from components.entry.derived import derive_secrets, find_authority
from model.errors import ConfigError, Problem
from model.plan import Plan
from model.secret import Secret
from stack.assemble import ConfigValue
from stack.registry import COMPONENTS
from stack.resource import ComponentArgs, MonitoringComponent
from targets.base import Deployment, Target


def read_config_values(project: str) -> dict[str, ConfigValue]:
    """The stack's configuration as text, by key without the namespace of `project`; secrets without their values."""
    raw = {**runtime_config.get_config_env(), **runtime_config.CONFIG.get()}
    values = {}
    for full, value in raw.items():
        namespace, _, key = full.partition(":")
        if namespace == project:
            secret = runtime_config.is_config_secret(full)
            values[key] = ConfigValue("" if secret else str(value), secret)
    return values


class MonitoringStack(pulumi.ComponentResource):
    """Everything that a plan asks for.

    Args:
        plan: what to deploy, already checked.
        secrets: values of the secrets that stand in the configuration; the others are generated.

    Attributes:
        deployments: what came of every workload, by its name.
        urls: `host:port` of every published port, by workload.
        authority: certificate of the stack's own authority as PEM text, where it has one.
        passwords: secrets that are generated unless the configuration has them, as secret outputs by name.

    Raises:
        ConfigError: the target cannot express the plan.
    """

    def __init__(
        self,
        name: str,
        plan: Plan,
        secrets: Mapping[str, pulumi.Output[str]],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("observability:components:MonitoringStack", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        values = dict(secrets)
        target = _create_target(
            name, plan, values, child
        )  # it may refuse, so it comes first; what is generated follows
        self.passwords = {
            secret.name: secrets[secret.name] if secret.name in secrets else _generate_secret(name, secret, child)
            for secret in plan.secrets.values()
            if secret.generate
        }
        values |= self.passwords
        values |= derive_secrets(name, plan.secrets, values, child)
        self.authority = find_authority(plan.secrets, values)
        refused = target.check(plan.list_workloads())
        if refused:
            raise ConfigError(Problem(f"target {plan.settings.target}", text) for text in refused)
        self.deployments: dict[str, Deployment] = {}
        for component in COMPONENTS:
            if workloads := plan.workloads.get(component.name):
                args = ComponentArgs(workloads=workloads, target=target, started=self.deployments)
                made = MonitoringComponent(type(component), f"{name}-{component.name}", args, child)
                self.deployments |= made.deployments
        self.urls = {workload: port for workload, d in self.deployments.items() for port in list(d.ports.values())[:1]}
        self.ready = pulumi.Output.all(*(d.ready for d in self.deployments.values())).apply(lambda _: True)
        self.register_outputs({"ready": self.ready})


def _create_target(
    name: str, plan: Plan, secrets: Mapping[str, pulumi.Output[str]], opts: pulumi.ResourceOptions
) -> Target:
    """The target that the settings choose; a provider's package is loaded only where it is used."""
    if plan.settings.target == "docker":
        from targets.docker.register import DockerTarget  # noqa: PLC0415

        return DockerTarget(name, plan.settings.docker, plan.images, secrets, opts=opts)
    from targets.kubernetes.register import KubernetesTarget  # noqa: PLC0415

    return KubernetesTarget(
        name,
        plan.settings.kubernetes,
        plan.images,
        secrets,
        workloads=plan.list_workloads(),
        extra_objects=plan.extra_objects,
        allowed_namespaces=plan.allowed_namespaces,
        retain=plan.settings.retain_data,
        opts=opts,
    )


def _generate_secret(stack: str, secret: Secret, opts: pulumi.ResourceOptions) -> pulumi.Output[str]:
    password = random.RandomPassword(f"{stack}-{secret.name}", length=secret.length, special=False, opts=opts)
    return password.result
