"""The real Traefik, oauth2-proxy and Dex: people sign in at their provider, and nobody else comes in."""

from __future__ import annotations

import json
import re
import ssl
import subprocess
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, HTTPSHandler, OpenerDirector, build_opener

import pytest

from components.entry.routing import PROXY, PROXY_PORT
from components.oauth2_proxy import METRICS_PORT
from stack.assemble import ConfigValue
from tests.support.alerting import free_port
from tests.support.dex import CLIENT, TRUSTED, dex
from tests.support.entry import Entry, running, services
from tests.support.planned import workload
from tests.support.waiting import eventually
from toolchain.context import build_default_context
from toolchain.recipes import OAUTH2_PROXY

PEOPLE = {"ada@example.com": "right", "eve@elsewhere.test": "right"}


class Site(Entry):
    """An entry point and the oauth2-proxy that is planned for it."""

    def start(self) -> None:
        """oauth2-proxy first."""
        planned, port = workload(self.plan, PROXY), self._others[PROXY]
        for file in planned.secrets:
            (self.folder / "secrets" / Path(file.path).name).write_text(file.secret.ljust(32, "x")[:32])
        (self.folder / "secrets" / "oidc-client-secret").write_text("oidc-client-secret")
        (self.folder / "ca.pem").write_text(TRUSTED)
        moved = {
            f"0.0.0.0:{PROXY_PORT}": f"127.0.0.1:{port}",
            f"0.0.0.0:{METRICS_PORT}": f"127.0.0.1:{free_port()}",
            "/run/secrets": f"{self.folder}/secrets",
            "/etc/oauth2-proxy": str(self.folder),
        }
        arguments = list(planned.args)
        for before, after in moved.items():
            arguments = [argument.replace(before, after) for argument in arguments]
        program = OAUTH2_PROXY.ensure(build_default_context()) / "bin" / "oauth2-proxy"
        with (self.folder / "oauth2-proxy.log").open("w") as log:
            self.proxy = subprocess.Popen([str(program), *arguments], stdout=log, stderr=log)
        eventually(lambda: self.ask("/ping", port=port).status == 200, timeout=30, what="oauth2-proxy answers")
        super().start()

    def stop(self) -> None:
        """Both."""
        super().stop()
        self.proxy.terminate()
        self.proxy.wait()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A stack on loopback whose people of example.com sign in at Dex."""
    folder = tmp_path_factory.mktemp("oidc")
    with services() as port:
        made = Site(folder, {}, services=port, others={PROXY: free_port()})
        base = f"http://127.0.0.1:{made.web}"
        with dex(folder / "dex", PEOPLE, f"{base}/oauth2/callback") as issuer:
            provider = {"issuer": issuer, "clientId": CLIENT, "emailDomains": ["example.com"], "caCertificate": TRUSTED}
            settings: dict[str, Any] = {
                "baseUrl": base,
                "traefik": {"port": made.web},
                "access": {"login": "oidc", "oidc": provider, "machines": [{"name": "shipper", "may": ["push"]}]},
                "oidc-client-secret": ConfigValue("", secret=True),
            }
            made.plan = made.planned(settings)
            with running(made):
                yield made


def browser() -> OpenerDirector:
    """One that keeps cookies and follows to the provider."""
    context = ssl.create_default_context(cadata=TRUSTED)
    return build_opener(HTTPCookieProcessor(), HTTPSHandler(context=context))


def sign_in(
    site: Site, path: str, address: str, password: str, opener: OpenerDirector | None = None
) -> tuple[int, str]:
    """Status and body after the form of the provider was filled in."""
    people = opener or browser()
    form = people.open(f"http://127.0.0.1:{site.web}{path}", timeout=20)
    action = re.search(r'<form method="post" action="([^"]+)"', form.read().decode())
    assert action and "/dex/auth/" in form.geturl(), form.geturl()
    target = form.geturl().split("/dex/")[0] + unescape(action[1])
    try:
        answer = people.open(target, data=urlencode({"login": address, "password": password}).encode(), timeout=20)
    except OSError as error:
        return int(getattr(error, "code", 0)), str(error)
    return answer.status, answer.read().decode()


def test_people_sign_in_at_their_provider(site: Site) -> None:
    """And are led back to where they wanted to go, whose service learns who they are."""
    status, body = sign_in(site, "/prometheus/graph?x=1", "ada@example.com", "right")
    assert status == 200 and body.startswith("{"), re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", body))[:300]
    reached = json.loads(body)
    assert reached["path"] == "/prometheus/graph?x=1"
    assert reached["headers"]["x-auth-request-email"] == "ada@example.com"


def test_others_do_not_come_in(site: Site) -> None:
    """A wrong password, a person of another domain, and whoever brings a header or a cookie of her own making."""
    status, body = sign_in(site, "/prometheus/", "ada@example.com", "wrong")
    assert status == 401 or "Invalid" in body
    status, body = sign_in(site, "/prometheus/", "eve@elsewhere.test", "right")
    assert status == 403, body
    for headers in ({"X-Auth-Request-Email": "ada@example.com"}, {"Cookie": "_oauth2_proxy=forged"}, {}):
        answer = site.ask("/prometheus/", headers=headers)
        assert answer.status == 302 and "/dex/auth" in answer.headers["location"]
        assert site.ask("/prometheus/-/quit", method="POST", headers=headers).status == 302


def test_grafana_and_machines_have_their_own_logins(site: Site) -> None:
    """Neither is led to the provider."""
    assert site.ask("/api/health").status == 200
    shipper = ("shipper", "access-shipper-password")
    assert site.ask("/loki/api/v1/push", method="POST", user=shipper).status == 200
    assert site.ask("/loki/api/v1/push", method="POST").status == 401


def test_what_is_closed_is_closed_to_those_who_signed_in(site: Site) -> None:
    """The login is no grant."""
    opener = browser()
    assert sign_in(site, "/prometheus/", "ada@example.com", "right", opener)[0] == 200
    with pytest.raises(OSError, match="403"):
        opener.open(f"http://127.0.0.1:{site.web}/prometheus/-/quit", data=b"", timeout=20)
