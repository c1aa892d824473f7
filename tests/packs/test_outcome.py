"""Outcomes: a share of what is known, a least number of failures, and an alert where nothing is known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from model.telemetry import RuleGroup
from packs import http, llm, milvus, outcome, worker
from packs.base import Rules
from tests.support.objectives import absent, case, counted, fired, judged, near, silent

IDS = 'service="x", system="s", environment="test"'
PACKS = {"http": http, "worker": worker, "llm": llm, "milvus": milvus}
COUNTERS = {
    "HighErrorRatio": ("http", "http_requests_total", "status", "500", "200"),
    "JobsFailing": ("worker", "worker_jobs_processed_total", "status", "failed", "success"),
    "RagQueriesFailing": ("llm", "rag_queries_total", "status", "error", "success"),
    "LlmCallsFailing": ("llm", "llm_requests_total", "status", "error", "success"),
    "MilvusRequestsFailing": ("milvus", "milvus_proxy_req_count", "status", "fail", "success"),
}


def series(name: str, **labels: str) -> str:
    """A series of the service."""
    return f"{name}{{{IDS}" + "".join(f', {key}="{value}"' for key, value in labels.items()) + "}"


def group(pack: str, uses: Any, **more: Any) -> RuleGroup:
    """The rules of the pack, with the alert on what is not known."""
    subject = uses(pack, **more)
    rules: Rules = PACKS[pack].rules(subject)
    alerts = (*rules.alerts, outcome.alert_on_unknown_outcomes(subject, rules.outcomes))
    return RuleGroup(name=pack, recordings=rules.recordings, alerts=alerts)


@pytest.mark.parametrize("pack", PACKS)
def test_the_alert_on_unknown_outcomes_is_proven(pack: str, proves: Any, uses: Any) -> None:
    """It fires just beyond the share that may be unknown, and stays silent just below."""
    subject = uses(pack)
    proves([outcome.alert_on_unknown_outcomes(subject, PACKS[pack].rules(subject).outcomes)])


@pytest.mark.exhaustive  # every alert that counts
@pytest.mark.parametrize("alert", COUNTERS)
def test_another_label_is_told_and_is_no_success(alert: str, uses: Any, tmp_path: Path) -> None:
    """Half of the events fail, and the label has another name: the alert on failures cannot fire, that on this does."""
    pack, name, label, bad, good = COUNTERS[alert]
    wrong = {series(name, other=bad): "0+30x120", series(name, other=good): "0+30x120"}
    right = {series(name, **{label: bad}): "0+30x120", series(name, **{label: good}): "0+30x120"}
    named = f'ALERTS{{alertname="OutcomeUnknown", alertstate="firing", metric="{name}"}}'
    tests = [
        case(wrong, "1h", silent(alert), fired("OutcomeUnknown"), named, absent(http.ERRORS)),
        case(right, "1h", fired(alert), silent("OutcomeUnknown")),
    ]
    judged(tmp_path, [group(pack, uses)], tests, "1m")


@pytest.mark.exhaustive  # every alert that counts
@pytest.mark.parametrize("alert", COUNTERS)
def test_three_failures_are_no_alert_and_six_are(alert: str, uses: Any, tmp_path: Path) -> None:
    """All of a few events failed: below the least number nobody is told, beyond it people are."""
    pack, name, label, bad, good = COUNTERS[alert]
    failed, passed = series(name, **{label: bad}), series(name, **{label: good})

    def failures(number: int) -> dict[str, str]:
        times = [60 + 4 * n for n in range(number)]
        return {failed: counted(lambda m: sum(m >= time for time in times), 150), passed: "7+0x150"}

    tests = [case(failures(3), "2h", silent(alert)), case(failures(9), "2h", fired(alert))]
    judged(tmp_path, [group(pack, uses)], tests, "1m")
    wish = {alert: {"minFailures": 20}}
    judged(tmp_path, [group(pack, uses, tune=wish)], [case(failures(9), "2h", silent(alert))], "1m")


def test_the_share_is_that_of_known_outcomes(uses: Any, tmp_path: Path) -> None:
    """Requests without a status are left out of the share, which is 0 without failures and absent without requests."""
    name = "http_requests_total"
    ok, bad, none = (series(name, **labels) for labels in ({"status": "200"}, {"status": "500"}, {"code": "200"}))
    ratio = f"{http.ERRORS}"
    tests = [
        case({ok: "0+90x60", bad: "0+10x60", none: "0+900x60"}, "30m", near(ratio, 0.1, 0.001)),
        case({ok: "0+90x60"}, "30m", f"{ratio} == bool 0"),
        case({ok: "90+0x60", bad: "5+0x60"}, "30m", absent(ratio)),
        case({none: "0+900x60"}, "30m", absent(ratio)),
    ]
    judged(tmp_path, [group("http", uses)], tests, "1m")


def test_a_quiet_service_is_told_as_well(uses: Any, tmp_path: Path) -> None:
    """Six requests an hour, none with a status: the alert fires, although most windows of five minutes are empty."""
    requests = {series("http_requests_total", code="200"): counted(lambda m: m // 10, 180)}
    judged(tmp_path, [group("http", uses)], [case(requests, "2h", fired("OutcomeUnknown"))], "1m")


def test_a_query_is_bound_to_its_service(uses: Any) -> None:
    """Every counter of an outcome is asked for one service."""
    text = outcome.build_ratio_expr(uses("http"), outcome.build_http_outcome("hits", "code"))
    assert text.count('hits{service="x", code=~') == text.count("hits{") == 3
