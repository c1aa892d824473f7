"""Runbooks and explanations."""

from __future__ import annotations

from typing import Any

import pytest

from mcp_server.tools.alerts import split_comparison
from tests.support.agents import FakeSources, build_document, call, faking, read

RUNBOOKS = {"HighErrorRatio": {"severity": "critical", "description": "Users see errors.", "steps": ["Look.", "Act."]}}


@pytest.mark.parametrize(
    ("expr", "parts"),
    [
        ("a > 5", ("a", "> 5")),
        ("sum(a > 3) / b >= 0.05 unless on() (c > 1)", ("sum(a > 3) / b", ">= 0.05")),
        ('x{l="> 3"} < 1e-3 and y > 4', ('x{l="> 3"}', "< 1e-3")),
        ("absent(up)", None),
        ("a > b", None),
        ("(a > 5)", None),
        ("rate(a[5m] offset 1m) == bool 0", ("rate(a[5m] offset 1m)", "== 0")),
        ("a > 5 > 7", ("a > 5", "> 7")),
    ],
)
def test_the_left_side_of_a_rule(expr: str, parts: tuple[str, str] | None) -> None:
    """What a rule compares is what stands before its comparison with a number, outside of everything nested."""
    assert split_comparison(expr) == parts


def test_a_runbook_and_a_name_near_it() -> None:
    """Severity, meaning and steps; a misspelt name is answered with the nearest ones."""
    with faking() as fake:
        document = build_document(fake, runbooks=RUNBOOKS)
        runbook = read(document, "runbook", alert="HighErrorRatio")["runbook"]
        assert runbook["steps"] == ["Look.", "Act."] and runbook["severity"] == "critical"
        assert "did you mean HighErrorRatio" in call(document, "runbook", alert="HighErrorRate").text
        assert not fake.requests


def fill(fake: FakeSources) -> None:
    """A rule for each of two services, one of which fires."""

    def build(service: str, state: str) -> dict[str, Any]:
        labels = {"alertname": "HighErrorRatio", "service": service, "severity": "critical"}
        alert = {"labels": labels, "state": state, "activeAt": "2026", "value": "0.2", "annotations": {}}
        query = f'ratio{{service="{service}"}} > 0.05'
        alerts = [alert] if state == "firing" else []
        return {"name": "HighErrorRatio", "query": query, "duration": 300, "state": state, "alerts": alerts}

    rules = [build("api", "firing"), build("web", "inactive"), {"name": "Another", "query": "x > 1"}]
    fake.answers["/api/v1/rules"] = lambda _: {"groups": [{"name": "shop", "rules": rules}]}
    fake.vectors = {
        'ratio{service="api"}': [({"service": "api"}, 0.2)],
        'ratio{service="web"}': [({"service": "web"}, 0.01)],
    }
    fake.answers["/loki/api/v1/index/stats"] = lambda _: b'{"bytes": 1}'
    fake.answers["/loki/api/v1/query_range"] = lambda _: {
        "resultType": "streams",
        "result": [{"stream": {}, "values": [["1", "error"]]}],
    }


def test_an_alert_that_fires() -> None:
    """Rule, present value, where it fires, lines and runbook in one answer."""
    with faking() as fake:
        fill(fake)
        data = read(build_document(fake, runbooks=RUNBOOKS), "explain_alert", alert="HighErrorRatio")
    assert data["firing"] == 1 and [rule["state"] for rule in data["rules"]] == ["firing"]
    assert data["present"] == [
        {"expr": 'ratio{service="api"}', "comparison": "> 0.05", "values": [{"service": "api", "value": "0.2"}]}
    ]
    assert data["instances"][0]["service"] == data["lines_of"] == "api" and data["lines"][0]["line"] == "error"
    assert data["runbook"]["steps"] == ["Look.", "Act."]


def test_an_alert_that_does_not_fire() -> None:
    """The present value of a service that is named, whether its alert fires or not."""
    with faking() as fake:
        fill(fake)
        data = read(build_document(fake, runbooks=RUNBOOKS), "explain_alert", alert="HighErrorRatio", service="web")
    assert data["firing"] == 0 and data["present"][0]["values"] == [{"service": "web", "value": "0.01"}]


def test_an_alert_that_nobody_knows() -> None:
    """Neither a rule nor a runbook: the nearest name is said."""
    with faking() as fake:
        fill(fake)
        answered = call(build_document(fake, runbooks=RUNBOOKS), "explain_alert", alert="HighErorRatio")
    assert answered.result == "refused" and "did you mean HighErrorRatio" in answered.text
