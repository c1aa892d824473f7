"""The gateway's alerts: each fires just past its condition and stays silent just before."""

from __future__ import annotations

import re

from components.otel import mixin as pack
from tests.support.boards import MixinContract

THRESHOLDS = {"OtelQueueFilling": 0.25, "OtelReceiverRefusing": 100, "OtelSenderVolumeHigh": 1000}
"""Another value for every alert that has one."""


class TestOtel(MixinContract):
    """Its alerts and panels, and the thresholds above."""

    pack, thresholds = pack, THRESHOLDS


def test_the_first_loss_counts() -> None:
    """Its counter appears with the first loss, so growth alone would miss a single one."""
    (found,) = [alert for alert in pack.alerts({}) if alert.name == "OtelItemsLost"]
    assert "unless" in found.expr and found.example and "_x58 3" in str(found.example.fires)


def test_series_of_the_other_program_do_not_count() -> None:
    """The gateway and the agent that reads lines are one program, and their counters have the same names."""
    queries = [query.expr for panel in pack.panels() for query in panel.queries]
    for text in (*queries, *(alert.expr for alert in pack.alerts({}))):
        named = re.findall("otelcol_(?:exporter|receiver)_", text)
        matchers = re.findall(r'otelcol_(?:exporter|receiver)_[\w|()"]*[{,]([^}]*)', text)
        own = [each for each in matchers if 'service="otel"' in each]
        assert len(named) == len(own), text
