"""A Python process: memory, CPU and garbage collection, as client_python reports them.

Source: https://prometheus.github.io/client_python/collector/
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from model.dashboard_spec import Panel
from model.service import Metric
from packs import process
from packs.base import CHOSEN, Rules, Subject, build_panel

METRICS: Mapping[str, Metric] = {
    **process.METRICS,
    "python_gc_collections_total": Metric(
        type="counter", help="Garbage collections.", labels={"generation": ("0", "1", "2")}, baseline=0.5
    ),
}


def rules(subject: Subject) -> Rules:
    """Those of every process."""
    return process.rules(subject)


def panels(subjects: Sequence[Subject]) -> tuple[Panel, ...]:
    """Memory, CPU and garbage collection."""
    rate = f"sum by (service, generation) (rate(python_gc_collections_total{{{CHOSEN}}}[$__rate_interval]))"
    collections = {"{{service}} {{generation}}": rate}
    text = "Collections per second by generation; many of the oldest cost time."
    return (*process.panels(subjects), build_panel("Garbage collections", collections, "ops", text, width=24, height=6))
