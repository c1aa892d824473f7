"""How running Alertmanagers are asked."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from cli.alertmanagers import InContainer, InPod
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


def test_one_in_a_pod_is_asked_through_the_api() -> None:
    """By its port and prefix; an operator's has another prefix."""
    seen: list[tuple[Any, ...]] = []

    def fetch(pod: Any, port: int, path: str, body: str | None) -> str:
        seen.append((port, path, body))
        return "answer"

    pod = SimpleNamespace(metadata=SimpleNamespace(name="alertmanager-0", namespace="monitoring-dev"))
    api = SimpleNamespace(
        read_namespaced_pod_log=lambda name, home, **options: SimpleNamespace(data=f"{name} {home}".encode())
    )
    assert InPod(pod, fetch, api).ask("/metrics") == "answer"
    InPod(pod, fetch, api, "").ask("/api/v2/alerts", "[]")
    assert seen == [(9093, "/alertmanager/metrics", None), (9093, "/api/v2/alerts", "[]")]
    assert InPod(pod, fetch, api).read_log(0) == "alertmanager-0 monitoring-dev"
