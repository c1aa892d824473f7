"""What people open of a stack: the addresses of its pages, which login each one takes, and what is no page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from rich.console import Console
from rich.markup import escape

from cli.render import REPLACEMENTS
from components.grafana.settings import NAME as GRAFANA
from components.grafana.settings import PASSWORD
from components.grafana.settings import Settings as GrafanaSettings
from model.access import AccessSettings
from model.plan import Plan
from model.route import Route

GRAFANA_USER = "admin"
"""The only user that Grafana's database begins with; the dashboard viewer knows no other one."""


@dataclass(frozen=True, kw_only=True)
class Login:
    """A way to sign in: a user and the name of the secret with the password, or `how` it is done without one."""

    user: str = ""
    secret: str = ""
    how: str = ""

    def __str__(self) -> str:
        return self.how or f"user {self.user}, password {self.secret}"


@dataclass(frozen=True, kw_only=True)
class Page:
    """What people open: the name of its route, what it is called for people, its address, and who may sign in."""

    name: str
    shown: str
    address: str
    logins: tuple[Login, ...]


# -- addresses -------------------------------------------------------------------------------------------------------


def list_addresses(plan: Plan, base: str) -> list[Page]:
    """What people open behind an entry point at `base`, with whole addresses, in the order of the routes."""
    return [
        Page(
            name=route.name,
            shown=find_replacement(plan, route.name) or route.name,
            address=f"{base.rstrip('/')}{route.page}",
            logins=tuple(list_logins(plan, route)),
        )
        for route in plan.telemetry.routes
        if route.page is not None
    ]


def find_replacement(plan: Plan, workload: str) -> str:
    """The image of ours that runs in the place of the one that a workload is named for; empty where none does."""
    images = [item.image for item in plan.list_workloads() if item.name == workload]
    return next((image for image in images if image in REPLACEMENTS), "")


def list_routes_to(plan: Plan, workload: str) -> list[Route]:
    """The routes of the entry point that lead to a workload."""
    return [route for route in plan.telemetry.routes if find_workload(route) == workload]


def find_workload(route: Route) -> str:
    """The name of whatever a route leads to; empty where that is the entry point itself."""
    return (urlsplit(route.url).hostname or "").partition(".")[0]


def find_inner_path(plan: Plan, route: Route) -> str:
    """The path of a route's page as the service itself has it."""
    page = f"{route.page}"[len(route.prefix) if route.strip else 0 :] or "/"
    return f"{plan.settings.base_path}{page}" if route.whole else page


# -- logins ----------------------------------------------------------------------------------------------------------


def list_logins(plan: Plan, route: Route) -> Iterator[Login]:
    """The ways to sign in to what a route leads to; none where it is open."""
    if route.name == GRAFANA:
        yield from _list_grafana_logins(plan)
    elif route.login:
        yield from _list_entry_logins(plan.settings.access)
    else:
        yield Login(how="its own login, if it has one")


def _list_grafana_logins(plan: Plan) -> Iterator[Login]:
    """Grafana has a login of its own."""
    own = plan.sections.get(GRAFANA)
    if isinstance(own, GrafanaSettings) and own.oauth:
        yield Login(how=f"sign in with {own.oauth.name} ({urlsplit(own.oauth.auth_url).hostname})")
    yield Login(user=GRAFANA_USER, secret=PASSWORD)


def _list_entry_logins(access: AccessSettings) -> Iterator[Login]:
    if access.oidc:
        yield Login(how=f"sign in at {access.oidc.issuer}")
    for user in access.list_users():
        yield Login(user=user.name, secret=user.secret)


# -- printing --------------------------------------------------------------------------------------------------------


def print_pages(pages: Sequence[Page], stack: str, console: Console) -> None:
    """Prints each page with its address and login, one line each, and where the passwords are."""
    name = max((len(page.shown) for page in pages), default=0)
    address = max((len(page.address) for page in pages), default=0)
    for page in pages:
        logins = " or ".join(map(str, page.logins)) or "no login"
        console.print(f"  {page.shown:{name}}  {page.address:{address}}  {escape(logins)}")
    if any(login.secret for page in pages for login in page.logins):
        console.print(f"The passwords by these names: make password STACK={stack}")
