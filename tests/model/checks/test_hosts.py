"""What is on the host of an engine is refused on a cluster, with its key."""

from __future__ import annotations

from typing import Any

import pytest

from model.checks.hosts import check_hosts
from tests.model.checks.contexts import context

PROCESS = {"services.api.onHost": True}


@pytest.mark.parametrize(
    ("system", "place"),
    [
        (PROCESS, "services.api.onHost"),
        ({"services.api.addresses": ["api:4000", "host.docker.internal:4000"]}, "services.api.addresses[1]"),
        ({"services.api.health": ["http://host.docker.internal/up"]}, "services.api.health[0]"),
        ({"databases": {"db": {"kind": "postgres", "onHost": True}}}, "databases.db.onHost"),
        ({"databases": {"db": {"kind": "redis", "address": "host.docker.internal:1"}}}, "databases.db.address"),
    ],
)
def test_no_pod_knows_the_host(system: dict[str, Any], place: str) -> None:
    """On Docker each of these is right; on a cluster it is named."""
    assert check_hosts(context(system, target="docker")) == []
    (problem,) = check_hosts(context(system, target="kubernetes"))
    assert problem.where == f"configs/systems/shop.yaml: {place}"


def test_in_a_demo_nobody_asks_the_host() -> None:
    """Stand-ins are asked in its place, so one file serves both."""
    assert check_hosts(context(PROCESS, target="kubernetes", demo=True)) == []
