"""What could never be seen is refused: statuses that are none, and thresholds beyond the last bucket."""

from __future__ import annotations

from typing import Any

import pytest

from packs import measurable
from tests.support.objectives import RATIO, system

TOTAL = {"total": "jobs_total"}
REQUESTS = {"type": "counter", "role": "requests"}
TOOK = {"type": "histogram", "role": "duration", "unit": "seconds"}
QUERIES = {"type": "histogram", "role": "query_duration", "unit": "milliseconds"}


def found(subject: Any) -> list[str]:
    """The problems of a service, as text."""
    return [str(problem) for problem in measurable.check_measurable(subject.system, "s.yaml: ")]


def test_statuses_that_are_none_are_refused(uses: Any) -> None:
    """A label with words in it tells no 5xx: refused with the words and with what to do."""
    metrics = {"hits": {**REQUESTS, "labels": {"status": ["ok", "error"]}}}
    (problem,) = found(uses("http", metrics=metrics))
    assert "services.x.metrics.hits.labels.status" in problem
    assert "none of ok, error is an HTTP status" in problem and "statusLabel" in problem


@pytest.mark.parametrize("values", [["200", "500"], ["2xx", "5xx"], ["ok", "500"], []])
def test_statuses_and_classes_of_them_are_taken(values: list[str], uses: Any) -> None:
    """Codes, classes, or nothing said about values."""
    assert found(uses("http", metrics={"hits": {**REQUESTS, "labels": {"status": values}}})) == []


def test_a_threshold_beyond_the_last_bucket_is_refused(uses: Any) -> None:
    """With buckets up to one second no quantile is larger than a second; both alerts are named at once."""
    metrics = {"took": {**TOOK, "buckets": [0.1, 0.5, 1]}, "asked": {**QUERIES, "buckets": [100, 500]}}
    slow, queries = found(uses("http", "pool", metrics=metrics))
    assert "services.x.metrics.took.buckets" in slow
    assert "SlowRequests can never fire: the last bucket of took ends at 1 s, and its threshold is 1 s" in slow
    assert "SlowQueries can never fire: the last bucket of asked ends at 0.5 s" in queries


@pytest.mark.parametrize("tune", [{"threshold": 0.9}, {"enabled": False}])
def test_a_threshold_within_the_buckets_is_taken(tune: dict[str, Any], uses: Any) -> None:
    """A threshold below the last bound can be passed; an alert that is off needs none."""
    metrics = {"took": {**TOOK, "buckets": [0.1, 0.5, 1]}}
    assert found(uses("http", metrics=metrics, tune={"SlowRequests": tune})) == []


JOBS = {"jobs_total": {"type": "counter", "labels": {"result": ["done", "failed", "lost"]}}}


@pytest.mark.parametrize("matchers", ['result="error"', 'result=~"err.*|bad"'])
def test_failures_that_are_not_declared_are_refused(matchers: str) -> None:
    """An objective whose failures are none of the declared values would be kept for ever."""
    (problem,) = measurable.check_measurable(
        system({**RATIO, "bad": f"jobs_total{{{matchers}}}", **TOTAL}, metrics=JOBS), ""
    )
    assert problem.where == "objectives[0].bad"
    assert "matches none of the values that jobs_total declares: done, failed, lost" in problem.message


@pytest.mark.parametrize("matchers", ['result="failed"', 'result=~"fail.*"', 'result!="done"', "result='lost'"])
def test_failures_that_are_declared_are_taken(matchers: str) -> None:
    """Equal to a value, like one, or all but one."""
    assert (
        measurable.check_measurable(system({**RATIO, "bad": f"jobs_total{{{matchers}}}", **TOTAL}, metrics=JOBS), "")
        == []
    )
