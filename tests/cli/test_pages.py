"""What people open of a stack, and with which login."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from cli.pages import (
    Login,
    find_inner_path,
    find_replacement,
    find_workload,
    list_addresses,
    list_logins,
    list_routes_to,
    print_pages,
)
from model.plan import Plan
from stack.assemble import ConfigValue
from tests.support.systems import plan_shop

NOBODY = {"access": '{"login": "none"}'}
SET = ConfigValue("", secret=True)
OIDC = {"issuer": "https://id.example.com/", "clientId": "shop", "emailDomains": ["*"]}
CLIENTS = {"oidc-client-secret": SET}
SECURE = {"baseUrl": "https://shop.example.com", "tls": '{"mode": "internal"}'}


def logins(plan: Plan, name: str) -> list[str]:
    """The logins of a route as people read them."""
    (route,) = (route for route in plan.telemetry.routes if route.name == name)
    return [str(login) for login in list_logins(plan, route)]


def test_addresses_are_those_of_pages(tmp_path: Path) -> None:
    """Whole, and none of what only programs ask, such as Loki."""
    pages = list_addresses(plan_shop(tmp_path, {}, {}), "http://127.0.0.1:8080/")
    assert {page.name: page.address for page in pages} == {
        "prometheus": "http://127.0.0.1:8080/prometheus/",
        "alertmanager": "http://127.0.0.1:8080/alertmanager/",
        "grafana": "http://127.0.0.1:8080/",
        "traefik": "http://127.0.0.1:8080/traefik/dashboard/",
    }
    assert all(page.shown == page.name for page in pages)


def test_the_viewer_is_named_for_what_it_is(tmp_path: Path) -> None:
    """Where it is in Grafana's place its page has its name; programs find it by the route's."""
    plan = plan_shop(tmp_path, {}, {"grafana": '{"image": "dashboard-viewer"}'})
    assert find_replacement(plan, "grafana") == "dashboard-viewer" and not find_replacement(plan, "loki")
    (page,) = (page for page in list_addresses(plan, "http://h") if page.shown == "dashboard-viewer")
    assert page.name == "grafana"


def test_each_page_names_its_own_login(tmp_path: Path) -> None:
    """Grafana's user has a password of its own; whatever is behind the entry point's login has that one."""
    plan = plan_shop(tmp_path, {}, {})
    assert logins(plan, "grafana") == ["user admin, password grafana-admin-password"]
    for name in ("prometheus", "alertmanager", "traefik"):
        assert logins(plan, name) == ["user admin, password access-admin-password"]


@pytest.mark.parametrize(
    ("access", "said"),
    [
        (
            {"users": [{"name": "ada", "passwordSecret": "ada-password"}, {"name": "bob"}]},
            ["user ada, password ada-password", "user bob, password access-bob-password"],
        ),
        ({"login": "none"}, []),
    ],
)
def test_logins_are_those_of_the_settings(tmp_path: Path, access: object, said: list[str]) -> None:
    """Each person who may sign in, or nobody."""
    stored = {"ada-password": SET} if "ada" in str(access) else {}
    assert logins(plan_shop(tmp_path, {}, {"access": json.dumps(access), **stored}), "prometheus") == said


def test_people_of_a_provider_sign_in_there(tmp_path: Path) -> None:
    """There is no password of the stack's then; Grafana's form stays."""
    plan = plan_shop(tmp_path, {}, {**SECURE, "access": json.dumps({"login": "oidc", "oidc": OIDC}), **CLIENTS})
    assert logins(plan, "prometheus") == ["sign in at https://id.example.com/"]
    assert logins(plan, "grafana") == ["user admin, password grafana-admin-password"]


def test_grafana_names_its_own_provider(tmp_path: Path) -> None:
    """Beside its form."""
    urls = {name: f"https://id.example.com/{name}" for name in ("authUrl", "tokenUrl", "apiUrl")}
    oauth = {"name": "Example", "clientId": "grafana", **urls}
    plan = plan_shop(tmp_path, {}, {"grafana": json.dumps({"oauth": oauth}), "grafana-oauth-client-secret": SET})
    assert logins(plan, "grafana")[0] == "sign in with Example (id.example.com)"


def test_pages_below_a_path_are_found_inside_too(tmp_path: Path) -> None:
    """A service that knows its whole outer path has its page there; all others have what is left without the base."""
    plan = plan_shop(tmp_path, {}, {"baseUrl": "http://127.0.0.1:8080/tools", "jaeger": '{"enabled": true}'})
    inner = {r.name: find_inner_path(plan, r) for r in plan.telemetry.routes if r.page}
    assert inner["jaeger"] == "/tools/jaeger/" and inner["prometheus"] == "/prometheus/"
    (route,) = list_routes_to(plan, "jaeger")
    assert route.name == find_workload(route) == "jaeger"
    assert [find_workload(route) for route in plan.telemetry.routes if route.name == "traefik"] == [""]


def printed(plan: Plan) -> list[str]:
    """The lines of a plan's pages."""
    out = io.StringIO()
    print_pages(list_addresses(plan, "http://h"), "shop", Console(file=out, width=160))
    return [" ".join(line.split()) for line in out.getvalue().splitlines()]


def test_lines_name_page_address_and_login(tmp_path: Path) -> None:
    """One line each, and then the command that prints the passwords."""
    lines = printed(plan_shop(tmp_path, {}, {}))
    assert "grafana http://h/ user admin, password grafana-admin-password" in lines
    assert lines[-1] == "The passwords by these names: make password STACK=shop"
    assert "prometheus http://h/prometheus/ no login" in printed(plan_shop(tmp_path / "x", {}, NOBODY))


def test_a_login_without_a_password_says_how() -> None:
    """At a provider there is no user of ours."""
    assert str(Login(how="sign in at x")) == "sign in at x"
