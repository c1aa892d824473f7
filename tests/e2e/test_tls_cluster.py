"""A stack of a cluster that is reached from outside: TLS by a real authority and a login, at the ports of a Service."""

from __future__ import annotations

import http.client
import socket
import ssl
from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.test_no_change import unchanged
from tests.support.clusters import ClusterStack, start_cluster
from tests.support.networks import on_node
from tests.support.pebble import TRUSTED, Pebble
from tests.support.waiting import eventually

HOST = "monitor.test"


class Site:
    """The stack, its authority in the node's network, and how people ask it."""

    def __init__(self, stack: ClusterStack, pebble: Pebble) -> None:
        self.stack, self.pebble = stack, pebble

    @property
    def address(self) -> str:
        """The Service's address."""
        return str(self.stack.api.read_namespaced_service("traefik", self.stack.namespace).spec.cluster_ip)

    def _secure(self) -> ssl.SSLSocket:
        context = ssl.create_default_context(cadata=self.pebble.root())
        plain = on_node(self.stack.kubeconfig, lambda: socket.create_connection((self.address, 443), timeout=10))
        return context.wrap_socket(plain, server_hostname=HOST)

    def certificate(self) -> bytes | None:
        """What is served for the host, as DER, once it is the authority's."""
        with self._secure() as secure:
            return secure.getpeercert(binary_form=True)

    def ask(self, path: str, user: str | None = None, method: str = "GET") -> int:
        """Status of a request by TLS."""
        connection = http.client.HTTPConnection(self.address, 443, timeout=10)
        connection.sock = self._secure()
        login = {"Authorization": "Basic " + b64encode(user.encode()).decode()} if user else {}
        connection.request(method, path, headers={"Host": HOST, **login})
        return connection.getresponse().status

    def plain(self, path: str) -> tuple[int, str | None]:
        """Status and Location of a request by plain HTTP."""
        connection = http.client.HTTPConnection(self.address, 80, timeout=10)
        connection.sock = on_node(
            self.stack.kubeconfig, lambda: socket.create_connection((self.address, 80), timeout=10)
        )
        connection.request("GET", path, headers={"Host": HOST})
        answer = connection.getresponse()
        return answer.status, answer.getheader("Location")


@pytest.fixture(scope="module", params=["tls-alpn", "http"])
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A stack whose Traefik has a Service for the outside; the name leads there as soon as it has an address."""
    kubeconfig, folder = start_cluster(), tmp_path_factory.mktemp("tls")
    stack = ClusterStack(folder, "e2e-tls", kubeconfig, ports=28700)
    node = stack.api.list_node().items[0]
    address = next(item.address for item in node.status.addresses if item.type == "InternalIP")
    pebble = Pebble(
        folder / "pebble", web=80, secure=443, address=address, network=lambda call: on_node(kubeconfig, call)
    )
    acme = {"email": "ops@example.com", "directory": pebble.directory, "caCertificate": TRUSTED}

    def settings(config: dict[str, Any]) -> None:
        config.update(
            baseUrl=f"https://{HOST}",
            tls={"mode": "acme", "acme": {**acme, "challenge": request.param}},
            kubernetes={**config.get("kubernetes", {}), "serviceType": "LoadBalancer"},
            prometheus={"evaluationInterval": "5s"},
            alertmanager={},
        )

    stack.edit_settings(settings)
    pebble.start()
    made = Site(stack, pebble)
    try:
        run = stack.run("up")  # the name leads nowhere yet, so there can be no certificate
        assert "there is no certificate for monitor.test" in run.text, run.text[-3000:]
        pebble.lead(HOST, made.address)
        yield made
    finally:
        stack.run("down", "--purge")
        pebble.stop()


def test_it_gets_a_certificate_when_the_name_leads_there(site: Site) -> None:
    """`make up` has Traefik order again at once; then people come in by TLS and a login, and change nothing."""
    site.stack.up()
    eventually(site.certificate, timeout=60, what="the certificate")
    people = f"admin:{site.stack.password('access-admin-password')}"
    assert site.ask("/api/health") == 200
    for path in ("/prometheus/-/healthy", "/alertmanager/-/healthy", "/loki/api/v1/labels"):
        assert (site.ask(path), site.ask(path, "admin:guess"), site.ask(path, people)) == (401, 401, 200)
    assert site.ask("/prometheus/-/quit", people, "POST") == 403
    assert site.plain("/d/x") == (301, f"https://{HOST}/d/x")
    run = site.stack.up()
    assert unchanged(run.text), run.text[-3000:]


def test_a_new_pod_has_the_certificate_of_the_old_one(site: Site) -> None:
    """Whatever the volume does to groups of files: the store is its owner's alone, and nothing is ordered."""
    first = site.certificate()
    before = site.stack.pod("traefik").metadata.uid
    site.stack.api.delete_namespaced_pod(site.stack.pod("traefik").metadata.name, site.stack.namespace)
    eventually(lambda: site.stack.pod("traefik").metadata.uid != before, timeout=90, what="another pod")
    assert eventually(site.certificate, timeout=60, what="the certificate") == first
    assert site.stack.sh("traefik", "/tools/busybox stat -c %a /acme/*.json").strip().startswith("600")
    assert site.stack.run("verify").code == 0
