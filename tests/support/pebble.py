"""A real certificate authority for tests, Pebble, and a name server that leads every name to this machine.

Source: https://github.com/letsencrypt/pebble. One in twenty of its answers rejects a good nonce, as it does by itself.
"""

from __future__ import annotations

import json
import ssl
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from components.entry.authority import issue_certificate
from tests.support.alerting import free_port
from tests.support.waiting import eventually
from toolchain.context import build_default_context
from toolchain.recipes import PEBBLE

_SEED = "pebble's own certificate" * 4
TRUSTED = issue_certificate(_SEED, "127.0.0.1", 2026)["authority"]
"""The authority behind the certificate of Pebble's own API."""


Network = Callable[[Callable[[], Any]], Any]
"""Calls a function in a network, such as `tests.support.networks.on_node`."""


def _here(call: Callable[[], Any]) -> Any:
    return call()


class Pebble:
    """An authority whose API is at `directory` while it runs, on an `address` of this machine.

    It looks for answers at the ports `web` and `secure` of loopback. `valid` is how long its certificates are, in
    seconds. All of it is in the given `network`, whose loopback is meant then.
    """

    def __init__(
        self,
        folder: Path,
        *,
        web: int = 0,
        secure: int = 0,
        valid: int = 90 * 86400,
        address: str = "127.0.0.1",
        network: Network = _here,
    ) -> None:
        self._folder, self.web, self.secure, self.valid, self._address = folder, web, secure, valid, address
        self._network = network
        folder.mkdir()
        self._programs = PEBBLE.ensure(build_default_context()) / "bin"
        self._api, self._management, self._dns, self._names = (free_port() for _ in range(4))
        self._running: list[subprocess.Popen[bytes]] = []

    @property
    def directory(self) -> str:
        """Address of its directory."""
        return f"https://{self._address}:{self._api}/dir"

    def start(self) -> None:
        """Both processes; they forget everything when they end."""
        served = issue_certificate(_SEED, self._address, 2026)
        (self._folder / "cert.pem").write_text(served["chain"])
        (self._folder / "key.pem").write_text(served["key"])
        config: dict[str, Any] = {
            "listenAddress": f"{self._address}:{self._api}",
            "managementListenAddress": f"{self._address}:{self._management}",
            "certificate": str(self._folder / "cert.pem"),
            "privateKey": str(self._folder / "key.pem"),
            "httpPort": self.web,
            "tlsPort": self.secure,
            "ocspResponderURL": "",
            "externalAccountBindingRequired": False,
            "certificateValidityPeriod": self.valid,
        }
        (self._folder / "config.json").write_text(json.dumps({"pebble": config}))
        names = [str(self._programs / "pebble-challtestsrv"), "-defaultIPv4", "127.0.0.1", "-defaultIPv6", ""]
        names += ["-dns01", f"127.0.0.1:{self._dns}", "-management", f"127.0.0.1:{self._names}"]
        names += ["-http01", "", "-https01", "", "-tlsalpn01", ""]
        authority = [str(self._programs / "pebble"), "-config", str(self._folder / "config.json")]
        authority += ["-dnsserver", f"127.0.0.1:{self._dns}"]
        with (self._folder / "log").open("a") as log:
            for command, env in ((names, {}), (authority, {"PEBBLE_VA_NOSLEEP": "1"})):
                self._running.append(self._network(partial(subprocess.Popen, command, env=env, stdout=log, stderr=log)))
        eventually(lambda: self._get(self.directory), timeout=20, what="Pebble answers")

    def stop(self) -> None:
        """Ends both processes."""
        for process in self._running:
            process.terminate()
            process.wait()
        self._running = []

    def lead(self, name: str, address: str) -> None:
        """From now on a name leads to another address than this machine."""
        record = json.dumps({"host": f"{name}.", "addresses": [address]}).encode()
        url = f"http://127.0.0.1:{self._names}/add-a"
        self._network(lambda: urlopen(url, data=record, timeout=5).close())

    def root(self) -> str:
        """The certificate that everything it issues is trusted by, as PEM text; another one after each start."""
        return self._get(f"https://{self._address}:{self._management}/roots/0")

    def _get(self, url: str) -> str:
        trust = ssl.create_default_context(cadata=TRUSTED)

        def read() -> str:
            with urlopen(url, timeout=5, context=trust) as answer:  # noqa: S310 - an address of this class
                return str(answer.read().decode())

        return str(self._network(read))
