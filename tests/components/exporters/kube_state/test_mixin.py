"""The board of a cluster."""

from __future__ import annotations

from typing import Any

from components.exporters.kube_state import mixin as cluster
from tests.support.boards import fits_a_row, is_sound


def test_panels_explain_themselves(explains: Any) -> None:
    """Each panel has a title of its own in its row and says what it shows; the row for other boards has 4 to 8."""
    assert len(cluster.panels()) in range(4, 9)
    explains(cluster.panels())
    for row in cluster.board().rows:
        explains(row.panels)


def test_the_board_is_sound() -> None:
    """It can be built, fills its rows, and its queries are PromQL that follows the chosen environment."""
    is_sound(cluster.board(), "cluster", panels=range(15, 31))
    fits_a_row(cluster.board())


def test_thresholds_are_those_of_the_alerts() -> None:
    """What is drawn as too much is what a warning is sent for, and the text says the same."""
    shown = {panel.title: panel for row in cluster.board().rows for panel in row.panels}
    bounds = {alert.name: alert.limit for alert in cluster.alerts({})}
    volume, full = bounds["KubePersistentVolumeSpaceLow"], bounds["KubePersistentVolumeFillingUp"]
    restarts = bounds["KubePodCrashLooping"]
    assert volume is not None and full is not None
    for title in ("Volume nearest to full", "Volumes in use"):
        assert [step.value for step in shown[title].thresholds] == [1 - volume, 1 - full]
        assert "85%" in shown[title].description
    assert [step.value for step in shown["Restarts of containers"].thresholds] == [restarts]


def test_pods_are_folded() -> None:
    """Hundreds of lines are drawn only for who asks for them."""
    assert [row.title for row in cluster.board().rows if row.collapsed] == ["Pods"]
