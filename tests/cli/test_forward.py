"""`observability open`: pages of a stack at a port of this machine."""

from __future__ import annotations

import http.server
import json
import signal
import socket
import subprocess
import sys
import urllib.request
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest

from cli import forward
from cli.forward import find_near_port, forward_entry
from cli.tunnel import SocketTunnel, Tunnel
from cli.workspace import ROOT
from tests.support.serving import serving
from tests.support.systems import plan_cluster, plan_shop
from tests.support.tiers import leave_all_but
from tests.support.waiting import eventually


class Page(http.server.BaseHTTPRequestHandler):
    """An entry point with one page."""

    def do_GET(self) -> None:
        """Answers with the path, many times, so that it takes several packets."""
        body = self.path.encode() * 50_000
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Is silent."""


def connect(address: str) -> Tunnel:
    """A tunnel to a server of this machine."""
    host, _, port = address.rpartition(":")
    near = socket.create_connection((host, int(port)))
    return SocketTunnel(near, SimpleNamespace(close=lambda: None))


def test_a_page_is_read_through_it() -> None:
    """Whole, and at the port that was wanted."""
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    with serving(Page) as address, forward_entry(lambda: connect(address), port) as made:
        assert made.address == f"http://127.0.0.1:{port}"
        with urllib.request.urlopen(f"{made.address}/grafana", timeout=30) as answer:  # noqa: S310 - loopback
            assert answer.read() == b"/grafana" * 50_000


def test_a_taken_port_gives_way_to_another() -> None:
    """A stack of another environment may be up on this machine."""
    with closing(socket.create_server(("127.0.0.1", 0))) as taken, serving(Page) as address:
        port = taken.getsockname()[1]
        with forward_entry(lambda: connect(address), port) as made:
            assert not made.address.endswith(f":{port}")
            with urllib.request.urlopen(f"{made.address}/x", timeout=30) as answer:  # noqa: S310 - loopback
                assert answer.status == 200


def test_an_entry_point_that_went_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    """The browser's connection ends, and the reason is printed; the next one may work again."""

    def gone() -> Tunnel:
        raise RuntimeError("no pod of traefik is ready")

    with forward_entry(gone, 0) as made, pytest.raises(OSError):
        urllib.request.urlopen(made.address, timeout=30)  # noqa: S310 - loopback
    assert "no pod of traefik is ready" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("base_url", "port"),
    [
        ("http://127.0.0.1:8080", 8080), ("http://localhost:3000/", 3000), ("http://[::1]:81", 81),
        ("https://monitoring.example.com:8443", 0), ("http://10.0.0.7:8080", 0),
    ],
)  # fmt: skip
def test_only_a_port_of_this_machine_is_taken(base_url: str, port: int) -> None:
    """Links of pages lead to the base URL: where that is here, they work."""
    assert find_near_port(base_url) == port


@pytest.mark.parametrize(
    ("host", "base_url", "elsewhere"),
    [
        ("ssh://ops@m.example.com", "http://127.0.0.1:8080", True),
        ("tcp://10.0.0.7:2375", "http://localhost:8080", True),
        ("tcp://10.0.0.7:2375", "http://m.example.com:8080", False),
        ("tcp://127.0.0.1:2375", "http://127.0.0.1:8080", False),
        ("unix:///run/docker.sock", "http://127.0.0.1:8080", False),
    ],
)
def test_loopback_of_another_machine_is_not_here(host: str, base_url: str, elsewhere: bool, tmp_path: Path) -> None:
    """A stack's own machine may have another program at that port, or nothing."""
    docker = json.dumps({"host": host})
    assert forward.leads_elsewhere(plan_shop(tmp_path, settings={"docker": docker, "baseUrl": base_url})) == elsewhere


def test_a_clusters_address_on_loopback_is_nobodys(tmp_path: Path) -> None:
    """Whatever answers there is another program of this machine."""
    with serving(Page) as address:
        given = {"baseUrl": f"http://{address}"}
        assert forward.list_pages(plan_cluster(tmp_path / "cluster", {}, given)) == []
        given["traefik"] = json.dumps({"port": int(address.rpartition(":")[2])})
        pages = forward.list_pages(plan_shop(tmp_path / "engine", {}, given))
        assert ("grafana", f"http://{address}/") in [(page.name, page.address) for page in pages]


def test_who_answers_is_asked() -> None:
    """An error is an answer too; silence is none."""
    with serving(Page) as address:
        assert forward.is_answered(f"http://{address}/")
    assert not forward.is_answered("http://127.0.0.1:1/")


@pytest.mark.parametrize("number", leave_all_but((signal.SIGTERM,), (signal.SIGINT, signal.SIGTERM)))
def test_it_ends_on_a_signal(number: signal.Signals) -> None:
    """Well, and also where the signal was ignored before, as by a shell that puts a command in the background."""
    code = (
        "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN); from cli import forward; "
        "print('waits', flush=True); forward.wait_for_end()"
    )
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stdout.readline() == b"waits\n"

        def ended() -> bool:
            process.send_signal(number)  # the first may come before the handler
            return process.poll() is not None

        try:
            eventually(ended, timeout=20, what="its end")
        finally:
            process.kill()
    assert process.returncode in (0, -number), "SIGTERM before the handler ends it as well"
