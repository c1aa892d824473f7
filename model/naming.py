"""Names that several parts must agree on."""

from __future__ import annotations

import zlib

from model.plan import Context

LABEL = "io.observability"
"""Prefix of the labels that every resource of ours carries on its platform."""


def resource_name(stack: str, name: str) -> str:
    """Name of a resource of a stack, such as `dev-prometheus`."""
    return f"{stack}-{name}"


def user_id(stack: str, workload: str) -> int:
    """Numeric user of a workload, 20000 to 59999: one of its own, the same on every run.

    A user that no other container has makes process limits count that container alone, and keeps files apart.
    """
    return 20000 + zlib.crc32(f"{stack}/{workload}".encode()) % 40000


def identity(context: Context, service: str) -> dict[str, str]:
    """The labels that every scrape target carries: which service, of which system, in which environment."""
    return {"service": service, "system": context.system.name, "environment": context.settings.environment}
