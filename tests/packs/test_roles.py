"""Metrics that packs could not use are found, and those that they can are left alone."""

from __future__ import annotations

from typing import Any

import pytest

from model.load import parse_model
from model.system import System
from packs import roles
from packs.system import expand_system
from tests.support.systems import SYSTEM, changed

COUNTER = {"type": "counter", "labels": {"status": ["200", "500"]}}


def places(service: dict[str, Any]) -> list[str]:
    """Where something is wrong with a service beside those of the shop."""
    system = expand_system(parse_model(System, changed(SYSTEM, {"services.other": {"port": 1, **service}}), "shop"))
    return [problem.where.removeprefix("services.other.") for problem in roles.check_roles(system, "")]


@pytest.mark.parametrize(
    "service",
    [
        {"packs": ["http"]},
        {"packs": ["http"], "metrics": {"http_requests_total": {**COUNTER, "role": "requests"}}},
        {"packs": ["http"], "metrics": {"http_requests_total": COUNTER, "hits": {**COUNTER, "role": "requests"}}},
        {"packs": ["llm"], "metrics": {"rag_queries_total": COUNTER}},
        {"packs": ["worker"], "metrics": {"rag_queries_total": {"type": "gauge"}}},
    ],
)
def test_usable_metrics_are_left_alone(service: dict[str, Any]) -> None:
    """A metric of a pack may be declared as it is, and one of another pack's name as anything."""
    assert places(service) == []


def test_a_pack_reads_its_own_names() -> None:
    """A metric that a pack reads by name has its type, and one that it finds by role has that role."""
    assert places({"packs": ["llm"], "metrics": {"rag_queries_total": {"type": "gauge"}}}) == [
        "metrics.rag_queries_total.type"
    ]
    assert places({"packs": ["http"], "metrics": {"http_requests_total": COUNTER}}) == [
        "metrics.http_requests_total.role"
    ]
