"""A stack that is reached from outside, on the engine: TLS by a real authority, a login, nothing else open."""

from __future__ import annotations

import hashlib
import http.client
import ssl
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from cli.engine import connect_engine
from model.settings import DockerSettings
from tests.e2e.test_no_change import unchanged
from tests.support.alerting import free_port
from tests.support.browser import browser, count_elements, submit_form
from tests.support.entry import named_connection
from tests.support.load import under_load
from tests.support.pebble import TRUSTED, Pebble
from tests.support.running import ROOT, Engine, RunningStack
from tests.support.waiting import eventually
from tests.support.yaml_files import read_yaml

PAGES = {
    "/": "Grafana",
    "/prometheus/api/v1/targets": "activeTargets",
    "/alertmanager/": "Alertmanager",
    "/traefik/dashboard/": "Traefik",
}
"""Paths that people open, and a word that each page has. A Prometheus that was built from its module has no pages."""
HOST, PASSWORD = "monitoring.plugged.in", "the first one"
NETWORK = "e2e-tls-authority"
PORTS = 28600


class Site:
    """The stack, its authority, and how people ask it."""

    def __init__(self, stack: RunningStack, pebble: Pebble, https: int, http_port: int) -> None:
        self.stack, self.pebble, self.https, self.http = stack, pebble, https, http_port

    def ask(self, path: str, *, user: str | None = None, method: str = "GET", host: str = HOST) -> int:
        """Status of a request by TLS, whose certificate must be the authority's for the host."""
        context = ssl.create_default_context(cadata=self.pebble.root())
        connection = named_connection(host, self.https, context)
        headers = {"Host": host}
        if user:
            headers["Authorization"] = "Basic " + b64encode(user.encode()).decode()
        try:
            connection.request(method, path, headers=headers)
            return connection.getresponse().status
        finally:
            connection.close()

    def certificate(self) -> bytes | None:
        """The certificate that is served for the host, as DER."""
        connection = named_connection(HOST, self.https, ssl.create_default_context(cadata=self.pebble.root()))
        connection.connect()
        try:
            return connection.sock.getpeercert(binary_form=True)
        finally:
            connection.close()

    def digest(self) -> str:
        """SHA-256 of the certificate's key, in Base64: what makes a browser trust it."""
        leaf = x509.load_der_x509_certificate(self.certificate() or b"")
        public = leaf.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return b64encode(hashlib.sha256(public).digest()).decode()

    @property
    def leads(self) -> dict[str, str]:
        """Where the host's name leads."""
        return {HOST: f"127.0.0.1:{self.https}"}

    def plain(self, path: str) -> tuple[int, str | None]:
        """Status and Location of a request by plain HTTP."""
        connection = http.client.HTTPConnection("127.0.0.1", self.http, timeout=10)
        connection.request("GET", path, headers={"Host": HOST})
        answer = connection.getresponse()
        return answer.status, answer.getheader("Location")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A stack on the local engine whose authority is reached through a network of the test's own."""
    client = connect_engine(DockerSettings())
    for left in client.networks.list(names=[f"^{NETWORK}$"]):
        left.remove()
    network = client.networks.create(NETWORK)
    network.reload()
    gateway = network.attrs["IPAM"]["Config"][0]["Gateway"]
    folder = tmp_path_factory.mktemp("tls")
    https, plain = free_port(), free_port()
    pebble = Pebble(folder / "pebble", web=plain, secure=https, address=gateway)
    stack = RunningStack(folder, "e2e-tls", Engine(client), ports=PORTS, system="pluggedin")
    example = read_yaml((ROOT / "examples" / "Pulumi.pluggedin.yaml").read_text())["config"]
    theirs = {key.removeprefix("observability:"): value for key, value in example.items()}
    acme = {**theirs["tls"]["acme"], "directory": pebble.directory, "caCertificate": TRUSTED}

    def settings(config: dict[str, Any]) -> None:
        ours = {key: config[key] for key in ("prometheus", "loki", "grafana")}
        merged = {key: {**theirs[key], **section} for key, section in ours.items()}
        config.update({**theirs, **merged, "demo": True, "alertmanager": config["alertmanager"]})
        config["tls"] = {"mode": "acme", "acme": acme}
        config["traefik"] = {**theirs["traefik"], "port": https, "httpPort": plain}
        config["access"] = {**theirs["access"], "machines": [{"name": "shipper", "may": ["push"]}]}
        config["docker"] = {"externalNetworks": [NETWORK]}

    stack.edit_settings(settings)
    stack.secret("admin-password", PASSWORD)
    pebble.start()
    try:
        stack.first_up = stack.up()
        yield Site(stack, pebble, https, plain)
    finally:
        stack.discard()
        pebble.stop()
        network.remove()


def test_it_is_reached_by_tls_and_a_login(site: Site) -> None:
    """`make up` ended well, which it does with a certificate alone; people sign in, machines only push."""
    people = f"admin:{PASSWORD}"
    machine = f"shipper:{site.stack.password('access-shipper-password')}"
    assert site.ask("/api/health") == 200
    paths = ("/prometheus/-/healthy", "/alertmanager/-/healthy", "/loki/api/v1/labels", "/traefik/dashboard/")
    assert [site.ask(path) for path in paths] == [401] * 4
    assert [site.ask(path, user="admin:guess") for path in paths] == [401] * 4
    assert [site.ask(path, user=machine) for path in paths] == [401] * 4
    assert [site.ask(path, user=people) for path in paths] == [200] * 4
    assert site.ask("/prometheus/-/quit", user=people, method="POST") == 403
    assert site.ask("/loki/api/v1/push", user=people, method="POST") == 401
    assert site.ask("/loki/api/v1/push", user=machine, method="POST") in (204, 400, 422), "Loki itself answers"
    assert site.plain("/d/x") == (301, f"https://{HOST}/d/x")


def test_verify_agrees_and_nothing_changes(site: Site) -> None:
    """The certificate is looked at by `make verify`; a second run changes nothing."""
    run = site.stack.run("verify")
    assert run.code == 0, run.text
    run = site.stack.up()
    assert unchanged(run.text), run.text[-3000:]


def test_a_rotated_password_is_in_force_at_once(site: Site) -> None:
    """Traefik is the same container, and no request fails meanwhile."""
    before = site.stack.identities()
    old = f"admin:{PASSWORD}"
    site.stack.secret("admin-password", "another one")
    with under_load(lambda: site.ask("/api/health")) as statuses:
        site.stack.up()
    assert set(statuses) == {200} and len(statuses) > 50, f"{len(statuses)} requests"
    assert site.stack.identities() == before
    assert site.ask("/prometheus/-/healthy", user=old) == 401
    assert site.ask("/prometheus/-/healthy", user="admin:another one") == 200


def test_people_open_every_page(site: Site, tmp_path: Path) -> None:
    """In a browser, by TLS and the login, at the paths of the address: no request of a page fails."""
    key, leads = site.digest(), site.leads
    with browser(tmp_path, user=("admin", "another one"), leads=leads, key=key) as people:
        for path, words in PAGES.items():
            page = people.open(f"https://{HOST}{path}")
            (tmp_path / f"{path.strip('/').partition('/')[0] or 'grafana'}.png").write_bytes(people.take_picture())
            print(f"{path}: {len(page.requests)} requests, {page.title!r}")
            # a manifest is fetched without credentials: https://www.w3.org/TR/appmanifest/#processing-the-manifest
            broken = {url: status for url, status in page.broken().items() if not url.endswith("/manifest.json")}
            assert not broken and not page.errors, (path, broken, page.errors)
            assert words in page.title + page.text, (path, page.title, page.text[:300])
    with browser(tmp_path / "nobody", leads=leads, key=key) as nobody:
        assert set(nobody.open(f"https://{HOST}/prometheus/api/v1/targets").broken().values()) == {401}


def test_people_see_the_panels(site: Site, tmp_path: Path) -> None:
    """Signed in at Grafana's own form, people see the first dashboard: panels in view are drawn, and no query fails."""
    if "viewer" not in site.stack.get("grafana", "http://127.0.0.1:3000/api/health"):
        pytest.skip("Grafana itself is here, whose form is another one")
    with browser(tmp_path, leads=site.leads, key=site.digest()) as people:
        people.open(f"https://{HOST}/login")
        page = submit_form(people, {"user": "admin", "password": site.stack.password("grafana-admin-password")})
        (tmp_path / "panels.png").write_bytes(people.take_picture())
        assert not page.broken() and not page.errors, (page.broken(), page.errors)
        drawn, failed = (
            count_elements(people, selector) for selector in (".panel-body:not(:empty)", ".failed:not([hidden])")
        )
    assert drawn >= 5 and failed == 0, (drawn, failed, page.text[:500])


def test_requests_are_lines_without_credentials(site: Site) -> None:
    """The access log is in Loki, with who asked, and no password or header of one."""
    query = '{service="traefik"} |= "/prometheus/-/healthy"'
    lines = eventually(lambda: site.stack.loki(query), timeout=60, what="lines of the access log")
    assert any('"ClientUsername":"admin"' in line for line in lines)
    everything = "\n".join(site.stack.loki('{service="traefik"}'))
    assert "another one" not in everything and "authorization" not in everything.lower()


def test_a_replaced_traefik_keeps_its_certificate(site: Site) -> None:
    """The store is on a volume, for its owner alone: a new container orders nothing."""
    container = site.stack.client.containers.get(f"{site.stack.name}-traefik")
    found = site.stack.sh("traefik", "/tools/busybox stat -c '%a %n' /acme/*.json")
    assert found.startswith("600 /acme/")
    first = site.certificate()
    container.remove(force=True)
    site.stack.up()
    assert site.certificate() == first


def test_verify_says_which_challenge_failed(site: Site) -> None:
    """A name that leads elsewhere: the stack is up; `make up` and `make verify` say what it lacks and why."""
    site.stack.edit_settings(lambda config: config.update(baseUrl="https://elsewhere.test"))
    site.pebble.lead("elsewhere.test", "127.0.0.2")  # nobody listens there
    run = site.stack.run("up")
    assert run.code != 0 and "there is no certificate for elsewhere.test" in run.text, run.text[-3000:]
    run = site.stack.run("verify")
    words = " ".join(run.text.split())
    assert run.code != 0 and "the challenge http failed (connection)" in words, run.text[-3000:]
