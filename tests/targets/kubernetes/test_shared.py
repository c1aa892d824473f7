"""What all objects share: the kind of their controller, quantities."""

from __future__ import annotations

from dataclasses import replace

import pytest

from model.workload import DataVolume
from targets.kubernetes import shared
from tests.support.workloads import AGENT as ANYWHERE
from tests.support.workloads import PLAIN

AGENT = replace(ANYWHERE, placement="node-agent")


def test_the_kind_follows_from_the_workload() -> None:
    """Agents are on every node, data makes a StatefulSet, anything else is a Deployment."""
    assert shared.find_controller_kind(AGENT) == "DaemonSet"
    assert shared.find_controller_kind(replace(PLAIN, volumes=())) == "Deployment"
    assert shared.find_controller_kind(replace(PLAIN, volumes=(DataVolume(name="d", path="/d"),))) == "StatefulSet"


@pytest.mark.parametrize(("size", "text"), [(5 * 2**30, "5Gi"), (128 * 2**20, "128Mi"), (1536, "1536"), (2048, "2Ki")])
def test_quantities_are_as_the_api_gives_them_back(size: int, text: str) -> None:
    """Else every refresh would show a difference."""
    assert shared.format_quantity(size) == text


def test_cores_are_as_the_api_gives_them_back() -> None:
    """Whole cores without a unit, others in thousandths."""
    assert (shared.format_millis(2.0), shared.format_millis(0.25)) == ("2", "250m")


@pytest.mark.parametrize(
    ("text", "count"), [("10Gi", 10 * 2**30), ("500Mi", 500 * 2**20), ("1024", 1024), ("2G", 2 * 10**9), ("1Pi", 2**50)]
)
def test_quantities_are_read(text: str, count: int) -> None:
    """Powers of two and of ten, and plain bytes."""
    assert shared.parse_quantity(text) == count


def test_shares_of_a_core_are_read_and_words_are_not() -> None:
    """A thousandth is a quantity too; a text is none, and no number either."""
    assert shared.parse_quantity("250m") == 0.25
    for text in ("", "m", "ten", "1Qx"):
        with pytest.raises(ValueError, match="float"):
            shared.parse_quantity(text)
