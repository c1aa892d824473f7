"""How much the stack takes, next to what was planned for it, and what will be full first."""

from __future__ import annotations

import asyncio
from typing import ClassVar

from pydantic import Field

from mcp_server.answers import Answer, Shape
from mcp_server.arguments import Arguments
from mcp_server.run import Run, round_value
from mcp_server.tools.base import Tool

NOW = {
    "series": "sum(prometheus_tsdb_head_series)",
    "samples_per_second": "sum(rate(prometheus_tsdb_head_samples_appended_total[5m]))",
    "prometheus_memory_bytes": 'max(process_resident_memory_bytes{service="prometheus"})',
    "prometheus_disk_bytes": "max(prometheus_tsdb_storage_blocks_bytes + prometheus_tsdb_wal_storage_size_bytes)",
    "loki_memory_bytes": 'sum(process_resident_memory_bytes{service=~"loki.*"})',
    "log_bytes_per_day": "sum(rate(loki_distributor_bytes_received_total[1h])) * 86400",
    "targets": "count(up)",
}
"""What is taken now; names are those of the document's `capacity` where something was planned."""
MEMORY = "topk(10, max by (service) (container_memory_working_set_bytes / (container_spec_memory_limit_bytes > 0)))"
DISKS = (
    'max by (instance, mountpoint) (1 - node_filesystem_avail_bytes{fstype!~"tmpfs|overlay|squashfs"}'
    " / node_filesystem_size_bytes > 0.5)"
)


class CapacityArguments(Arguments):
    """Arguments of capacity: none."""


class Quantity(Shape):
    """What is taken now, and what was planned when the stack was deployed; null where it is not known."""

    name: str
    now: float | None
    planned: float | None


class Fullness(Shape):
    """How full something is: 1 is full."""

    what: str
    share: float


class CapacityAnswer(Answer):
    """Quantities, and what is fullest."""

    SHORTENED: ClassVar[tuple[str, ...]] = ("disks", "memory", "quantities")

    quantities: list[Quantity]
    memory: list[Fullness] = Field(description="Shares of memory limits, the fullest first.")
    disks: list[Fullness] = Field(description="File systems that are more than half full, the fullest first.")


async def describe_capacity(run: Run, given: CapacityArguments) -> CapacityAnswer:
    """What the stack takes now."""
    numbers = await asyncio.gather(*(run.ask_number(query) for query in NOW.values()))
    memory, disks = await asyncio.gather(run.ask_vector(MEMORY, 10), run.ask_vector(DISKS, 20))
    planned = run.document.capacity
    return CapacityAnswer(
        quantities=[
            Quantity(name=name, now=now, planned=planned.get(name)) for name, now in zip(NOW, numbers, strict=True)
        ],
        memory=_list_fullness(run, memory, ("service",)),
        disks=_list_fullness(run, disks, ("instance", "mountpoint")),
    )


def _list_fullness(run: Run, series: list[tuple[dict[str, str], float]], labels: tuple[str, ...]) -> list[Fullness]:
    entries = [
        Fullness(what=run.clean(" ".join(each.get(label, "") for label in labels)), share=round_value(value) or 0.0)
        for each, value in series
    ]
    return sorted(entries, key=lambda each: -each.share)


CAPACITY_TOOLS = (
    Tool(
        "capacity",
        "Say what the stack takes",
        "Series, samples, memory, disk and log bytes of the monitoring stack now, next to what was planned, and which"
        " containers and file systems are fullest.",
        CapacityArguments,
        CapacityAnswer,
        describe_capacity,
    ),
)
