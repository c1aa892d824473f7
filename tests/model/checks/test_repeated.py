"""What two entries of a system both name is found, and what only looks alike is not."""

from __future__ import annotations

from typing import Any

import pytest

from model.checks import repeated
from tests.model.checks.contexts import context

WORKER = "services.worker"
POSTGRES = {"kind": "postgres", "address": "db:5432"}
FILES = [{"path": path, "job": "a"} for path in ("/var/log/a.log", "/var/log/b.log", "/var/log/old/*.log")]


@pytest.mark.parametrize(
    "system",
    [
        {},
        {"services.api.address": "h:4000", WORKER: {"port": 4000, "address": "h:4000", "metricsPath": "/worker"}},
        {"services.api.address": "h:4000", WORKER: {"port": 4001, "address": "h:4001"}},
        {"services.api.addresses": ["a:4000", "b:9"]},
        {"services.api.kubernetes": {"namespace": "n", "selector": {"app": "a"}}, "services.api.address": "a:9"},
        {"databases": {"orders": POSTGRES, "users": {**POSTGRES, "database": "users"}}},
        {"databases": {"a": {"kind": "redis", "address": "c:6379"}, "b": {"kind": "redis", "address": "c:6380"}}},
        {"services.api.logs.container": "app", f"{WORKER}.logs": {"container": "app2"}},
        {"services.api.logs.container": "worker", f"{WORKER}.logs": {"container": "jobs"}},
        {"hostLogs": FILES},
    ],
    ids=lambda system: "-".join(system) or "shop",
)
def test_neighbours_are_left_alone(system: dict[str, Any]) -> None:
    """Another path, port, database, container or file is another thing, and pods have a port of their own."""
    assert repeated.check_repeated(context(system)) == []


def test_patterns_mean_files_within_their_folders() -> None:
    """One star stays in its folder, two go deeper, and patterns are not compared with each other."""

    def clash(first: str, second: str) -> bool:
        logs = [{"path": path, "job": "a"} for path in (first, second)]
        return bool(repeated.check_repeated(context({"hostLogs": logs})))

    assert clash("/srv/*/a.log", "/srv/b/a.log") and clash("/srv/b/c/a.log", "/srv/**/a.log")
    assert not clash("/srv/*.log", "/srv/b/a.log") and not clash("/srv/*/a.log", "/srv/b/*.log")
