"""A small valid system and stack configuration, to be bent by tests."""

from __future__ import annotations

import copy
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from model.component import Planning
from model.errors import ConfigError
from model.plan import Plan
from model.telemetry import Telemetry
from packs.system import SystemContributor
from stack.assemble import ConfigValue, assemble_plan
from targets.platforms import PLATFORMS
from tests.support.yaml_files import write_yaml

ROOT = Path(__file__).resolve().parents[2]
ABSENT = object()
"""As the value of a change: the key is taken away."""

SYSTEM: dict[str, Any] = {
    "name": "shop",
    "title": "Shop",
    "ports": {"prometheus": 9090},
    "services": {
        "api": {
            "port": 4000,
            "packs": ["http"],
            "health": ["/health"],
            "metrics": {
                "shop_requests_total": {
                    "type": "counter",
                    "role": "requests",
                    "labels": {"method": ["GET", "POST"], "path": ["/", "/cart"], "status": ["200", "500"]},
                },
                "shop_duration_seconds": {"type": "histogram", "unit": "seconds", "role": "duration"},
            },
            "logs": {"format": "json", "labels": ["level"]},
        },
        "worker": {"port": 8081, "packs": ["worker"]},
    },
    "dashboards": [
        {
            "uid": "shop-overview",
            "title": "Shop Overview",
            "rows": [{"title": "Traffic", "panels": [{"title": "Requests", "queries": [{"expr": "up"}]}]}],
        }
    ],
    "alerts": [
        {
            "name": "ShopSlow",
            "expr": "up == 0",
            "for": "5m",
            "severity": "warning",
            "summary": "Slow",
            "description": "The shop is slow.",
            "steps": ["Look at the shop."],
            "example": {
                "fires": {'up{service="api", environment="test"}': "0+0x120"},
                "silent": {'up{service="api", environment="test"}': "1+0x120"},
            },
        }
    ],
    "objectives": [{"service": "api", "kind": "availability", "target": 0.999, "window": "7d"}],
}
"""configs/systems/shop.yaml as data."""


def changed(document: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of a document with values set, added or (ABSENT) removed at paths such as `alerts.0.name`.

    A slash separates the parts instead where one of them holds a dot.
    """
    result = copy.deepcopy(dict(document))
    for path, value in changes.items():
        *parents, last = path.split("/" if "/" in path else ".")
        current: Any = result
        for part in parents:
            current = current[int(part)] if isinstance(current, list) else current.setdefault(part, {})
        if value is ABSENT:
            del current[last]
        elif isinstance(current, list):
            current[int(last) : int(last) + 1] = [value]
        else:
            current[last] = value
    return result


def project(folder: Path, system: Mapping[str, Any] | str, *, images: str | None = None, name: str = "shop") -> Path:
    """A project directory with the system (data or text) and the images; the real ones unless given."""
    systems = folder / "configs" / "systems"
    systems.mkdir(parents=True, exist_ok=True)
    text = system if isinstance(system, str) else write_yaml(dict(system))
    (systems / f"{name}.yaml").write_text(text, encoding="utf-8")
    if images is None:
        shutil.copy(ROOT / "configs" / "images.yaml", folder / "configs" / "images.yaml")
    else:
        (folder / "configs" / "images.yaml").write_text(images, encoding="utf-8")
    return folder


def configuration(settings: Mapping[str, str | ConfigValue]) -> dict[str, ConfigValue]:
    """A stack's configuration from plain texts; the system is shop unless it is said or ABSENT."""
    given = {"system": "shop", **settings}
    return {
        key: value if isinstance(value, ConfigValue) else ConfigValue(value)
        for key, value in given.items()
        if value is not ABSENT
    }


def by_name(name: str, port: int) -> str:
    """`host:port` of a workload in a plan of a test, unless that has other ones."""
    return f"{name}:{port}"


def plan_shop(
    folder: Path,
    system: Mapping[str, Any] | None = None,
    settings: Mapping[str, str | ConfigValue] | None = None,
    address: Callable[[str, int], str] = by_name,
) -> Plan:
    """The plan of the shop with changes to its system and settings, made by the code that a real run uses."""
    root = project(folder, changed(SYSTEM, system or {}))
    return assemble_plan("dev", configuration(settings or {}), address=address, root=root)


def plan_cluster(
    folder: Path, system: Mapping[str, Any] | None = None, settings: Mapping[str, str | ConfigValue] | None = None
) -> Plan:
    """The plan of the shop as `plan_shop` makes it, on a Kubernetes cluster."""
    root = project(folder, changed(SYSTEM, system or {}))
    given = configuration({"target": "kubernetes", **(settings or {})})
    return assemble_plan("dev", given, platforms=PLATFORMS, root=root)


def contributed(context: Planning) -> Telemetry:
    """What the system of a context contributes.

    Raises:
        ConfigError: something in it is wrong.
    """
    made = SystemContributor().contribute(context)
    if made.problems:
        raise ConfigError(made.problems)
    return made.telemetry
