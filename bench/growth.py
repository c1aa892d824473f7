"""How a plan grows with its scrape targets: `python -m bench.growth SERVICES [TARGETS]`, in a process of its own.

The system is generated: services of all kinds, each with so many targets. Resources are counted by Pulumi's own
mocks, so what is counted is what a deployment would register.
"""

from __future__ import annotations

import json
import resource
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pulumi

from cli.workspace import ROOT
from model.plan import Plan
from stack.assemble import IMAGES, SYSTEMS, ConfigValue, assemble_plan
from stack.memory import spare_collections
from stack.stack import MonitoringStack
from targets.docker.shared import build_address

NAME = "scale"
_PACKS: tuple[list[str], ...] = (["http"], ["worker"], [])


def build_system(count: int, instances: int = 1) -> dict[str, Any]:
    """A system of `count` services of so many instances each, as configs/systems/<name>.yaml would hold it."""
    services: dict[str, dict[str, Any]] = {
        f"service-{number}": {
            "port": 8080,
            "packs": _PACKS[number % len(_PACKS)],
            **(
                {"addresses": [f"10.{number >> 8}.{number & 255}.{i + 1}:8080" for i in range(instances)]}
                if instances > 1
                else {}
            ),
        }
        for number in range(count)
    }
    promised = [key for key, service in services.items() if "http" in service["packs"]] if instances > 1 else []
    objectives = [{"service": key, "kind": "availability", "target": 0.999, "window": "14d"} for key in promised]
    return {"name": NAME, "title": "Scale", "services": services, "objectives": objectives}


def build_plan(count: int, root: Path, instances: int = 1, **settings: str) -> Plan:
    """The plan of the generated system, whose files are written below `root`."""
    (root / SYSTEMS).mkdir(parents=True)
    shutil.copy(ROOT / IMAGES, root / IMAGES)
    (root / SYSTEMS / f"{NAME}.yaml").write_text(
        json.dumps(build_system(count, instances)), encoding="utf-8"
    )  # JSON is YAML
    config = {"system": NAME, **settings}
    return assemble_plan(
        NAME, {key: ConfigValue(text) for key, text in config.items()}, address=build_address, root=root
    )


class Registrations(pulumi.runtime.Mocks):
    """Counts registered resources by type."""

    def __init__(self) -> None:
        self.types: Counter[str] = Counter()

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        """Counts a resource and answers with its inputs, and with what providers add: passwords and logs."""
        self.types[args.typ] += 1
        return f"{args.name}-id", {**args.inputs, "result": "x" * 32, "hex": "0" * 16, "containerLogs": "0"}

    def call(self, args: pulumi.runtime.MockCallArgs) -> tuple[dict[str, Any], None]:
        """No provider function is needed."""
        return {}, None


def count_registrations(planned: Plan) -> Counter[str]:
    """What a deployment of the plan would register, by resource type."""
    counter = Registrations()
    pulumi.runtime.set_mocks(counter, project="observability", stack=NAME, preview=False)

    def program() -> pulumi.Output[bool]:
        return MonitoringStack(NAME, planned, {}).ready

    run: Any = pulumi.runtime.test  # untyped in the SDK
    run(program)()
    return counter.types


def measure_size(count: int, instances: int = 1) -> dict[str, float]:
    """Seconds to plan, resources, targets, bytes of all documents, and peak memory (bytes) of this process."""
    spare_collections()  # as the program does
    with tempfile.TemporaryDirectory() as folder:
        began = time.monotonic()
        planned = build_plan(count, Path(folder), instances)
        seconds = time.monotonic() - began
    return {
        "seconds": seconds,
        "resources": sum(count_registrations(planned).values()),
        "targets": sum(len(job.targets) for job in planned.telemetry.scrape),
        "bytes": sum(len(text) for w in planned.list_workloads() if w.config for text in w.config.files.values()),
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }


if __name__ == "__main__":
    print(json.dumps(measure_size(*map(int, sys.argv[1:]))))
