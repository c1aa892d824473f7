"""A real OpenID Connect provider for tests, Dex, on loopback by TLS, with people who sign in by a form.

Source: https://dexidp.io/docs/configuration/
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import bcrypt
import yaml

from components.entry.authority import issue
from tests.support.delivering import free_port
from tests.support.waiting import eventually
from toolchain.context import default_context
from toolchain.recipes import DEX

_SEED = "dex's own certificate" * 4
TRUSTED = issue(_SEED, "127.0.0.1", 2026)["authority"]
"""The authority behind its certificate."""
CLIENT, CLIENT_SECRET = "monitoring", "oidc-client-secret"


@contextmanager
def dex(folder: Path, people: Mapping[str, str], redirect: str) -> Iterator[str]:
    """The issuer of a provider that knows these people (address and password) and one client."""
    folder.mkdir()
    served, port = issue(_SEED, "127.0.0.1", 2026), free_port()
    (folder / "cert.pem").write_text(served["chain"])
    (folder / "key.pem").write_text(served["key"])
    issuer = f"https://127.0.0.1:{port}/dex"
    config: dict[str, Any] = {
        "issuer": issuer,
        "storage": {"type": "memory"},
        "web": {
            "https": f"127.0.0.1:{port}",
            "tlsCert": str(folder / "cert.pem"),
            "tlsKey": str(folder / "key.pem"),
        },
        "oauth2": {"skipApprovalScreen": True},
        "staticClients": [{"id": CLIENT, "name": "Monitoring", "secret": CLIENT_SECRET, "redirectURIs": [redirect]}],
        "enablePasswordDB": True,
        "staticPasswords": [
            {
                "email": address,
                "hash": bcrypt.hashpw(password.encode(), bcrypt.gensalt(4 + 6)).decode(),
                "username": address.partition("@")[0],
                "userID": str(number),
            }
            for number, (address, password) in enumerate(people.items())
        ],
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    program = DEX.ensure(default_context()) / "bin" / "dex"
    with (folder / "log").open("w") as log:
        process = subprocess.Popen([str(program), "serve", str(folder / "config.yaml")], stdout=log, stderr=log)
    try:
        eventually(lambda: "listening on" in (folder / "log").read_text(), timeout=30, what="Dex listens")
        yield issuer
    finally:
        process.terminate()
        process.wait()
