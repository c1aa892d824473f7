"""A real OpenID Connect provider for tests, Dex, on loopback by TLS, with people who sign in by a form.

Source: https://dexidp.io/docs/configuration/
"""

from __future__ import annotations

import json
import ssl
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import bcrypt

from components.entry.authority import issue_certificate
from tests.support.alerting import free_port
from tests.support.waiting import eventually
from toolchain.context import build_default_context
from toolchain.recipes import DEX

_SEED = "dex's own certificate" * 4
TRUSTED = issue_certificate(_SEED, "127.0.0.1", 2026)["authority"]
"""The authority behind its certificate."""
CLIENT, CLIENT_SECRET = "monitoring", "oidc-client-secret"


@contextmanager
def dex(folder: Path, people: Mapping[str, str], redirect: str) -> Iterator[str]:
    """The issuer of a provider that knows these people (address and password) and one client."""
    folder.mkdir()
    served, port = issue_certificate(_SEED, "127.0.0.1", 2026), free_port()
    (folder / "cert.pem").write_text(served["chain"])
    (folder / "key.pem").write_text(served["key"])
    issuer = f"https://127.0.0.1:{port}/dex"
    config: dict[str, Any] = {
        "issuer": issuer,
        "listen": f"127.0.0.1:{port}",
        "certificate": str(folder / "cert.pem"),
        "key": str(folder / "key.pem"),
        "client": {"id": CLIENT, "name": "Monitoring", "secret": CLIENT_SECRET, "redirectURIs": [redirect]},
        "people": [
            {
                "email": address,
                "hash": bcrypt.hashpw(password.encode(), bcrypt.gensalt(10)).decode(),
                "name": address.partition("@")[0],
                "id": str(number),
            }
            for number, (address, password) in enumerate(people.items())
        ],
    }
    (folder / "config.json").write_text(json.dumps(config))
    program = DEX.ensure(build_default_context()) / "bin" / "dex"
    with (folder / "log").open("w") as log:
        process = subprocess.Popen([str(program), str(folder / "config.json")], stdout=log, stderr=log)
    try:
        trust = ssl.create_default_context(cadata=TRUSTED)
        found = f"{issuer}/.well-known/openid-configuration"
        eventually(lambda: urlopen(found, timeout=5, context=trust).status == 200, timeout=30, what="Dex answers")  # noqa: S310
        yield issuer
    finally:
        process.terminate()
        process.wait()
