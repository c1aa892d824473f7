"""The targets of a stack whose Prometheus is an operator's."""

from __future__ import annotations

import json
from typing import Any

from cli.operator_targets import list_expected_pools, list_targets
from model.operator import Operator

ANSWERS: dict[str, Any] = {
    "/api/v1/scrape_pools": {
        "scrapePools": ["serviceMonitor/mine/api/0", "serviceMonitor/other/x/0", "probe/mine/web"]
    },
    "/api/v1/targets?state=active": {
        "activeTargets": [
            {"scrapePool": "serviceMonitor/mine/api/0", "health": "up"},
            {"scrapePool": "serviceMonitor/other/x/0", "health": "down"},
        ]
    },
}  # fmt: skip


def fetch(_: Any, port: int, path: str) -> str:
    """What the operator's Prometheus answers."""
    assert port == 9090
    return json.dumps({"data": ANSWERS[path]})


def test_objects_become_pools() -> None:
    """By the names that the operator gives them."""

    def listed(group: str, version: str, resource: str) -> list[Any]:
        assert group == "monitoring.coreos.com"
        return [{"metadata": {"name": resource}}] if version == "v1" else []

    assert list_expected_pools(listed, "mine") == [
        "podMonitor/mine/podmonitors/0", "probe/mine/probes", "serviceMonitor/mine/servicemonitors/0",
    ]  # fmt: skip


def test_only_our_own_targets_count() -> None:
    """Those of others may be down; a pool without targets is no trouble."""
    assert list_targets(Operator(), ["pod"], fetch, ["serviceMonitor/mine/api/0", "probe/mine/web"]) == [
        {"scrapePool": "serviceMonitor/mine/api/0", "health": "up"}
    ]


def test_a_pool_that_is_not_there_yet_is_not_up() -> None:
    """So that a run waits for it, and says at the end what is missing."""
    (result,) = list_targets(Operator(), ["pod"], fetch, ["podMonitor/mine/new/0"])
    assert result["health"] == "unknown" and result["scrapeUrl"] == "podMonitor/mine/new/0"
    assert "no Prometheus of the operator in monitoring has it yet" in result["lastError"]


def test_an_answer_that_is_refused_is_told() -> None:
    """The API server's own words are the reason."""

    def refuses(*_: Any) -> str:
        raise RuntimeError("403 Forbidden")

    (result,) = list_targets(Operator(), ["pod"], refuses, ["podMonitor/mine/new/0"])
    assert result["lastError"] == "403 Forbidden"
