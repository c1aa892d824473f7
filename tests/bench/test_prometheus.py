"""What a real Prometheus is measured with: documents whose services are on loopback, and a history."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from bench import growth
from bench import prometheus as bench
from tests.support.waiting import eventually


def test_services_are_on_loopback(tmp_path: Path) -> None:
    """No address of the generated system is on another machine: whoever loads it scrapes it."""
    documents = bench.list_documents(growth.build_plan(300, tmp_path, 2))
    text = "".join(text for path, text in documents.items() if path.startswith("targets/services/service-"))
    assert len(re.findall(r"\b127\.\d+\.\d+\.\d+:8080", text)) == 600
    assert not re.search(r"\b10\.\d+\.\d+\.\d+:8080", text)


@pytest.mark.exhaustive  # a whole Prometheus
def test_rules_find_their_history(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Prometheus starts with what was written, for each objective, and its rules have results at once."""
    monkeypatch.setattr(bench, "_SHORT", 3600)
    monkeypatch.setattr(bench, "_LONG", 7200)
    plan = growth.build_plan(3, tmp_path / "project", 2)
    (item,) = plan.system.objectives
    bench.write_history(plan, [(item.key, item.service, item.window)], tmp_path / "data", time.time())
    at_once = {
        name: re.sub(r"^( *interval): .*", r"\1: 1s", text, flags=re.MULTILINE)  # of the groups of rules
        for name, text in bench.list_documents(plan).items()
    }
    with bench.run_prometheus(at_once, tmp_path) as prometheus:
        assert prometheus.count_series("http_requests_total") == 10
        assert prometheus.count_series("slo:requests:rate5m_sampled") == 1
        result = "0.0009 < slo:error_ratio:rate1h < 0.05"
        eventually(lambda: prometheus.count_series(result) == 1, timeout=60, what="a rule's result")
        rules = sum(len(group.alerts) + len(group.recordings) for group in plan.telemetry.rules)
        assert sum(len(group["rules"]) for group in prometheus.list_groups()) == rules
        assert prometheus.read_memory() > 0
        assert eventually(lambda: prometheus.count_targets() == 6, timeout=30, what="targets")


def test_documents_that_it_refuses_are_an_error_at_once(tmp_path: Path) -> None:
    """A process that has ended is not waited for."""
    with pytest.raises(RuntimeError, match="has ended with"), bench.run_prometheus({"prometheus.yml": "a"}, tmp_path):
        pass
    assert "prometheus.yml" in (tmp_path / "log").read_text()
