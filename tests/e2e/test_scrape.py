"""Services that want more of Prometheus than plain HTTP: a login, https, a query, a header; and odd answers of theirs.

They are processes of the engine's host that are none of the stack's.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

from tests.support import metrics_server
from tests.support.running import Engine, Run, RunningStack
from tests.support.waiting import eventually

PASSWORD, TOKEN = "theirs-9a1f", "token-44c0"
LOGIN = f"Basic {base64.b64encode(f'prometheus:{PASSWORD}'.encode()).decode()}"
REQUESTS = {"type": "counter", "role": "requests", "labels": {"method": ["GET"], "status": ["200", "500"]}}
MORE: dict[str, dict[str, Any]] = {
    "renamed": {"metrics": {"http_requests_total": REQUESTS}},
    "bearer": {"health": ["/"], "probe": {"validStatusCodes": [401]}},
    "page": {"health": ["/any"], "probe": {"port": 9303, "failIfBodyNotMatchesRegexp": ["http_requests_total 7"]}},
    "silent": {"health": ["/"], "probe": {"port": 9308, "failIfBodyNotMatchesRegexp": ["http_requests_total 7"]}},
}
"""What else the YAML of some says. How health is asked: the last one asks somebody
who answers 200 and something else."""
DOTTED = '# TYPE "http.requests" counter\n{"http.requests"} 7\n'
COLLIDING = '# TYPE http_requests_total counter\nhttp_requests_total{service="theirs"} 7\n'


def _list_services(authority: trustme.CA, folder: Path) -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
    """What each service serves, and what its YAML says of that."""
    certificate = folder / "server.pem"
    issued = authority.issue_cert("metrics.internal")
    certificate.write_bytes(issued.private_key_pem.bytes() + b"".join(c.bytes() for c in issued.cert_chain_pems))
    trusted = authority.cert_pem.bytes().decode()
    https = {"certificate": str(certificate)}
    basic = {"username": "prometheus", "passwordSecret": "metrics-password"}
    return {
        "basic": (
            {**https, "authorization": LOGIN, "query": "format=prometheus&x=1", "headers": {"X-Scope": "shop"}},
            {
                "scheme": "https", "tls": {"caCertificate": trusted, "serverName": "metrics.internal"},
                "basicAuth": basic, "params": {"format": ["prometheus"], "x": ["1"]}, "headers": {"X-Scope": "shop"},
            },
        ),
        "bearer": (
            {**https, "authorization": f"Bearer {TOKEN}"},
            {
                "scheme": "https", "bearerTokenSecret": "metrics-token",
                "tls": {"unverifiedBecause": "its certificate is for another name"},
            },
        ),
        "page": ({"type": "text/html"}, {}),
        "file": ({"type": "application/octet-stream"}, {}),
        "silent": ({"type": None}, {}),
        "dotted": (
            {"body": DOTTED, "escaped": "# TYPE http_requests counter\nhttp_requests 7\n"},
            {},
        ),
        "colliding": ({"body": COLLIDING}, {}),
        "honoured": ({"body": COLLIDING}, {"honorLabels": True}),
        "broken": ({"body": "# TYPE up_since gauge\nup_since 1\n"}, {}),
        "renamed": ({"body": 'http_requests_total{method="GET",code="200"} 7\n'}, {}),
    }  # fmt: skip


def _watch_shop(config: dict[str, Any]) -> None:
    config |= {"system": "shop", "demo": False}
    config.pop("demoWorkload")


@pytest.fixture(scope="module")
def shop(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """A stack that watches these services."""
    folder = tmp_path_factory.mktemp("scrape")
    bridge = engine.find_host_gateway()
    services = _list_services(trustme.CA(), folder)
    specs = [json.dumps({"port": 9300 + n, **serves}) for n, (serves, _) in enumerate(services.values())]
    running = RunningStack(folder, "e2escrape", engine, ports=28160)
    (running.root / "configs/systems/shop.yaml").write_text(
        json.dumps(
            {
                "name": "shop",
                "title": "Shop",
                "services": {
                    key: {"port": 9300 + n, "onHost": True, **({"scrape": says} if says else {}), **MORE.get(key, {})}
                    for n, (key, (_, says)) in enumerate(services.items())
                },
            }
        )
    )
    server = subprocess.Popen([*engine.network(), sys.executable, metrics_server.__file__, bridge, *specs])
    try:
        running.edit_settings(_watch_shop)
        running.secret("metrics-password", PASSWORD)
        running.secret("metrics-token", TOKEN)
        running.up()
        yield running
    finally:
        server.terminate()
        server.wait(20)
        running.discard()


def test_health_is_judged_as_a_service_says(shop: RunningStack) -> None:
    """By https of its own authority, on another port, by its status and by its body; one that lies is not well."""
    found = eventually(lambda: _by_service(shop, {"bearer", "page", "silent"}), timeout=60, what="probes")
    assert found == {"bearer": "1", "page": "1", "silent": "0"}
    ends = shop.prom('probe_ssl_earliest_cert_expiry{service="bearer"} > time()')
    assert ends, "the certificate of an https endpoint is measured"


def _by_service(shop: RunningStack, expected: set[str]) -> dict[str, str]:
    found = {each["metric"]["service"]: each["value"][1] for each in shop.prom("probe_success")}
    return found if found.keys() >= expected else {}


@pytest.mark.parametrize(
    ("key", "query"),
    [
        *((key, f'http_requests_total{{service="{key}"}}') for key in ("basic", "bearer", "page", "file", "silent")),
        ("dotted", 'http_requests{service="dotted"}'),
        ("colliding", 'http_requests_total{service="colliding", exported_service="theirs"}'),
        ("honoured", 'http_requests_total{service="theirs", job="honoured"}'),
    ],
)
def test_a_service_is_scraped(shop: RunningStack, key: str, query: str) -> None:
    """As it wants to be asked, and with the labels that its YAML says."""
    found = eventually(lambda: shop.prom(query), timeout=60, what=f"{key}: {query}")
    assert [each["value"][1] for each in found] == ["7"]
    assert shop.prom(f'up{{job="{key}"}}')[0]["value"][1] == "1"


def test_what_is_exposed_otherwise_is_said(shop: RunningStack) -> None:
    """`make verify` names the service, the label that it lacks, and the one that it has."""
    run = eventually(lambda: _verify(shop, "no label status"), timeout=60, what="verify's words")
    said = "services.renamed.metrics.http_requests_total: what renamed exposes has no label status; it has code"
    assert run.code == 1 and said in " ".join(run.text.split())


def _verify(shop: RunningStack, words: str) -> Run:
    run = shop.run("verify")
    assert words in run.text, run.text[-3000:]
    return run


def test_a_login_is_nowhere_but_in_its_file(shop: RunningStack) -> None:
    """Neither the password nor the token is in a document, an argument or a variable of Prometheus."""
    shown = json.dumps(shop.container("prometheus").attrs) + shop.sh("prometheus", "cat /etc/prometheus/prometheus.yml")
    assert "metrics-password" in shown and PASSWORD not in shown and TOKEN not in shown


def test_another_password_needs_no_restart(shop: RunningStack) -> None:
    """A wrong one is a target that is down, with the reason; the right one is taken by the process that runs."""
    before = shop.container("prometheus").attrs["State"]["StartedAt"]
    shop.secret("metrics-password", "wrong")
    shop.run("up")  # which may look before the next scrape
    assert eventually(lambda: _verify(shop, "401 Unauthorized"), timeout=60, what="the refusal").code == 1
    shop.secret("metrics-password", PASSWORD)
    shop.up()
    assert shop.container("prometheus").attrs["State"]["StartedAt"] == before
