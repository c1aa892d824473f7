"""One bad configuration."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

FILE = "configs/systems/shop.yaml"
STACK = "Pulumi.dev.yaml"


@dataclass(frozen=True, kw_only=True)
class Case:
    """A change that makes the configuration wrong, and what must be said about it."""

    name: str
    at: str
    says: str
    system: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    text: str | None = None
    images: str | None = None
    stack: str = "dev"


def of_system(name: str, change: Mapping[str, Any], at: str, says: str) -> Case:
    """A system's YAML that is wrong at a path; an empty path is the file itself."""
    return Case(name=f"system: {name}", system=change, at=f"{FILE}: {at}" if at else FILE, says=says)


def of_settings(name: str, change: Mapping[str, Any], at: str, says: str) -> Case:
    """A setting that is wrong."""
    return Case(name=f"setting: {name}", settings=change, at=f"{STACK}: {at}", says=says)


def of_section(name: str, section: str, value: Mapping[str, Any], at: str, says: str) -> Case:
    """A section that is wrong."""
    return of_settings(name, {section: json.dumps(value)}, f"{section}{at}", says)
