"""Traefik: errors of what is behind it, and its board."""

from __future__ import annotations

from typing import Any

import pytest

from components.traefik import mixin as traefik
from tests.conftest import Proves
from tests.support.boards import fits_a_row, is_sound, keeps_identity, tuned

OTHERS = {
    "TraefikServiceErrors": 0.2,
}
"""Other thresholds than the usual ones, for every alert that has one."""


def test_alerts_fire_just_past_their_conditions(proves: Proves) -> None:
    """Every alert of the pack fires and stays silent where its example says."""
    proves(traefik.alerts({}))


@pytest.mark.exhaustive  # a second proof
def test_thresholds_can_be_tuned(proves: Proves) -> None:
    """Another threshold changes condition and description, and the alert is right about it as well."""
    proves(tuned(traefik.alerts, OTHERS))


def test_alerts_keep_who_they_are_about() -> None:
    """What is summed keeps the labels that routes and inhibitions look at."""
    keeps_identity(traefik.alerts({}))


def test_panels_explain_themselves(explains: Any) -> None:
    """Each panel has a title of its own in its row and says what it shows; the row for other boards has 4 to 8."""
    assert len(traefik.panels()) in range(4, 9)
    explains(traefik.panels())
    for row in traefik.board().rows:
        explains(row.panels)


def test_the_board_is_sound() -> None:
    """It can be built, fills its rows, and its queries are PromQL that follows the chosen environment."""
    is_sound(traefik.board(), "traefik", panels=range(10, 19))
    fits_a_row(traefik.board())
