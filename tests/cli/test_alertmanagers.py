"""How running Alertmanagers are asked."""

from __future__ import annotations

from cli.alertmanagers import InContainer
from tests.support import fakes


def test_one_in_a_container_is_asked_from_inside() -> None:
    """By its own address there; what is posted is JSON."""
    item = fakes.service("alertmanager", outputs=[(0, b"metrics"), (0, b"")])
    item.logs = lambda since: f"since {since}".encode()  # type: ignore[attr-defined]
    instance = InContainer(fakes.engine_with(item), "dev")
    assert instance.ask("/metrics") == "metrics"
    instance.ask("/api/v2/alerts", "[]")
    get, post = item.commands
    assert get[-1] == "http://127.0.0.1:9093/alertmanager/metrics" and "--post-data" not in get
    assert post[post.index("--post-data") + 1] == "[]" and "Content-Type: application/json" in post
    assert instance.read_log(12.7) == "since 12"
