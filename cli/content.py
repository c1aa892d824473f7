"""Whether pages of a stack have content: each is opened as by a browser, with the scripts and styles that it names.

Asked of the part itself, behind the login of the entry point.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urljoin, urlsplit

from cli.hosts import Host
from cli.pages import find_inner_path, find_workload
from cli.tunnel import Answer, ask_tunnel
from model.plan import Plan
from model.route import Route

_ASSET = re.compile(r"""<(?:script|link)\b[^>]*?\b(?:src|href)=["']?([^"'\s>]+\.(?:js|css))\b""", re.IGNORECASE)
_REDIRECTS = 3
_BEGIN = 4000
"""Characters within which a page says that it is one; scripts have the same words in their texts."""


def list_empty_pages(plan: Plan, host: Host) -> list[str]:
    """The pages that are no page, or whose scripts or styles are not there, as sentences."""
    names = {workload.name for workload in plan.list_workloads()}
    made: list[str] = []
    for route in plan.telemetry.routes:
        workload = find_workload(route)
        if route.page and workload in names:  # those of other programs are theirs
            made.extend(_check_page(route, find_inner_path(plan, route), host))
    return made


def _is_page(answer: Answer) -> bool:
    return "<html" in answer.text[:_BEGIN].lower()


def _check_page(route: Route, page: str, host: Host) -> Iterator[str]:
    workload, port = find_workload(route), urlsplit(route.url).port or 80

    def ask(path: str) -> Answer:
        return ask_tunnel(host.open_tunnel(workload, port), "GET", path)

    try:
        path, answer = page, ask(page)
        for _ in range(_REDIRECTS):
            if not answer.location:
                break
            path = urlsplit(urljoin(path, answer.location)).path
            answer = ask(path)
        if not _is_page(answer):
            yield f"the page of {route.name} at {path} has no content"
        for asset in _ASSET.findall(answer.text):
            where = urlsplit(urljoin(path, asset)).path
            if _is_page(ask(where)):  # some answer whatever they do not know with their page
                yield f"the page of {route.name} names {where}, where a page is"
    except RuntimeError as error:
        yield f"the page of {route.name} does not open: {error}"
