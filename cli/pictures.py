"""`observability pictures`: dashboards of a running stack as pictures, for a shift report or a pull request."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections import ChainMap
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from rich.console import Console
from rich.markup import escape

from cli.arguments import FINE, UNWELL
from cli.browser import Browser, Page, load_undisturbed, start_browser
from cli.forward import forward_entry
from cli.running import open_running
from cli.tunnel import Tunnel
from cli.workspace import ROOT, Workspace
from components.grafana.settings import NAME, PASSWORD, PORT
from model.errors import ConfigError, Problem, suggest_name
from model.plan import Plan

WIDTH, HEIGHT = 1440, 900
"""Pixels: a common laptop's."""
HIGHEST = 16_000
"""Pixels: what is longer is cut; Chromium draws no larger surface (16,384)."""
LARGEST = 150_000
"""Bytes: what a page of documentation or a pull request takes without being slow."""
WAYS = ((82, 1.0), (60, 1.0), (60, 0.75), (50, 0.6), (40, 0.5))
"""Quality of WebP in percent and scale, the best first: a long dashboard with many lines of text is made smaller."""
UNFOLD = "document.querySelectorAll('section > h2 > button[aria-expanded=false]').forEach((button) => button.click())"
"""Opens the folded rows."""
console = Console(highlight=False, soft_wrap=True)


@dataclass(frozen=True)
class Picture:
    """A dashboard's uid, where its picture is, and what of the page could not be had."""

    uid: str
    path: Path
    failures: tuple[str, ...] = ()


def choose_dashboards(plan: Plan, wanted: str) -> list[str]:
    """The uids among the plan's dashboards that a comma-separated list names; all where it is empty.

    Raises:
        ConfigError: the stack has no such dashboard.
    """
    uids = [board.uid for board in plan.telemetry.dashboards]
    named = [name.strip() for name in wanted.split(",") if name.strip()]
    unknown = [name for name in named if name not in uids]
    if unknown:
        raise ConfigError(
            Problem("--dashboard", f"the stack {plan.stack} has no dashboard {name!r}: {suggest_name(name, uids)}")
            for name in unknown
        )
    return named or uids


def open_whole(people: Browser, url: str, *, seconds: float = 60) -> Page:
    """The dashboard at a URL with all of its rows unfolded, as high as it is.

    Args:
        people: who has signed in.
        url: of the dashboard.
        seconds: that each step may take at most until nothing more is asked for.
    """

    def load() -> Page:
        people.resize(WIDTH, HEIGHT)
        steps = [people.open(url, seconds=seconds), people.act(UNFOLD, seconds=5)]
        for _ in range(2):  # what is drawn may take more room than what was about to be
            people.resize(WIDTH, min(int(people.evaluate("document.documentElement.scrollHeight")), HIGHEST))
            steps.append(people.act(seconds=seconds))
        page = steps[-1]
        page.requests = dict(ChainMap(*(step.requests for step in reversed(steps))))
        page.errors = [error for step in steps for error in step.errors]
        return page

    return load_undisturbed(load)


def take_pictures(
    people: Browser, address: str, uids: Sequence[str], folder: Path, past: str, *, whole: bool = True
) -> Iterator[Picture]:
    """Pictures of dashboards as WebP files `<uid>.webp` in a folder, each as soon as it is there.

    Args:
        people: who has signed in.
        address: of Grafana, without a path.
        uids: of the dashboards.
        folder: which is made where it is absent.
        past: how far the time range goes back from now, as Prometheus writes durations: 1h.
        whole: with all rows, instead of what a laptop shows first.
    """
    folder.mkdir(parents=True, exist_ok=True)
    people.resize(WIDTH, HEIGHT)
    for uid in uids:
        url = f"{address}/d/{uid}?{urlencode({'from': f'now-{past}', 'to': 'now'})}"
        page = open_whole(people, url) if whole else people.open(url, seconds=60)
        path = folder / f"{uid}.webp"
        path.write_bytes(take_small_picture(people))
        yield Picture(uid, path, tuple(page.list_failures()))


def take_small_picture(people: Browser) -> bytes:
    """The page as WebP, as good as LARGEST bytes allow; the smallest one where none of the ways does."""
    for quality, scale in WAYS:
        data = people.take_picture("webp", quality=quality, scale=scale)
        if len(data) <= LARGEST:
            break
    return data


@contextmanager
def visit_grafana(space: Workspace, plan: Plan, connect_grafana: Callable[[], Tunnel]) -> Iterator[tuple[Browser, str]]:
    """A browser that has signed in to a stack's Grafana, and the address at which it finds it.

    Raises:
        RuntimeError: Grafana or the browser cannot be reached, or the stack has never been deployed.
    """
    password = space.read_outputs(show_secrets=True).get(PASSWORD)
    if not password:
        raise RuntimeError(f"the stack {plan.stack} has no password of Grafana: make up STACK={plan.stack}")
    connect_grafana().close()  # what is not there is said now, and not by an empty picture
    found = subprocess.run(
        [sys.executable, "-m", "toolchain", "browser"], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True
    )
    browser = json.loads(found.stdout)
    with forward_entry(connect_grafana, 0) as made, start_browser(browser["program"], browser["environment"]) as people:
        people.sign_in("admin", str(password))
        yield people, made.address


def run_command(args: argparse.Namespace) -> int:
    """Writes the pictures and says where they are. Returns 1 where a page could not be had whole."""
    space, plan, host = open_running(args.stack)
    uids = choose_dashboards(plan, args.dashboard)
    folder = args.output or ROOT / "build/pictures" / args.stack
    complete = True
    try:
        with visit_grafana(space, plan, lambda: host.open_tunnel(NAME, PORT)) as (people, address):
            people.prefer_theme(args.theme)
            for picture in take_pictures(people, address, uids, folder, args.past, whole=not args.screen):
                console.print(f"{escape(str(picture.path))}  {picture.path.stat().st_size / 1000:.0f} kB")
                for failure in picture.failures:
                    complete = False
                    console.print(f"[red]{escape(failure)}[/]")
    except RuntimeError as error:
        console.print(f"[red]{escape(str(error))}[/]")
        return UNWELL
    return FINE if complete else UNWELL
