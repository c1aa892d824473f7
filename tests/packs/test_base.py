"""Short forms that all packs share."""

from __future__ import annotations

from typing import Any

from model.service import Tuning
from packs.base import above, counter, either, flat, limit, names, percent, share


def test_a_threshold_is_the_systems_or_the_packs() -> None:
    """What a system says of an alert wins; without a number its own stays."""
    assert limit({}, "A", 0.5) == 0.5
    assert limit({"A": Tuning(threshold=0.0)}, "A", 0.5) == 0.0
    assert limit({"A": Tuning(enabled=False)}, "A", 0.5) == 0.5


def test_the_services_own_word_comes_first(uses: Any) -> None:
    """A service's tuning is preferred to that of its system."""
    subject = uses("http", tune={"SlowRequests": {"threshold": 2.0}})
    assert subject.limit("SlowRequests", 1.0) == 2.0
    assert subject.limit("HighErrorRatio", 0.05) == 0.05


def test_examples_lie_on_both_sides() -> None:
    """A gauge and a share are made just larger, and just smaller, than the bound."""
    assert above("x", 100.0).fires == {"x": "101.0+0x120"}
    assert above("x", 100.0).silent == {"x": "99.0+0x120"}
    assert share("bad", "good", 0.5).fires == {"bad": "0+5050x120", "good": "0+4950x120"}
    assert (counter(2), flat(3)) == ("0+2x120", "3+0x120")


def test_metrics_of_several_names_are_one_query(uses: Any) -> None:
    """Two names that mean the same are joined, each once."""
    assert either(["b", "a", "b"], "rate(NAME[5m])") == "rate(a[5m]) or rate(b[5m])"
    assert names([uses("http"), uses("worker")], "requests") == ["http_requests_total"]
    assert percent(0.05) == "5%"
