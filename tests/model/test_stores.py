"""Who takes log lines: in the form that agents push, and as OpenTelemetry's protocol has it."""

from __future__ import annotations

from pathlib import Path

from tests.support.systems import plan_shop


def test_one_store_takes_both_forms(tmp_path: Path) -> None:
    """Lines that are pushed and records that are sent end in one place."""
    (store,) = plan_shop(tmp_path).telemetry.log_stores
    assert store.url.removesuffix("/loki/api/v1/push") == store.otlp.removesuffix("/otlp")
