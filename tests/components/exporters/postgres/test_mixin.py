"""The board of PostgreSQL."""

from __future__ import annotations

from typing import Any

from components.exporters.postgres import mixin as postgres
from components.exporters.postgres import upkeep_alerts as postgres_upkeep_alerts
from packs.base import build_flat_samples, build_service_series
from tests.conftest import Proves
from tests.support.boards import fits_a_row, is_sound, shows_troubles


def test_panels_explain_themselves(explains: Any) -> None:
    """Each panel has a title of its own in its row and says what it shows; the row for other boards has 4 to 8."""
    assert len(postgres.panels()) in range(4, 9)
    explains(postgres.panels())
    for row in postgres.board().rows:
        explains(row.panels)


def test_the_board_is_sound() -> None:
    """It can be built, fills its rows, and its queries are PromQL that follows the chosen environment."""
    is_sound(postgres.board(), "postgres", panels=range(10, 24))
    fits_a_row(postgres.board())


def test_upkeep_is_drawn(proves: Proves) -> None:
    """Each alert about copies and vacuum has a line above 0 in their row."""
    (upkeep,) = (row.panels for row in postgres.board().rows if row.title == "Vacuum and copies")
    alerts = [alert for alert in postgres_upkeep_alerts.alerts({}) if alert.name != "PostgresHasExporterErrors"]
    idle = ("pg_replication_lag_seconds", "pg_database_wraparound_age_datfrozenxid_seconds")
    calm = {build_service_series("postgres-exporter", name): build_flat_samples(0) for name in idle}
    up = {build_service_series("postgres-exporter", "pg_up"): build_flat_samples(1)}
    shows_troubles(proves, alerts, upkeep, calm | up)
