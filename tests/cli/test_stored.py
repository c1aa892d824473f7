"""Whether a change has lost what a stack had stored."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs

import pytest

from cli import stored
from tests.support.systems import plan_shop
from tests.support.validating import tool

BEFORE = {"samples of job a": 10.0, "lines of job b": 5.0}


class Parts:
    """Prometheus, Loki and Alertmanager, which answer with these counts by job and these silences."""

    def __init__(self, samples: Mapping[str, int], lines: Mapping[str, int] | None, silences: list[Any]) -> None:
        self.samples, self.lines, self.silences = samples, lines, silences
        self.moments: list[str] = []

    def ask_prometheus(self, path: str) -> Any:
        """As `Host`."""
        return self._count(path, self.samples)

    def ask_loki(self, path: str) -> Any:
        """As `Host`."""
        if self.lines is None:
            raise RuntimeError("no Loki runs")
        return self._count(path, self.lines)

    def list_alertmanagers(self) -> list[Any]:
        """As `Host`."""
        return [SimpleNamespace(ask=lambda path: json.dumps(self.silences))]

    def _count(self, path: str, counts: Mapping[str, int]) -> Any:
        self.moments += parse_qs(path.partition("?")[2])["time"]
        return {"result": [{"metric": {"job": job}, "value": [0, str(count)]} for job, count in counts.items()]}


def silence(name: str, **lasting: float) -> dict[str, str]:
    """A silence that ends after so long."""
    return {"id": name, "endsAt": (datetime.now(UTC) + timedelta(**lasting)).isoformat()}


def test_everything_that_is_stored_is_counted(tmp_path: Path) -> None:
    """Samples and lines until one moment, a day and a week before it, and silences, but for those that end soon."""
    parts: Any = Parts({"api": 7}, {"containerlogs": 3}, [silence("a", days=1), silence("b", hours=1)])
    found = stored.read_stored(plan_shop(tmp_path), parts, 1_000_000.5)
    assert found == {"silence a": 1} | {
        f"{what}{words}": count
        for words in ("", ", a day before", ", a week before")
        for what, count in (("samples of job api", 7), ("lines of job containerlogs", 3))
    }
    assert parts.moments == ["1000000.500"] * 2 + ["913600.500"] * 2 + ["395200.500"] * 2


def test_a_part_that_does_not_answer_is_no_empty_one(tmp_path: Path) -> None:
    """It is an error; a stack without that part is not asked for it."""
    parts: Any = Parts({"api": 7}, None, [])
    plan = plan_shop(tmp_path)
    with pytest.raises(RuntimeError, match="no Loki runs"):
        stored.read_stored(plan, parts, 1)
    without = replace(plan, workloads={name: group for name, group in plan.workloads.items() if name != "loki"})
    assert set(stored.read_stored(without, parts, 1).values()) == {7}


def test_less_is_lost_and_more_is_not() -> None:
    """What came late is more; what is gone is none."""
    assert stored.list_lost(BEFORE, {"samples of job a": 11, "lines of job b": 5, "new": 1}) == []
    assert stored.list_lost(BEFORE, {"samples of job a": 9}) == [
        "lines of job b: 5 before, 0 now", "samples of job a: 10 before, 9 now",
    ]  # fmt: skip
    assert stored.list_lost(BEFORE, {"samples of job a": 9, "lines of job b": 5}, 0.1) == []


def test_two_instances_of_prometheus_may_differ(tmp_path: Path) -> None:
    """By a few samples; one of them may not."""
    plan = plan_shop(tmp_path)
    twice = tuple(replace(item, replicas=2) for item in plan.workloads["prometheus"])
    assert stored.get_slack(plan) == 0
    assert stored.get_slack(replace(plan, workloads={**plan.workloads, "prometheus": twice})) == stored.SLACK


def test_a_part_is_given_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """While it reads what it has stored it may answer less, or not at all; after that time it is said."""
    answers: list[Any] = [RuntimeError("not yet"), {"samples of job a": 1}, BEFORE]
    monkeypatch.setattr("time.sleep", lambda seconds: None)

    def read() -> Any:
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert stored.wait_stored(read, BEFORE, 60) == []
    answers[:] = [RuntimeError("refused")]
    assert stored.wait_stored(read, BEFORE, 0) == ["what is stored is not known: refused"]
    answers[:] = [{}]
    assert len(stored.wait_stored(read, BEFORE, 0)) == 2


def test_an_answer_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """A part that does not answer in time is an error."""
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    answers: list[Any] = [RuntimeError("not yet"), BEFORE]

    def read() -> Any:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert stored.wait_answers(read, 60) == BEFORE
    answers[:] = [RuntimeError("refused")]
    with pytest.raises(RuntimeError, match="refused"):
        stored.wait_answers(read, 0)


def test_prometheus_counts_samples_by_job(tmp_path: Path) -> None:
    """The query is one that it evaluates: two targets of a job, one of another, four samples each."""
    series = ('up{job="a",instance="1"}', 'up{job="a",instance="2"}', 'up{job="b",instance="1"}')
    wanted = [{"labels": f'{{job="{job}"}}', "value": count} for job, count in (("a", 8), ("b", 4))]
    test = {
        "interval": "15m",
        "input_series": [{"series": name, "values": "1x4"} for name in series],
        "promql_expr_test": [{"expr": stored.SAMPLES, "eval_time": "1h", "exp_samples": wanted}],
    }
    path = tmp_path / "test.yml"
    path.write_text(json.dumps({"evaluation_interval": "15m", "tests": [test]}))
    done = subprocess.run([tool("promtool"), "test", "rules", path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
