"""The packs by name."""

from __future__ import annotations

from typing import Any

import pytest

from model.component import SystemRow
from packs.catalogue import PACKS, TITLES, build_row_panels
from stack.registry import list_system_rows


def test_a_row_is_a_packs_or_a_components() -> None:
    """Every pack has a row, and no row of a service is called like a component's."""
    assert set(PACKS) <= set(TITLES) and not set(TITLES) & set(list_system_rows())


@pytest.mark.parametrize("name", sorted(TITLES))
def test_every_row_shows_something(name: Any, uses: Any, explains: Any) -> None:
    """A row has panels for a service that uses its pack; objectives need one."""
    subject = uses(*([name] if name in PACKS else ["go"]))
    panels = build_row_panels(name, subject.system, ["x"])
    if name == "slo":
        assert panels == ()
        return
    assert panels
    if name not in ("logs", "health"):
        explains(panels)


@pytest.mark.parametrize("row", list_system_rows().values(), ids=lambda row: row.name)
def test_every_row_of_a_component_explains_itself(row: SystemRow, explains: Any) -> None:
    """A row that a component brings has a heading, and panels that say what they show."""
    assert row.title
    explains(row.panels())


@pytest.mark.parametrize("name", sorted(PACKS))
def test_usual_metrics_are_complete(name: Any) -> None:
    """Each usual metric says what it counts; a histogram says where its buckets end."""
    for metric in PACKS[name].METRICS.values():
        assert metric.help.endswith(".")
        assert bool(metric.buckets) == (metric.type == "histogram")
