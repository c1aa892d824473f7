"""Headless Chromium by its DevTools protocol: it opens pages as people do, and says which requests of them failed.

Protocol: https://chromedevtools.github.io/devtools-protocol/
"""

from __future__ import annotations

import itertools
import json
import os
import re
import subprocess
import time
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import websocket

from tests.support.waiting import eventually
from toolchain.context import build_default_context
from toolchain.recipes import CHROMIUM

ARGUMENTS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage",
    "--remote-debugging-port=0", "--window-size=1400,900", "--hide-scrollbars",
)  # fmt: skip
QUIET = 1.0
"""Seconds without a request after which a page is taken for complete."""


@dataclass
class Page:
    """What became of a page: every request of it with its status (0: it failed), its texts, and its picture as PNG."""

    requests: dict[str, int] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    text: str = ""
    title: str = ""
    picture: bytes = b""

    def broken(self) -> dict[str, int]:
        """The requests that failed, but for the first answer to whoever has not signed in yet."""
        return {url: status for url, status in self.requests.items() if status == 0 or status >= 400}


class Browser:
    """A browser that knows one user and password for each host that asks."""

    def __init__(self, address: str, user: tuple[str, str] | None) -> None:
        self._socket = websocket.create_connection(address, timeout=30, suppress_origin=True)
        self._numbers, self._user, self._session = itertools.count(1), user, ""
        self._page = Page()
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Runtime"):
            self._call(f"{domain}.enable")
        self._call("Fetch.enable", handleAuthRequests=True)

    def open(self, url: str, *, seconds: float = 30) -> Page:
        """The page at an address, once it asks for nothing more."""
        return self._load(lambda: self._call("Page.navigate", url=url), seconds)

    def submit(self, fields: Mapping[str, str], *, seconds: float = 30) -> Page:
        """The page to which the first form of this one leads, with these values in its fields by their names."""
        fill = "".join(f"form.elements[{json.dumps(k)}].value = {json.dumps(v)};" for k, v in fields.items())
        return self._load(lambda: self._evaluate(f"{{const form = document.forms[0]; {fill} form.submit();}}"), seconds)

    def count(self, selector: str) -> int:
        """How many elements of the page a CSS selector finds."""
        return int(self._evaluate(f"document.querySelectorAll({json.dumps(selector)}).length"))

    def _load(self, begin: Callable[[], object], seconds: float) -> Page:
        self._page = Page()
        begin()
        deadline = time.monotonic() + seconds
        last = time.monotonic()
        while time.monotonic() - last < QUIET and time.monotonic() < deadline:
            if self._step(0.2):
                last = time.monotonic()
        page = self._page
        page.text = str(self._evaluate("document.body ? document.body.innerText : ''"))
        page.title = str(self._evaluate("document.title"))
        page.picture = b64decode(self._call("Page.captureScreenshot", format="png")["data"])
        return page

    def _evaluate(self, expression: str) -> Any:
        return self._call("Runtime.evaluate", expression=expression)["result"].get("value")

    def _call(self, method: str, **params: Any) -> Any:
        number = self._send(method, **params)
        while True:
            message = json.loads(self._socket.recv())
            if message.get("id") == number:
                if "error" in message:
                    raise RuntimeError(f"{method}: {message['error']}")
                return message["result"]
            self._event(message)

    def _send(self, method: str, **params: Any) -> int:
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": params}
        self._socket.send(json.dumps({**message, **({"sessionId": self._session} if self._session else {})}))
        return number

    def _step(self, seconds: float) -> bool:
        """Takes one message; whether it was about a request."""
        self._socket.settimeout(seconds)
        try:
            message = json.loads(self._socket.recv())
        except websocket.WebSocketTimeoutException:
            return False
        finally:
            self._socket.settimeout(30)
        return self._event(message)

    def _event(self, message: Mapping[str, Any]) -> bool:
        method, params = message.get("method", ""), message.get("params", {})
        if method == "Fetch.requestPaused":
            self._send("Fetch.continueRequest", requestId=params["requestId"])
        elif method == "Fetch.authRequired":
            self._send("Fetch.continueWithAuth", requestId=params["requestId"], authChallengeResponse=self._answer())
        elif method == "Network.responseReceived":
            self._page.requests[params["response"]["url"]] = params["response"]["status"]
        elif method == "Network.loadingFailed" and not params.get("canceled"):
            self._page.errors.append(params["errorText"])
        elif method == "Runtime.exceptionThrown":
            self._page.errors.append(params["exceptionDetails"]["text"])
        return bool(method.startswith(("Network.", "Fetch.")))

    def _answer(self) -> dict[str, str]:
        if self._user is None:
            return {"response": "CancelAuth"}
        name, password = self._user
        return {"response": "ProvideCredentials", "username": name, "password": password}

    def close(self) -> None:
        """Ends the connection."""
        self._socket.close()


@contextmanager
def browser(
    folder: Path, *, user: tuple[str, str] | None = None, leads: Mapping[str, str] | None = None, key: str = ""
) -> Iterator[Browser]:
    """A browser of its own.

    `leads` says where names lead (host:port); `key` is the SHA-256, in Base64, of a certificate's key that is trusted.
    """
    root = CHROMIUM.ensure(build_default_context()) / "root"
    libraries = [root / "usr/lib/x86_64-linux-gnu", root / "lib/x86_64-linux-gnu"]
    libraries.append(libraries[0] / "pulseaudio")
    env = {**os.environ, "LD_LIBRARY_PATH": ":".join(map(str, libraries)), "FONTCONFIG_PATH": str(root / "etc/fonts")}
    rules = ", ".join(f"MAP {name} {where}" for name, where in (leads or {}).items())
    arguments = [*ARGUMENTS, f"--user-data-dir={folder}/profile"]
    arguments += [f"--host-resolver-rules={rules}"] if rules else []
    arguments += [f"--ignore-certificate-errors-spki-list={key}"] if key else []
    folder.mkdir(exist_ok=True)
    log = folder / "chromium.log"
    with log.open("w") as out:
        program = str(root / "usr/lib/chromium/chromium")
        process = subprocess.Popen([program, *arguments], env=env, stdout=out, stderr=out)
    try:
        listens = r"DevTools listening on (ws://\S+)"
        (address, *_) = eventually(lambda: re.findall(listens, log.read_text()), timeout=30, what="Chromium listens")
        made = Browser(address, user)
        try:
            yield made
        finally:
            made.close()
    finally:
        process.terminate()
        process.wait()
