"""Short forms that all packs share."""

from __future__ import annotations

from typing import Any

from model.service import Tuning
from packs.base import (
    build_counter_samples,
    build_either_query,
    build_flat_samples,
    build_gauge_example,
    build_share_example,
    format_percent,
    get_limit,
    list_metric_names,
)


def test_a_threshold_is_the_systems_or_the_packs() -> None:
    """What a system says of an alert wins; without a number its own stays."""
    assert get_limit({}, "A", 0.5) == 0.5
    assert get_limit({"A": Tuning(threshold=0.0)}, "A", 0.5) == 0.0
    assert get_limit({"A": Tuning(enabled=False)}, "A", 0.5) == 0.5


def test_the_services_own_word_comes_first(uses: Any) -> None:
    """A service's tuning is preferred to that of its system."""
    subject = uses("http", tune={"SlowRequests": {"threshold": 2.0}})
    assert subject.get_limit("SlowRequests", 1.0) == 2.0
    assert subject.get_limit("HighErrorRatio", 0.05) == 0.05


def test_examples_lie_on_both_sides() -> None:
    """A gauge and a share are made just larger, and just smaller, than the bound."""
    assert build_gauge_example("x", 100.0).fires == {"x": "101.0+0x120"}
    assert build_gauge_example("x", 100.0).silent == {"x": "99.0+0x120"}
    assert build_share_example("bad", "good", 0.5).fires == {"bad": "0+5050x120", "good": "0+4950x120"}
    assert (build_counter_samples(2), build_flat_samples(3)) == ("0+2x120", "3+0x120")


def test_metrics_of_several_names_are_one_query(uses: Any) -> None:
    """Two names that mean the same are joined, each once."""
    assert build_either_query(["b", "a", "b"], "rate(NAME[5m])") == "rate(a[5m]) or rate(b[5m])"
    assert list_metric_names([uses("http"), uses("worker")], "requests") == ["http_requests_total"]
    assert format_percent(0.05) == "5%"
