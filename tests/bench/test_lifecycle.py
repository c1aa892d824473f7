"""The parts of measurements that can be judged without an engine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bench import lifecycle
from cli.render import plan_file
from tests.support import fakes

ROOT = Path(__file__).resolve().parents[2]


def test_notification_limit_follows_the_settings() -> None:
    """The limit is the sum of what the stack's own documents allow: scrape, evaluations, hold and group wait."""
    parts = lifecycle.compute_notification_limit(plan_file(ROOT / "Pulumi.dev.yaml", "dev"))
    assert parts["scrape"] == 15 and parts["evaluation"] == 30 and parts["for"] == 60
    assert 0 < parts["group wait"] <= 30


@pytest.mark.parametrize(
    ("route", "waits"),
    [
        ({}, ["30s"]),
        ({"group_wait": "10s", "routes": [{"group_wait": "0s"}, {}]}, ["10s", "0s", "10s"]),
    ],
)
def test_routes_inherit_their_group_wait(route: dict[str, Any], waits: list[str]) -> None:
    """A route without a group wait has its parent's."""
    assert lifecycle._list_group_waits(route, "30s") == waits


@pytest.mark.parametrize(
    ("stats", "used"),
    [
        ({"usage": 100, "stats": {"total_inactive_file": 30, "inactive_file": 1}}, 70),
        ({"usage": 100, "stats": {"inactive_file": 40}}, 60),
        ({"usage": 100}, 100),
    ],
)
def test_page_cache_is_not_counted(stats: dict[str, Any], used: int) -> None:
    """Memory is what cannot be given back, on both versions of control groups."""
    assert lifecycle.compute_working_set(stats) == used


def test_the_peer_has_no_resource(tmp_path: Path) -> None:
    """The empty program is deployed once, in a backend of its own, before it is measured."""
    env = {"PATH": f"{fakes.fake_pulumi(tmp_path / 'fake')}:/usr/bin:/bin", "PULUMI_BACKEND_URL": "s3://real"}
    space = lifecycle.build_empty_program(tmp_path, env)
    assert space.env["PULUMI_BACKEND_URL"] == f"file://{tmp_path}/backend"
    assert (tmp_path / "__main__.py").read_text() == ""
    assert fakes.calls(tmp_path / "fake")[0] == "stack init empty"
