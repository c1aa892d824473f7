"""A component in someone else's Pulumi program."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from cli.engine import build_tool_env
from tests.support.running import RunningStack
from tests.support.yaml_files import read_yaml

PROGRAM = '''
"""Prometheus alone, in a program that is not ours."""
import sys
sys.path.insert(0, {root!r})
from pathlib import Path
import pulumi
from stack.assemble import ConfigValue, assemble_plan
from stack.resource import ComponentArgs, MonitoringComponent
from components.prometheus.component import Prometheus
from targets.docker.register import DockerTarget
from targets.docker.shared import build_address

config = {{
    "system": ConfigValue("plue"),
    "prometheus": ConfigValue('{{"port": 28090}}'),
    "docker": ConfigValue({docker!r}),
}}
plan = assemble_plan("alone", config, address=build_address, root=Path({root!r}), need_secrets=False)
target = DockerTarget("alone", plan.settings.docker, plan.images, {{}})
args = ComponentArgs(workloads=plan.workloads["prometheus"], target=target)
component = MonitoringComponent(Prometheus, "alone-prometheus", args)
pulumi.export("address", component.address)
pulumi.export("ready", component.ready)
'''


def test_prometheus_alone(stack: RunningStack, tmp_path: Path) -> None:
    """Prometheus is usable as a ComponentResource of another program: up, healthy, destroyed."""
    machine = read_yaml((stack.state / "work" / stack.name / f"Pulumi.{stack.name}.yaml").read_text())["config"]
    docker = json.dumps(machine.get("observability:docker", {}))
    (tmp_path / "Pulumi.yaml").write_text("name: other\nruntime: python\n")
    (tmp_path / "__main__.py").write_text(PROGRAM.format(root=str(stack.root), docker=docker))
    env = {
        **build_tool_env(),
        **stack.engine.env,
        "PULUMI_BACKEND_URL": f"file://{tmp_path}",
        "PULUMI_CONFIG_PASSPHRASE": "test",
        "PYTHONPATH": str(Path(sys.executable).parent),
    }

    def pulumi(*args: str) -> str:
        done = subprocess.run(["pulumi", *args], cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    pulumi("stack", "init", "alone")
    try:
        pulumi("up", "--yes", "--skip-preview")
        assert pulumi("stack", "output", "address").strip() == "prometheus:9090"
        assert pulumi("stack", "output", "ready").strip() == "true"
    finally:
        pulumi("destroy", "--yes", "--skip-preview")
        for volume in stack.client.volumes.list(filters={"label": "io.observability.stack=alone"}):
            volume.remove()
