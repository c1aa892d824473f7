"""`observability open`: the entry point of a stack at a port of this machine, through its engine or its cluster.

Nothing is published for it, and whoever may not run a command in the stack's containers cannot use it.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import socket
import socketserver
import ssl
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from rich.console import Console
from rich.markup import escape

from cli.arguments import FINE, UNWELL
from cli.engine import find_address
from cli.hosts import Host
from cli.pages import Page, list_addresses, print_pages
from cli.running import open_running
from cli.tunnel import Tunnel
from components.traefik.settings import PORT, SECURE_PORT
from model.addresses import is_loopback
from model.checks.entry import TRAEFIK
from model.plan import Plan

LOOPBACK = "127.0.0.1"
_ANSWER_SECONDS = 5
console = Console(highlight=False, soft_wrap=True)


@dataclass(frozen=True)
class Forward:
    """A listener of this machine whose connections end at the entry point; `address` is what a browser takes."""

    address: str


@contextmanager
def forward_entry(connect: Callable[[], Tunnel], port: int, scheme: str = "http") -> Iterator[Forward]:
    """Listens on loopback while the context lasts; any free port where `port` is 0 or taken.

    Args:
        connect: opens one connection to the entry point; RuntimeError where it is not there.
        port: of this machine, which the address of the stack's pages has.
        scheme: what is spoken there.
    """

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            try:
                tunnel = connect()
            except RuntimeError as error:
                console.print(f"[red]{escape(str(error))}[/]")
                return
            _join(self.request, tunnel)

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address, daemon_threads = True, True

    try:
        server = Server((LOOPBACK, port), Handler)
    except OSError:  # somebody has it, or it is for root alone
        server = Server((LOOPBACK, 0), Handler)
    with server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield Forward(f"{scheme}://{LOOPBACK}:{server.server_address[1]}")
        server.shutdown()


def _join(near: socket.socket, far: Tunnel) -> None:
    """Copies both ways until one side ends."""

    def send() -> None:
        with contextlib.suppress(OSError):
            while data := near.recv(65_536):
                far.write(data)

    threading.Thread(target=send, daemon=True).start()
    with contextlib.suppress(OSError), contextlib.closing(far):
        for data in far.read():
            near.sendall(data)


def find_near_port(base_url: str) -> int:
    """The port of a base URL that leads to this machine, else 0: pages then lead back to where they were opened."""
    parts = urlsplit(base_url)
    host = parts.hostname or ""
    with contextlib.suppress(ValueError):
        if ip_address(host).is_loopback:
            return parts.port or 0
    return (parts.port or 0) if host == "localhost" else 0


def leads_elsewhere(plan: Plan) -> bool:
    """Whether the base URL names this machine while the stack is on another one, or on a cluster.

    Whatever else runs on this machine would get what is sent there.
    """
    settings = plan.settings
    if not find_near_port(settings.base_url):
        return False
    engine = urlsplit(find_address(settings.docker)).hostname  # a socket has none
    return settings.target == "kubernetes" or bool(engine and not is_loopback(engine))


def is_answered(url: str) -> bool:
    """Whether somebody answers at a URL, be it with an error."""
    try:
        with urllib.request.urlopen(url, timeout=_ANSWER_SECONDS):  # noqa: S310 - the stack's own address
            return True
    except urllib.error.HTTPError:
        return True
    except urllib.error.URLError as error:
        return isinstance(error.reason, ssl.SSLError)  # a certificate of the stack's own is an answer as well
    except (OSError, ValueError):
        return False


def list_pages(plan: Plan) -> list[Page]:
    """The pages of a running stack, at its base URL; none where nobody answers there, or somebody else would."""
    base = plan.settings.base_url
    return [] if leads_elsewhere(plan) or not is_answered(base) else list_addresses(plan, base)


def run_command(args: argparse.Namespace) -> int:
    """Prints where the stack's pages are, and makes them reachable from here until it is interrupted."""
    _, plan, host = open_running(args.stack)
    if pages := list_pages(plan):
        console.print(f"Stack {args.stack} answers here:")
        print_pages(pages, args.stack, console)
        return FINE
    return _forward(plan, host)


def _forward(plan: Plan, host: Host) -> int:
    secure = plan.settings.tls.on
    inside = SECURE_PORT if secure else PORT
    try:
        host.open_tunnel(TRAEFIK, inside).close()  # what is not there is said now, and not by an empty page
    except RuntimeError as error:
        console.print(f"[red]{escape(str(error))}[/]")
        return UNWELL
    port = find_near_port(plan.settings.base_url)
    with forward_entry(lambda: host.open_tunnel(TRAEFIK, inside), port, "https" if secure else "http") as made:
        console.print(f"Stack {plan.stack} is open here until Ctrl-C:")
        print_pages(list_addresses(plan, made.address), plan.stack, console)
        if port and not made.address.endswith(f":{port}"):
            console.print(f"[yellow]warning[/] port {port} of this machine is taken; links of pages may lead there")
        wait_for_end()
    return FINE


def wait_for_end() -> None:
    """Waits for Ctrl-C or SIGTERM, also where whoever started this in the background has SIGINT ignored."""
    # a lock, such as an event's, would be waited for for ever by a handler that interrupts its own thread in it
    reading, writing = os.pipe()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: os.write(writing, b"."))
    os.read(reading, 1)
