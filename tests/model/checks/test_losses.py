"""What a stack lacks after a part was switched off is said, and nothing where nothing is lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.systems import plan_cluster, plan_shop

OFF = '{"enabled": false}'


@pytest.mark.parametrize("plan", [plan_shop, plan_cluster])
def test_what_is_switched_off_is_missed(plan: object, tmp_path: Path) -> None:
    """Agents that read files of nodes, where these are forbidden: their alerts, the lines and the host's rows."""
    made = plan(tmp_path, settings={"promtail": OFF, "nodeExporter": OFF})  # type: ignore[operator]
    lines, host = (
        next(text for text in made.warnings if f" {key}.enabled: false" in text) for key in ("promtail", "nodeExporter")
    )
    assert lines.startswith(
        "Pulumi.dev.yaml: promtail.enabled: false, so nothing here offers the reading of the host's"
    )
    assert "the alerts PromtailDropsLines, " in lines
    assert "the alerts NodeBondingDegraded, " in host and " more do not exist" in host


def test_a_store_of_logs_that_nobody_fills_is_said(tmp_path: Path) -> None:
    """Unless a machine may push lines, or the port is open for one."""

    def store(name: str, **more: str) -> list[str]:
        made = plan_shop(tmp_path / name, settings={"promtail": OFF, **more})
        return [text for text in made.warnings if text.startswith("Pulumi.dev.yaml: loki.enabled: true")]

    assert "nobody sends lines to it" in store("nobody")[0]
    assert not store("open", loki='{"port": 3100}')
    assert not store("pushed", access='{"machines": [{"name": "shipper", "may": ["push"]}]}')


def test_nothing_is_missed_of_a_whole_stack(tmp_path: Path) -> None:
    """Also not what is off unless somebody switches it on."""
    assert not [text for text in plan_shop(tmp_path).warnings if "enabled" in text]
