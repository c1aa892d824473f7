"""The browser of tests: Debian's Chromium, so that pages look the same everywhere, led to where a test wants it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from cli.browser import Browser, Page, start_browser
from toolchain.browser import ensure_packaged_browser
from toolchain.context import build_default_context


@contextmanager
def browser(
    folder: Path, *, user: tuple[str, str] | None = None, leads: Mapping[str, str] | None = None, key: str = ""
) -> Iterator[Browser]:
    """A browser of its own, whose messages are in `folder`.

    `leads` says where names lead (host:port); `key` is the SHA-256, in Base64, of a certificate's key that is trusted.
    """
    program = ensure_packaged_browser(build_default_context())
    rules = ", ".join(f"MAP {name} {where}" for name, where in (leads or {}).items())
    arguments = [f"--host-resolver-rules={rules}"] if rules else []
    arguments += [f"--ignore-certificate-errors-spki-list={key}"] if key else []
    folder.mkdir(exist_ok=True)
    log = folder / "chromium.log"
    with start_browser(str(program.path), program.environment, arguments, user=user, log=log) as made:
        yield made


def submit_form(people: Browser, fields: Mapping[str, str]) -> Page:
    """The page to which the first form of the open one leads, with these values in its fields by their names."""
    fill = "".join(f"form.elements[{json.dumps(k)}].value = {json.dumps(v)};" for k, v in fields.items())
    return people.act(f"{{const form = document.forms[0]; {fill} form.submit();}}")


def count_elements(people: Browser, selector: str) -> int:
    """How many elements of the open page a CSS selector finds."""
    return int(people.evaluate(f"document.querySelectorAll({json.dumps(selector)}).length"))


def click_element(people: Browser, selector: str) -> Page:
    """The page after a press on the first element that a CSS selector finds."""
    return people.act(f"document.querySelector({json.dumps(selector)}).click()")


def measure_overflow(people: Browser) -> int:
    """How many pixels the page is wider than its window."""
    return int(people.evaluate("document.documentElement.scrollWidth - innerWidth"))
