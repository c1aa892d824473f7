"""postgres-exporter: one for each database, with the password in a file."""

from __future__ import annotations

from pathlib import Path

from stack.assemble import ConfigValue
from tests.support.planned import explained, job, scraped_as, workload
from tests.support.systems import plan_shop

ONE = {"databases": {"db": {"kind": "postgres", "address": "db.example.com:5432", "passwordSecret": "db-secret"}}}
TWO = {
    "databases": {
        name: {"kind": "postgres", "address": f"{name}.example.com:5432", "passwordSecret": "db-secret"}
        for name in ("orders", "users")
    }
}
GIVEN = {"db-secret": ConfigValue("", secret=True)}


def test_the_password_is_a_file(tmp_path: Path) -> None:
    """The environment holds address, user and the password's file, never the password."""
    plan = plan_shop(tmp_path, ONE, GIVEN)
    found = workload(plan, "postgres-exporter")
    assert found.env["DATA_SOURCE_PASS_FILE"] == "/run/secrets/db-secret" == found.secrets[0].path
    assert found.env["DATA_SOURCE_URI"] == "db.example.com:5432/postgres?sslmode=disable"
    scraped_as(plan, "postgres-exporter")
    explained(plan, "postgres")


def test_ages_of_transaction_ids_are_asked_for(tmp_path: Path) -> None:
    """The exporter does not ask for them by itself, and PostgreSQLWraparoundNear needs them."""
    plan = plan_shop(tmp_path, ONE, GIVEN)
    assert "--collector.database_wraparound" in workload(plan, "postgres-exporter").args
    alerts = {alert.name: alert for group in plan.telemetry.rules for alert in group.alerts}
    assert "pg_database_wraparound_" in alerts["PostgreSQLWraparoundNear"].expr


def test_each_database_has_its_exporter(tmp_path: Path) -> None:
    """Two databases have two exporters in one job, told apart by a label."""
    plan = plan_shop(tmp_path, TWO, GIVEN)
    found = {target.address: target.labels["database"] for target in job(plan, "postgres-exporter").targets}
    assert found == {"postgres-exporter-orders:9187": "orders", "postgres-exporter-users:9187": "users"}


def test_no_database_no_exporter(tmp_path: Path) -> None:
    """A system without PostgreSQL has neither exporter nor alerts for it."""
    assert "postgres-exporter" not in plan_shop(tmp_path).workloads


def test_a_stand_in_is_asked_without_tls(tmp_path: Path) -> None:
    """It has no certificate, so what the real database wants would keep the demo's exporter out."""
    own = {"databases": {"db": {**ONE["databases"]["db"], "sslMode": "verify-full"}}}
    modes = {
        demo: workload(plan_shop(tmp_path / demo, own, {**GIVEN, "demo": demo}), "postgres-exporter").env[
            "DATA_SOURCE_URI"
        ]
        for demo in ("true", "false")
    }
    assert modes == {
        "true": "db:5432/postgres?sslmode=disable",
        "false": "db.example.com:5432/postgres?sslmode=verify-full",
    }
