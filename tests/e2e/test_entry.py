"""The real Traefik and the product's routes: who comes in, by which requests, and who does not."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from stack.assemble import ConfigValue
from tests.support.alerting import free_port
from tests.support.entry import Entry, entry, services
from tests.support.systems import SYSTEM
from tests.support.waiting import eventually

ACCESS: dict[str, Any] = {
    "users": [{"name": "ada", "passwordSecret": "ada-password"}, {"name": "bob", "passwordSecret": "bob-password"}],
    "machines": [
        {"name": "shipper", "may": ["push"]},
        {"name": "reader", "may": ["federate"]},
    ],
}
SECRETS = ("ada-password", "bob-password")
RIGHT, WRONG, NOBODY = ("ada", "ada-password"), ("ada", "guess"), None
SHIPPER, READER = ("shipper", "access-shipper-password"), ("reader", "access-reader-password")
WHO = {"nobody": NOBODY, "wrong": WRONG, "right": RIGHT, "shipper": SHIPPER, "reader": READER}
OPEN = {"nobody": 401, "wrong": 401, "right": 200, "shipper": 401, "reader": 401}
CLOSED = {**OPEN, "right": 403}
MACHINE = dict.fromkeys(WHO, 401)
EVERYBODY = dict.fromkeys(WHO, 200)
TABLE: dict[tuple[str, str], dict[str, int]] = {
    ("GET", "/"): EVERYBODY,
    ("GET", "/api/health"): EVERYBODY,
    ("GET", "/d/stack"): EVERYBODY,
    ("GET", "/prometheus/"): OPEN,
    ("GET", "/prometheus/api/v1/query?query=up"): OPEN,
    ("POST", "/prometheus/api/v1/query"): OPEN,
    ("GET", "/prometheus/-/healthy"): OPEN,
    ("POST", "/prometheus/-/quit"): CLOSED,
    ("PUT", "/prometheus/-/quit"): CLOSED,
    ("POST", "/prometheus/-/reload"): CLOSED,
    ("GET", "/prometheus/debug/pprof/heap"): CLOSED,
    ("POST", "/prometheus/api/v1/admin/tsdb/delete_series?match[]=up"): CLOSED,
    ("POST", "/prometheus/api/v1/write"): CLOSED,
    ("POST", "/prometheus/api/v1/otlp/v1/metrics"): CLOSED,
    ("GET", "/prometheus/federate?match[]=up"): {**MACHINE, "reader": 200},
    ("GET", "/alertmanager/"): OPEN,
    ("GET", "/alertmanager/api/v2/alerts"): OPEN,
    ("POST", "/alertmanager/api/v2/alerts"): CLOSED,
    ("POST", "/alertmanager/api/v2/silences"): CLOSED,
    ("DELETE", "/alertmanager/api/v2/silence/7d1a"): CLOSED,
    ("POST", "/alertmanager/-/reload"): CLOSED,
    ("GET", "/loki/api/v1/query?query={a=%22b%22}"): OPEN,
    ("GET", "/loki/api/v1/labels"): OPEN,
    ("POST", "/loki/api/v1/query_range"): OPEN,
    ("POST", "/loki/api/v1/push"): {**MACHINE, "shipper": 200},
    ("POST", "/loki/api/v1/delete?query={a=%22b%22}"): CLOSED,
    ("GET", "/loki/api/v1/delete"): CLOSED,
    ("PUT", "/loki/api/v1/delete?query=x"): CLOSED,
    ("GET", "/traefik/dashboard/"): OPEN,
    ("GET", "/traefik/api/rawdata"): OPEN,
    ("PUT", "/traefik/api/providers/rest"): CLOSED,
}
"""Status of each request, by who sends it."""


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Entry]:
    """An entry point with people and machines."""
    with entry(tmp_path_factory.mktemp("entry"), {"access": ACCESS, **secrets()}) as made:
        yield made


def secrets() -> dict[str, Any]:
    """The configuration's secrets, which `Entry` gives the value of their name."""
    return {name: ConfigValue("", secret=True) for name in SECRETS}


@pytest.mark.parametrize(("method", "path"), TABLE)
def test_each_request_is_open_to_whom_it_is_for(closed: Entry, method: str, path: str) -> None:
    """Every request by nobody, with a wrong password, a right one, and by each machine."""
    found = {}
    for name, user in WHO.items():
        answer = closed.ask(path, method=method, user=user)
        found[name] = answer.status
        if answer.status == 401:
            assert answer.headers["www-authenticate"] == 'Basic realm="monitoring dev"', "it is the login that refuses"
        if answer.status == 200 and user and path.startswith("/prometheus/api"):
            assert "authorization" not in json.loads(answer.body)["headers"], "the password goes no further"
    assert found == TABLE[method, path]


@pytest.mark.parametrize(
    "path",
    [
        "/prometheus//-/quit",
        "//prometheus/-/quit",
        "/prometheus/./-/quit",
        "/prometheus/x/../-/quit",
        "/loki/../prometheus/-/quit",
        "/%70rometheus/-/quit",
        "/prometheus/%2d/quit",
        "/prometheus/-/%71uit",
        "/prometheus%2f-%2fquit",
        "/prometheus/-%2fquit",
        "/prometheus/%2e%2e/prometheus/-/quit",
        "/prometheus;x/-/quit",
        "/prometheus/-/quit%00",
        "/prometheus%5c-%5cquit",
        "/prometheus/%252d/quit",
    ],
)
def test_no_spelling_of_a_closed_path_reaches_the_service(closed: Entry, path: str) -> None:
    """However it is spelt: with a right password Prometheus is never asked to end itself."""
    answer = closed.ask(path, method="POST", user=RIGHT)
    reached = answer.status == 200 and json.loads(answer.body)["path"]
    assert not (reached and "prometheus" in reached), answer
    assert closed.ask(path, method="POST").status != 200 or "prometheus" not in path or not reached


def test_another_host_leads_nowhere(closed: Entry) -> None:
    """A name that is not the stack's, as of a page that made its own name lead here."""
    for host in ("evil.example.com", "127.0.0.1.evil.example.com", "prometheus:9090"):
        assert closed.ask("/", host=host, user=RIGHT).status == 404
    for host in ("localhost:8080", "127.0.0.1:18080", "LOCALHOST"):
        assert closed.ask("/api/health", host=host).status == 200


def test_headers_that_services_trust_are_not_the_askers(closed: Entry) -> None:
    """What says who asks is Traefik's to say; with an underscore it is no other spelling of that."""
    sent = {"X_Forwarded_For": "10.1.1.1", "X-Forwarded-For": "10.2.2.2", "X-Real-Ip": "10.3.3.3"}
    reached = json.loads(closed.ask("/api/health", headers=sent).body)["headers"]
    assert not [value for value in reached.values() if value.startswith("10.")], reached
    assert "x_forwarded_for" not in reached


def test_a_changed_password_is_in_force_without_a_new_process(closed: Entry) -> None:
    """And the old one is not: though Traefik does not look at the file of users by itself."""
    before = closed.process and closed.process.pid
    assert closed.ask("/prometheus/", user=("bob", "bob-password")).status == 200
    closed.passwords["bob-password"] = "another"
    closed.deliver()
    assert closed.ask("/prometheus/", user=("bob", "bob-password")).status == 401
    assert closed.ask("/prometheus/", user=("bob", "another")).status == 200
    assert closed.process and closed.process.pid == before and closed.process.poll() is None


def test_silences_are_open_where_they_are_granted(closed: Entry) -> None:
    """To those who sign in; alerts stay closed."""
    before = closed.plan
    try:
        closed.deliver(closed.planned({"access": {**ACCESS, "silences": True}, **secrets()}))
        for method, path in (("POST", "/alertmanager/api/v2/silences"), ("DELETE", "/alertmanager/api/v2/silence/1")):
            found = {name: closed.ask(path, method=method, user=user).status for name, user in WHO.items()}
            assert found == OPEN
        assert closed.ask("/alertmanager/api/v2/alerts", method="POST", user=RIGHT).status == 403
    finally:
        closed.deliver(before)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_service_that_is_started_anew_is_waited_for(tmp_path: Path, method: str) -> None:
    """Who asks meanwhile is answered by the new process, and sees nothing of it."""
    port = free_port()
    with entry(tmp_path, {"access": ACCESS, **secrets()}, grafana=port) as made, ThreadPoolExecutor() as pool:
        asked = pool.submit(made.ask, "/api/health", method=method)
        waiting = 'traefik_open_connections{entrypoint="web",protocol="TCP"} 1'  # no metric counts retries (3.7.15)
        eventually(lambda: waiting in made.ask("/metrics", port=made.internal).body, timeout=10, what="the request")
        assert not asked.done()
        with services(port):
            assert asked.result().status == 200


def test_large_bodies_and_slow_people_take_nothing_from_others(closed: Entry) -> None:
    """A body is not read before the login; three hundred connections that say nothing leave room for others."""
    with socket.create_connection(("127.0.0.1", closed.web), timeout=20) as large:
        head = "POST /prometheus/api/v1/query HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 10000000000\r\n\r\n"
        large.sendall(head.encode() + b"x" * 65536)
        assert large.recv(100).startswith(b"HTTP/1.1 401")
    with ExitStack() as slow:
        for _ in range(300):
            silent = slow.enter_context(socket.create_connection(("127.0.0.1", closed.web), timeout=20))
            silent.sendall(b"GET / HTTP/1.1\r\nHost: 127")
        begin = time.monotonic()
        assert closed.ask("/api/health").status == 200
        print(f"beside 300 silent connections an answer took {time.monotonic() - begin:.3f} s")
    headers = {"X-Long": "x" * 70_000}
    assert closed.ask("/api/health", headers=headers).status == 431


def test_a_burst_of_guesses_takes_nothing_from_others(closed: Entry) -> None:
    """Ten thousand wrong passwords: most are refused unread, and Grafana answers meanwhile."""
    statuses: list[int] = []

    def guess() -> None:
        statuses.extend(closed.ask("/prometheus/", user=WRONG).status for _ in range(2_500))

    threads = [threading.Thread(target=guess) for _ in range(4)]
    for thread in threads:
        thread.start()
    slowest = 0.0
    while any(thread.is_alive() for thread in threads):
        begin = time.monotonic()
        assert closed.ask("/api/health").status == 200
        slowest = max(slowest, time.monotonic() - begin)
    assert set(statuses) == {401, 429} and len(statuses) == 10_000
    print(f"{statuses.count(401)} of 10000 guesses were looked at; the slowest other answer took {slowest:.2f} s")
    assert slowest < 5
    answered = eventually(lambda: closed.ask("/prometheus/", user=RIGHT).status == 200, timeout=30, what="people again")
    assert answered


def test_pages_may_read_every_answer(tmp_path: Path) -> None:
    """Of a page that may send, also the refusals: else it sees an error of the network, and no time to wait."""
    page, stranger, path = "https://shop.example.com", "https://evil.example.com", "/browser/v1/logs"
    own = {"enabled": True, "browser": {"origins": [page], "requestsPerSecond": 1, "bodyBytes": "1KiB"}}
    services = {**SYSTEM["services"], "front": {"port": 3000, "packs": ["web"]}}
    asks = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    with entry(tmp_path, {"otel": own}, system={"services": services}) as made:

        def send(origin: str, method: str = "POST", body: str = "{}", **headers: str) -> tuple[int, str | None]:
            answer = made.ask(path, method=method, body=body, headers={"Origin": origin, **headers})
            assert answer.headers.get("access-control-expose-headers", "Retry-After") == "Retry-After"
            return answer.status, answer.headers.get("access-control-allow-origin")

        assert send(page, "OPTIONS", "", **asks) == (200, page)
        assert send(stranger, "OPTIONS", "", **asks) == send(stranger) == (403, None)
        assert send(page) == (200, page)
        assert send(page, body="x" * 2000) == (413, page)
        assert (429, page) in [send(page) for _ in range(8)]
        limited = made.ask(path, method="POST", body="{}", headers={"Origin": page})
        assert limited.status == 429 and "retry-after" in limited.headers
