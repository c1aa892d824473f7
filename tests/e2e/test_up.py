"""`make up` from nothing."""

from __future__ import annotations

import base64
import re
import urllib.request

import pytest

from tests.support.running import RunningStack
from tests.support.waiting import eventually


def test_table_shows_everything_healthy(stack: RunningStack) -> None:
    """The closing table names every service with its health, and says where Grafana and its password are."""
    assert stack.first_up is not None
    text = stack.first_up.text
    print(text[-3500:])
    assert re.search(r"Targets: (\d+) of \1 up", text), text[-3000:]
    assert "make password" in text
    assert "unhealthy" not in text


def test_every_target_is_up(stack: RunningStack) -> None:
    """Prometheus scrapes every target, those of the stack itself included."""
    up = stack.prom("up")
    assert {series["value"][1] for series in up} == {"1"}
    services = {series["metric"]["service"] for series in up}
    expected = {"api", "web", "prometheus", "alertmanager", "grafana", "loki", "promtail", "traefik", "node-exporter"}
    assert expected | {"postgres-exporter", "blackbox-exporter", stack.watches_containers} <= services


def test_postgres_exporter_sees_a_real_database(stack: RunningStack) -> None:
    """postgres-exporter logs in with the generated password and reads the database."""
    eventually(lambda: stack.prom("pg_up == 1"), timeout=30, what="pg_up")


def test_routes_lead_to_every_part(stack: RunningStack) -> None:
    """Traefik serves Grafana, Prometheus, Alertmanager and Loki on one port by path."""
    user = f"admin:{stack.password('access-admin-password')}"
    stack.http("traefik", 8080, "GET", "/api/health")
    for path in ("/prometheus/-/healthy", "/alertmanager/-/healthy", "/loki/api/v1/status/buildinfo"):
        stack.get_text("traefik", f"http://{user}@127.0.0.1:8080{path}")
        with pytest.raises(RuntimeError, match="401"):
            stack.get_text("traefik", f"http://127.0.0.1:8080{path}")


def test_nothing_is_wrong(stack: RunningStack) -> None:
    """`make doctor` has nothing to say of a stack that has just come up."""

    def find() -> bool:
        run = stack.run("doctor")
        assert run.code == 0, run.text
        return True

    assert eventually(find, timeout=120, what="a stack with which nothing is wrong")


@pytest.mark.parametrize(("source", "path"), [("prometheus", "api/v1/query?query=up"), ("loki", "loki/api/v1/labels")])
def test_grafana_reaches_its_data_sources(stack: RunningStack, source: str, path: str) -> None:
    """What people see goes by the name and the port of the source, through whatever is between the two."""
    answer = stack.get("grafana", _grafana(stack, f"/api/datasources/proxy/uid/{source}/{path}"))
    assert answer["status"] == "success" and answer["data"]


def test_pages_are_opened_from_here(stack: RunningStack) -> None:
    """`make open` prints whole addresses that a browser of this machine opens, wherever the stack runs."""
    with stack.opened() as addresses:
        password = stack.password("access-admin-password")
        login = {"Authorization": f"Basic {base64.b64encode(f'admin:{password}'.encode()).decode()}"}
        (dashboards,) = addresses.keys() & {"grafana", "dashboard-viewer"}
        assert {"prometheus", "alertmanager", "traefik"} <= addresses.keys()
        for name in ("alertmanager", dashboards, "traefik"):
            asked = urllib.request.Request(addresses[name], headers={} if name == dashboards else login)  # noqa: S310
            with urllib.request.urlopen(asked, timeout=30) as answer:  # noqa: S310 - loopback
                assert "<html" in answer.read().decode().lower(), name


def test_dashboards_are_served(stack: RunningStack) -> None:
    """The system's dashboard and the stack's own are provisioned under their stable uids."""
    found = stack.get("grafana", _grafana(stack, "/api/search"))
    assert {"plue-overview", "monitoring-stack"} <= {board["uid"] for board in found}


def _grafana(stack: RunningStack, path: str) -> str:
    password = stack.password("grafana-admin-password")
    return f"http://admin:{password}@127.0.0.1:3000{path}"
