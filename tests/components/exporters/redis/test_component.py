"""redis-exporter: one for each database, with the password in a file."""

from __future__ import annotations

import json
from pathlib import Path

from stack.assemble import ConfigValue
from tests.support.planned import explained, scraped_as, workload
from tests.support.systems import plan_shop

ONE = {"databases": {"cache": {"kind": "redis", "address": "redis:6379", "passwordSecret": "cache-secret"}}}


def test_the_password_is_a_file_that_maps_addresses(tmp_path: Path) -> None:
    """The secret file is the exporter's own format: a mapping of address to password."""
    plan = plan_shop(tmp_path, ONE, {"cache-secret": ConfigValue("", secret=True)})
    found = workload(plan, "redis-exporter")
    written = found.secrets[0].template.replace("{}", "hidden", 1)
    assert json.loads(written) == {"redis://redis:6379": "hidden"}
    assert found.env["REDIS_PASSWORD_FILE"] == found.secrets[0].path
    scraped_as(plan, "redis-exporter")
    explained(plan, "redis")


def test_the_memory_of_its_machine_is_asked_for(tmp_path: Path) -> None:
    """Redis without maxmemory has no limit of its own, so that the alert compares with the machine."""
    plan = plan_shop(tmp_path, ONE, {"cache-secret": ConfigValue("", secret=True)})
    assert "-include-system-metrics" in workload(plan, "redis-exporter").args
    alerts = {alert.name: alert for group in plan.telemetry.rules for alert in group.alerts}
    assert "redis_total_system_memory_bytes" in alerts["RedisOutOfMemory"].expr


def test_no_database_no_exporter(tmp_path: Path) -> None:
    """A system without Redis has no exporter for it."""
    assert "redis-exporter" not in plan_shop(tmp_path).workloads
