"""What the exporters of databases share."""

from __future__ import annotations

from pathlib import Path

from tests.support.planned import job, workload
from tests.support.systems import plan_shop


def test_names_and_labels_tell_databases_apart(tmp_path: Path) -> None:
    """A single database has an exporter called like the component; each of several has its key in name and label."""
    one = {"cache": {"kind": "redis", "address": "a:6379"}}
    two = {**one, "queue": {"kind": "redis", "address": "b:6379"}}
    assert workload(plan_shop(tmp_path, {"databases": one}), "redis-exporter")
    targets = job(plan_shop(tmp_path, {"databases": two}), "redis-exporter").targets
    assert [t.labels["database"] for t in targets] == ["cache", "queue"]
    assert [t.labels["service"] for t in targets] == ["redis-exporter-cache", "redis-exporter-queue"]
