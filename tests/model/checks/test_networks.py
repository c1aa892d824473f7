"""Networks are named before an engine is asked for them."""

from __future__ import annotations

import pytest

from model.checks import networks
from tests.model.checks.contexts import context


@pytest.mark.parametrize(
    ("names", "wrong"),
    [(["shop_default", "b.c-d"], []), (["a", "a"], [1]), (["none"], [0]), (["dev-monitoring"], [0]), (["", "a"], [0])],
)
def test_networks_that_cannot_be_joined(names: list[str], wrong: list[int]) -> None:
    """Each name is judged by itself, and against those before it."""
    problems = networks.check_networks(context(docker={"externalNetworks": names}))
    assert [p.where for p in problems] == [f"Pulumi.dev.yaml: docker.externalNetworks[{number}]" for number in wrong]
