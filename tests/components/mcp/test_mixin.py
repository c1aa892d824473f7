"""The MCP server's alerts: each fires just past its condition and stays silent just before."""

from __future__ import annotations

import re
from typing import Any

from components.mcp import mixin as pack
from mcp_server import metrics
from tests.support.boards import keeps_identity, tuned

THRESHOLDS = {"McpSourceFailing": 0.2, "McpCallsFailing": 0.6, "McpTokensRefused": 100}
"""Another value for every alert that has one."""
WORDS = re.compile(r"\bmcp_\w+")


def test_every_alert_is_proven(proves: Any) -> None:
    """Each alert fires just past its condition, not just before it, and not early."""
    proves(pack.alerts({}))


def test_every_tuned_alert_is_proven(proves: Any) -> None:
    """Another threshold stands in the expression, the words and the limit, and the examples follow it."""
    proves(tuned(pack.alerts, THRESHOLDS))


def test_alerts_keep_the_labels_of_their_service() -> None:
    """What is summed keeps service and environment, which routes and inhibitions look at."""
    keeps_identity(pack.alerts({}))


def test_every_panel_explains_itself(explains: Any) -> None:
    """Each panel has a title of its own and says what it shows."""
    explains(pack.panels())


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
