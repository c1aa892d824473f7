"""The MCP server's alerts: each fires just past its condition and stays silent just before."""

from __future__ import annotations

import re

from components.mcp import mixin as pack
from mcp_server import metrics
from tests.support.boards import MixinContract

THRESHOLDS = {"McpSourceFailing": 0.2, "McpCallsFailing": 0.6, "McpTokensRefused": 100}
"""Another value for every alert that has one."""
WORDS = re.compile(r"\bmcp_\w+")


class TestMcpServer(MixinContract):
    """Its alerts and panels, and the thresholds above."""

    pack, thresholds = pack, THRESHOLDS


def test_metrics_are_those_of_the_server() -> None:
    """Alerts and panels look at names that the program exposes."""
    metrics.init_series(("t",))
    metrics.report_document("x", failed=False)
    exposed = {sample.name for family in metrics.REGISTRY.collect() for sample in family.samples}
    queries = [alert.expr for alert in pack.alerts({})] + [q.expr for panel in pack.panels() for q in panel.queries]
    wanted = {word for query in queries for word in WORDS.findall(query)}
    metrics.SECONDS.labels("t").observe(1)
    exposed |= {sample.name for family in metrics.REGISTRY.collect() for sample in family.samples}
    assert wanted and not wanted - exposed
