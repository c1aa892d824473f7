"""Deploys the monitoring stack of one environment: load, plan, deploy, export."""

from __future__ import annotations

from pathlib import Path

import pulumi

from model.errors import ConfigError
from stack.assemble import assemble_plan
from stack.memory import spare_collections
from stack.stack import MonitoringStack, read_config_values
from targets.platforms import PLATFORMS


def main() -> None:
    """Plans the stack as plain data, refuses what is wrong, and only then registers resources."""
    spare_collections()
    config = pulumi.Config()
    stack = pulumi.get_stack()
    values, root = read_config_values(pulumi.get_project()), Path(__file__).parent
    plan = assemble_plan(stack, values, platforms=PLATFORMS, root=root)
    for warning in plan.warnings:
        pulumi.log.warn(warning)
    given = {name: config.require_secret(name) for name in plan.secrets if config.get(name) is not None}
    monitoring = MonitoringStack(stack, plan, given)
    pulumi.export("urls", monitoring.urls)
    pulumi.export("baseUrl", plan.settings.base_url)
    pulumi.export("ready", monitoring.ready)
    if monitoring.authority is not None:
        pulumi.export("caCertificate", monitoring.authority)
    for name, value in monitoring.passwords.items():
        pulumi.export(name, pulumi.Output.secret(value))


try:
    main()
except ConfigError as error:
    raise pulumi.RunError(str(error)) from None
