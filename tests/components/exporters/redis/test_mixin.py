"""The board of Redis."""

from __future__ import annotations

from typing import Any

from components.exporters.redis import data_alerts as redis_data_alerts
from components.exporters.redis import mixin as redis
from packs.base import build_flat_samples, build_service_series
from tests.conftest import Proves
from tests.support.boards import fits_a_row, is_sound, shows_troubles


def test_panels_explain_themselves(explains: Any) -> None:
    """Each panel has a title of its own in its row and says what it shows; the row for other boards has 4 to 8."""
    assert len(redis.panels()) in range(4, 9)
    explains(redis.panels())
    for row in redis.board().rows:
        explains(row.panels)


def test_the_board_is_sound() -> None:
    """It can be built, fills its rows, and its queries are PromQL that follows the chosen environment."""
    is_sound(redis.board(), "redis", panels=range(10, 20))
    fits_a_row(redis.board())


def test_lost_data_is_drawn(proves: Proves) -> None:
    """What cannot be saved, and a replica without its master, have a line above 0."""
    (persistence,) = (row.panels for row in redis.board().rows if row.title == "Persistence")
    alerts = (redis_data_alerts.alert_on_failed_save(), redis_data_alerts.alert_on_master_link_down())
    shows_troubles(
        proves, alerts, persistence, {build_service_series("redis-exporter", "redis_up"): build_flat_samples(1)}
    )
