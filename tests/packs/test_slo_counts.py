"""What objectives count: a name, label or bucket that is not there is neither a success nor a failure."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from packs import slo
from packs.base import Subject
from packs.slo_counts import build_counts, list_labels, parse_matchers
from tests.support.objectives import AVAILABILITY, IDS, LATENCY, RATIO, absent, case, judged, near, system

OTHER = {**RATIO, "bad": "shop_errors_total", "total": "http_requests_total"}
METRICS = {
    "http_requests_total": {"type": "counter", "role": "requests", "labels": {"status": ["200", "500"]}},
    "shop_errors_total": {"type": "counter"},
}
UP = {f'up{{{IDS}, job="api"}}': "1+0x240"}
UNKNOWN = "slo:requests_unknown:ratio_rate1h"


def requests(**labels: str) -> str:
    """A series of the requests counter."""
    return f"http_requests_total{{{IDS}" + "".join(f', {name}="{value}"' for name, value in labels.items()) + "}"


def took(what: str, **labels: str) -> str:
    """A series of the histogram of durations."""
    inside = "".join(f', {name}="{value}"' for name, value in labels.items())
    return f"http_request_duration_seconds_{what}{{{IDS}{inside}}}"


def jobs(**labels: str) -> str:
    """A series of the counter of jobs."""
    inside = "".join(f', {name}="{value}"' for name, value in labels.items())
    return f"worker_jobs_processed_total{{{IDS}{inside}}}"


BLIND: dict[str, tuple[Mapping[str, Any], dict[str, str]]] = {
    "another status label": (AVAILABILITY, {requests(code="500"): "0+30x240", requests(code="200"): "0+30x240"}),
    "no HTTP status in it": (AVAILABILITY, {requests(status="error"): "0+30x240", requests(status="ok"): "0+30x240"}),
    "another metric": (AVAILABILITY, {f"hits_total{{{IDS}}}": "0+30x240"}),
    "no bucket at the threshold": (LATENCY, {took("bucket", le="1"): "0+60x240", took("count"): "0+60x240"}),
    "another label of failures": (RATIO, {jobs(outcome="failed"): "0+30x240", jobs(outcome="ok"): "0+30x240"}),
    "no counter of failures": (OTHER, {requests(status="200"): "0+60x240"}),
}
SEEN: dict[str, tuple[Mapping[str, Any], dict[str, str], float]] = {
    "availability": (AVAILABILITY, {requests(status="500"): "0+6x240", requests(status="200"): "0+54x240"}, 0.1),
    "classes of status": (AVAILABILITY, {requests(status="5xx"): "0+6x240", requests(status="2xx"): "0+54x240"}, 0.1),
    "latency": (LATENCY, {took("bucket", le="0.5"): "0+54x240", took("count"): "0+60x240"}, 0.1),
    "ratio": (RATIO, {jobs(status="failed"): "0+6x240", jobs(status="success"): "0+54x240"}, 0.1),
    "two counters": (OTHER, {f"shop_errors_total{{{IDS}}}": "0+6x240", requests(status="200"): "0+60x240"}, 0.1),
}


@pytest.mark.parametrize("name", BLIND)
def test_what_cannot_be_judged_has_no_ratio_and_is_told(name: str, tmp_path: Path) -> None:
    """A label, bucket or metric of another name: no error ratio at all, everything unknown, and the alert fires."""
    objective, series = BLIND[name]
    facts = (
        absent('{__name__=~"slo:error_ratio:.*"}'),
        f"{UNKNOWN} == bool 1",
        'ALERTS{alertname="SLOWithoutData", alertstate="firing", slo!=""}',
    )
    groups = slo.build_groups(system(objective, metrics=METRICS if objective is OTHER else {}), "test")
    judged(tmp_path, groups, [case({**series, **UP}, "40m", *facts)], "30s")


@pytest.mark.parametrize("name", SEEN)
def test_what_can_be_judged_has_its_ratio(name: str, tmp_path: Path) -> None:
    """With the right names the ratio is that of the counters, nothing is unknown, and nobody is told."""
    objective, series, share = SEEN[name]
    facts = (
        near("slo:error_ratio:rate1h", share, 0.001),
        f"{UNKNOWN} == bool 0",
        absent('ALERTS{alertname="SLOWithoutData"}'),
    )
    groups = slo.build_groups(system(objective, metrics=METRICS if objective is OTHER else {}), "test")
    judged(tmp_path, groups, [case({**series, **UP}, "90m", *facts)], "30s")


@pytest.mark.parametrize(
    ("objective", "known", "hidden"),
    [
        (
            AVAILABILITY,
            {requests(status="500", instance="a"): "0+3x240", requests(status="200", instance="a"): "0+27x240"},
            {requests(code="200", instance="b"): "0+30x240"},
        ),
        (
            LATENCY,
            {took("bucket", le="0.5", instance="a"): "0+27x240", took("count", instance="a"): "0+30x240"},
            {took("bucket", le="1", instance="b"): "0+30x240", took("count", instance="b"): "0+30x240"},
        ),
    ],
)
def test_an_instance_without_the_label_dilutes_nothing(
    objective: Mapping[str, Any], known: dict[str, str], hidden: dict[str, str], tmp_path: Path
) -> None:
    """Of two instances one tells no outcomes: the ratio is the other one's, and half of the requests are unknown."""
    facts = (near("slo:error_ratio:rate1h", 0.1, 0.001), near(UNKNOWN, 0.5, 0.001))
    judged(
        tmp_path, slo.build_groups(system(objective), "test"), [case({**known, **hidden, **UP}, "90m", *facts)], "30s"
    )


def test_a_service_that_never_failed_is_at_zero(tmp_path: Path) -> None:
    """No failure has ever been counted, the status is known: 0% fail, which is not the same as no data."""
    facts = ("slo:error_ratio:rate1h == bool 0", f"{UNKNOWN} == bool 0")
    series = {requests(status="200"): "0+60x240", **UP}
    judged(tmp_path, slo.build_groups(system(AVAILABILITY), "test"), [case(series, "90m", *facts)], "30s")


@pytest.mark.exhaustive  # hours, minute by minute
def test_a_quiet_night_is_not_without_data(tmp_path: Path) -> None:
    """No request for two hours: no ratio, and no alert about that."""
    series = {requests(status="200"): "0+60x30 1800+0x210", **UP}
    facts = (absent("slo:error_ratio:rate1h"), absent(f"{UNKNOWN} > 0"), absent('ALERTS{alertname=~"Obj.*"}'))
    judged(tmp_path, slo.build_groups(system(AVAILABILITY), "test"), [case(series, "3h", *facts)], "30s")


def test_a_target_that_is_down_is_told_as_such(tmp_path: Path) -> None:
    """Nothing was ever counted because nothing answers: that is TargetDown, and not an objective without data."""
    series = {f'up{{{IDS}, job="api"}}': "0+0x240", f'up{{{IDS}, job="blackbox"}}': "1+0x240"}
    judged(tmp_path, slo.build_groups(system(AVAILABILITY), "test"), [case(series, "2h", absent(UNKNOWN))], "30s")


def test_a_whole_bound_is_found_in_either_spelling() -> None:
    """A bucket that ends at one second is called 1 or 1.0; both count."""
    of = system({**LATENCY, "threshold": 1.0})
    result = build_counts(Subject(of, "api"), of.objectives[0])
    assert 'le=~"1(\\\\.0)?"' in result.failed and 'le=~"1(\\\\.0)?"' in result.judged
    assert (
        result.seen
        == 'sum by (service, system, environment) (rate(http_request_duration_seconds_count{service="api"}[5m]))'
    )


def test_labels_of_matchers_are_found() -> None:
    """What stands in quotes is a value, and no label."""
    text = 'a="x=y", b=~"c!=d|e", c != "", d!~\'f="g"\''
    assert list_labels(text) == ["a", "b", "c", "d"]
    assert parse_matchers(text) == {"a": ("=", "x=y"), "b": ("=~", "c!=d|e"), "c": ("!=", ""), "d": ("!~", 'f="g"')}
