"""Headless Chromium by its DevTools protocol: it opens pages as people do, and says which requests of them failed.

Protocol: https://chromedevtools.github.io/devtools-protocol/
"""

from __future__ import annotations

import itertools
import json
import os
import select
import subprocess
import sys
import tempfile
import time
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ARGUMENTS = (
    "--headless", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage",
    "--remote-debugging-pipe", "--window-size=1400,900", "--hide-scrollbars",
)  # fmt: skip
ANSWER_SECONDS = 30.0
QUIET = 1.0
"""Seconds without a request after which a page is taken for complete."""
INTERFACES_CHANGED = "net::ERR_NETWORK_CHANGED"
"""What Chromium ends every request with when this machine gets or loses an interface: a bridge of a container's."""
TRIES = 3


@dataclass
class Page:
    """What became of a page: every request of it with its status (0: it failed), and its texts."""

    requests: dict[str, int] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    text: str = ""
    title: str = ""

    def broken(self) -> dict[str, int]:
        """The requests that failed, but for the first answer to whoever has not signed in yet."""
        return {url: status for url, status in self.requests.items() if status == 0 or status >= 400}

    def list_failures(self) -> list[str]:
        """What could not be had or run, in words, each once."""
        return list(dict.fromkeys([*self.errors, *(f"{url}: status {code}" for url, code in self.broken().items())]))


def load_undisturbed(load: Callable[[], Page]) -> Page:
    """A page, loaded again where the browser gave up its requests for this machine's sake: no server failed.

    Args:
        load: loads the page from its beginning.
    """
    for _ in range(TRIES):
        page = load()
        if INTERFACES_CHANGED not in page.errors:
            break
    return page


class Pipe:
    """The protocol's messages, each ended by a zero byte, through two pipes that nobody else can open."""

    def __init__(self, reading: int, writing: int) -> None:
        self._reading, self._writing, self._rest = reading, writing, b""

    def send(self, message: Mapping[str, Any]) -> None:
        """Send one message."""
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self._writing, data) :]

    def receive(self, seconds: float) -> Any:
        """The next message, None where none comes within so many seconds.

        Raises:
            RuntimeError: the browser ended.
        """
        deadline = time.monotonic() + seconds
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self._reading], [], [], max(deadline - time.monotonic(), 0))
            if not ready:
                return None
            data = os.read(self._reading, 1 << 20)
            if not data:
                raise RuntimeError("the browser ended")
            self._rest += data
        message, _, self._rest = self._rest.partition(b"\0")
        return json.loads(message)


class Browser:
    """A browser that knows one user and password for each host that asks."""

    def __init__(self, pipe: Pipe, user: tuple[str, str] | None = None) -> None:
        self._pipe = pipe
        self._numbers, self._user, self._session = itertools.count(1), user, ""
        self._page = Page()
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Runtime"):
            self._call(f"{domain}.enable")
        self._call("Fetch.enable", handleAuthRequests=True)

    def open(self, url: str, *, seconds: float = 30) -> Page:
        """The page at an address, once it asks for nothing more."""
        return load_undisturbed(lambda: self._load(lambda: self._call("Page.navigate", url=url), seconds))

    def sign_in(self, name: str, password: str) -> None:
        """Send this login with every request from now on."""
        login = b64encode(f"{name}:{password}".encode()).decode()
        self._call("Network.setExtraHTTPHeaders", headers={"Authorization": f"Basic {login}"})

    def resize(self, width: int, height: int) -> None:
        """Give the window another size in pixels."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self._call("Emulation.setDeviceMetricsOverride", **size)

    def act(self, expression: str = "0", *, seconds: float = 30) -> Page:
        """The same page after an expression of JavaScript, once it asks for nothing more."""
        return self._load(lambda: self.evaluate(expression), seconds)

    def prefer_theme(self, theme: str) -> None:
        """Prefer `dark` or `light` where a page has both."""
        self._call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": theme}])

    def take_picture(self, kind: str = "png", *, quality: int = 100, scale: float = 1.0) -> bytes:
        """The page as it is now, as `png` or, of a quality in percent, `webp`; its sides times `scale`."""
        how: dict[str, Any] = {"format": kind, **({"quality": quality} if kind == "webp" else {})}
        if scale != 1:
            width, height = self.evaluate("[innerWidth, innerHeight].join()").split(",")
            how["clip"] = {"x": 0, "y": 0, "width": int(width), "height": int(height), "scale": scale}
        return b64decode(self._call("Page.captureScreenshot", **how)["data"])

    def evaluate(self, expression: str) -> Any:
        """The value of an expression of JavaScript in the page."""
        return self._call("Runtime.evaluate", expression=expression)["result"].get("value")

    def _load(self, begin: Callable[[], object], seconds: float) -> Page:
        self._page = Page()
        begin()
        deadline = time.monotonic() + seconds
        last = time.monotonic()
        while time.monotonic() - last < QUIET and time.monotonic() < deadline:
            if self._step(0.2):
                last = time.monotonic()
        page = self._page
        page.text = str(self.evaluate("document.body ? document.body.innerText : ''"))
        page.title = str(self.evaluate("document.title"))
        return page

    def _call(self, method: str, **params: Any) -> Any:
        number = self._send(method, **params)
        while (message := self._pipe.receive(ANSWER_SECONDS)) is not None:
            if message.get("id") == number:
                if "error" in message:
                    raise RuntimeError(f"{method}: {message['error']}")
                return message["result"]
            self._event(message)
        raise RuntimeError(f"{method}: the browser does not answer")

    def _send(self, method: str, **params: Any) -> int:
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": params}
        self._pipe.send({**message, **({"sessionId": self._session} if self._session else {})})
        return number

    def _step(self, seconds: float) -> bool:
        """Takes one message; whether it was about a request."""
        message = self._pipe.receive(seconds)
        return message is not None and self._event(message)

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


@contextmanager
def start_browser(
    program: str,
    environment: Mapping[str, str],
    arguments: Sequence[str] = (),
    *,
    user: tuple[str, str] | None = None,
    log: Path | None = None,
) -> Iterator[Browser]:
    """A browser of its own, with a profile that ends with it.

    Args:
        program: a Chromium.
        environment: variables that it needs beside those of this process.
        arguments: further ones for it.
        user: name and password for whoever asks for some.
        log: where its own messages go.

    Raises:
        RuntimeError: it does not start.
    """
    root = ["--no-sandbox"] if os.geteuid() == 0 else []  # Chromium refuses to run as root otherwise
    with tempfile.TemporaryDirectory(prefix="browser-", ignore_cleanup_errors=True) as profile:
        to_browser, from_browser = os.pipe(), os.pipe()
        # the protocol wants its pipes as 3 and 4, which the starter may have for something else
        starter = f"import os, sys; os.dup2({to_browser[0]}, 63); os.dup2({from_browser[1]}, 4); os.dup2(63, 3)"
        starter += "; os.close(63); os.execv(sys.argv[1], sys.argv[1:])"
        command = [sys.executable, "-c", starter, program, *ARGUMENTS, *root, f"--user-data-dir={profile}", *arguments]
        with (log or Path(os.devnull)).open("w") as out:
            process = subprocess.Popen(
                command,
                env={**os.environ, **environment},
                stdout=out,
                stderr=out,
                pass_fds=(to_browser[0], from_browser[1]),
            )
        os.close(to_browser[0])
        os.close(from_browser[1])
        try:
            yield Browser(Pipe(from_browser[0], to_browser[1]), user)
        finally:
            process.terminate()
            process.wait()
            os.close(to_browser[1])
            os.close(from_browser[0])
