"""Whose lines Loki has, on an engine and on a cluster."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote_plus

import pytest

from cli import lines
from cli.cluster_host import ClusterHost
from model.plan import Plan
from tests.support.systems import plan_shop

PODS = {"namespace": "shop", "selector": {"app": "api", "tier": "web"}}
OWN, CLUSTER = {"demo": "false"}, {"demo": "false", "target": "kubernetes"}


class _Stack:
    """A Prometheus by which services are up, and a Loki that has lines of some within an hour, and within a day."""

    def __init__(self, *, up: tuple[str, ...], hour: tuple[str, ...] = (), day: tuple[str, ...] = ()) -> None:
        self._up, self._hour, self._day = up, hour, day
        self.queries: list[str] = []

    def ask_prometheus(self, path: str) -> Any:
        """Who is up."""
        return {"result": [{"metric": {"job": key}} for key in self._up]}

    def ask_loki(self, path: str) -> Any:
        """Whose lines there are."""
        kind, _, query = path.partition("?")
        self.queries += parse_qs(query)["query"]
        if kind == "label/service/values":
            return list(self._day) or None
        return {"result": [{"metric": {"service": key}} for key in self._hour]}

    def list_quiet(self, plan: Plan) -> list[str]:
        """Who is quiet."""
        return lines.list_quiet(plan, self.ask_prometheus, self.ask_loki)


def test_who_is_up_and_quiet_is_named(tmp_path: Path) -> None:
    """Those that are down or have lines are not; a place to look at stands in the sentence."""
    plan = plan_shop(tmp_path, {"services.api.logs.container": "shop-api"}, OWN)
    stack = _Stack(up=("api", "worker"), hour=("worker",), day=("api", "worker"))
    (sentence,) = stack.list_quiet(plan)
    assert sentence.startswith("lines of api: none in the last hour") and "`docker logs` of shop-api" in sentence
    assert stack.queries[0] == 'sum by (service) (count_over_time({stack="dev", service=~"api|worker"}[1h]))'
    assert _Stack(up=(), day=("api",)).list_quiet(plan) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"address": "api.example.com:4000"}, None),
        ({"onHost": True}, None),
        ({"address": "shop_api:4000"}, "services.api.logs.container names it"),
        ({"logs": {"file": "nginx"}}, "hostLogs whose job is nginx"),
    ],
)
def test_only_what_can_have_lines_is_quiet(tmp_path: Path, change: dict[str, Any], words: str | None) -> None:
    """A process of the host without a file, or something elsewhere, has no container whose lines are read."""
    changes: dict[str, Any] = {f"services.api.{key}": value for key, value in change.items()}
    changes["hostLogs"] = [{"path": "/var/log/nginx/*.log", "job": "nginx"}]
    sentences = _Stack(up=("api",), day=("api",)).list_quiet(plan_shop(tmp_path, changes, OWN))
    assert [words in sentence for sentence in sentences if words] == ([True] if words else [])
    assert words or sentences == []


def test_on_a_cluster_the_pods_are_named(tmp_path: Path) -> None:
    """By the command that shows their lines; one whose pods nobody knows, and that declares no logs, is left out."""
    change = {"services.api.kubernetes": PODS, "services.api.logs": {}, "services.worker.address": "w.jobs.svc:8081"}
    (sentence,) = _Stack(up=("api", "worker")).list_quiet(plan_shop(tmp_path, change, CLUSTER))
    assert "`kubectl logs -n shop -l app=api,tier=web --since=1h`" in sentence


def test_lines_that_never_came_are_said_on_a_cluster(tmp_path: Path) -> None:
    """Of those that say where their lines come from, once: they are not said to be quiet as well."""
    selector = {"namespace": "shop", "labels": {"app": "api"}}
    change = {"services.api.kubernetes": PODS, "services.api.logs": {"selector": selector}}
    plan, stack = plan_shop(tmp_path, change, CLUSTER), _Stack(up=("api",))
    (sentence,) = lines.wait_service_lines(plan, stack.ask_loki, 0)
    assert "no line of the last 24 hours of api (logs.selector)" in sentence
    assert stack.list_quiet(plan) == []
    assert lines.wait_service_lines(plan, _Stack(up=(), day=("api",)).ask_loki, 60) == []


def test_a_stack_without_lines_asks_nobody(tmp_path: Path) -> None:
    """Without Promtail nobody brings lines, which is a choice."""
    stack = _Stack(up=("api",))
    assert stack.list_quiet(plan_shop(tmp_path, None, {**OWN, "promtail": '{"enabled": false}'})) == []
    assert stack.queries == []


@pytest.mark.parametrize("workload", ["loki", "loki-read"])
def test_loki_is_asked_in_its_pod(monkeypatch: pytest.MonkeyPatch, workload: str) -> None:
    """The one process, or the part that answers queries; none is a reason."""
    host = ClusterHost.__new__(ClusterHost)
    monkeypatch.setattr(host, "list_pods", lambda name: [name] if name == workload else [])
    monkeypatch.setattr(host, "fetch", lambda pod, port, path: json.dumps({"data": f"{pod}:{port}{path}"}))
    assert host.ask_loki("query?query=x") == f"{workload}:3100/loki/api/v1/query?query=x"
    monkeypatch.setattr(host, "list_pods", lambda _: [])
    with pytest.raises(RuntimeError, match="no Loki runs"):
        host.ask_loki("labels")


def test_a_dash_is_no_escape() -> None:
    """LogQL's strings refuse an escaped dash, which names of containers are full of."""
    asked: list[str] = []

    def ask(path: str) -> dict[str, list[Any]]:
        asked.append(unquote_plus(path))
        return {"result": []}

    assert lines._list_writing("dev", ["shop-api", "web_api"], ask) == set()
    assert 'service=~"shop-api|web_api"' in asked[0]
