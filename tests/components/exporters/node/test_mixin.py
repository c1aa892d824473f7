"""The board of the host."""

from __future__ import annotations

from typing import Any

from components.exporters.node import device_alerts as host_device_alerts
from components.exporters.node import mixin as host
from packs.base import build_flat_samples, build_service_series
from tests.conftest import Proves
from tests.support.boards import fits_a_row, is_sound, shows_troubles


def test_panels_explain_themselves(explains: Any) -> None:
    """Each panel has a title of its own in its row and says what it shows; the row for other boards has 4 to 8."""
    assert len(host.panels()) in range(4, 9)
    explains(host.panels())
    for row in host.board().rows:
        explains(row.panels)


def test_the_board_is_sound() -> None:
    """It can be built, fills its rows, and its queries are PromQL that follows the chosen environment."""
    is_sound(host.board(), "host", panels=range(15, 36))
    fits_a_row(host.board())


def test_broken_devices_are_drawn(proves: Proves) -> None:
    """Each alert about a device has a line that names it, above 0; on a host without such devices there is none."""
    idle = ("node_filesystem_device_error", "node_disk_io_time_weighted_seconds_total")
    calm = {build_service_series("node-exporter", name): build_flat_samples(0) for name in idle}
    (disks,) = (row.panels for row in host.board().rows if row.title == "Disks")
    shows_troubles(proves, host_device_alerts.alerts({}), disks, calm)
