"""The real Traefik with the product's arguments, and a real authority: certificates are ordered, renewed and kept."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from components.entry.acme import RETRY, RETRY_PORT, RETRY_SECONDS, render_retry_config
from tests.support.alerting import free_port
from tests.support.entry import Entry, services
from tests.support.load import under_load
from tests.support.pebble import TRUSTED, Pebble
from tests.support.waiting import eventually
from toolchain.context import build_default_context
from toolchain.recipes import HAPROXY

HOST = "monitor.test"
HOUR = 3600


def settings(pebble: Pebble, **acme: Any) -> dict[str, Any]:
    """A stack that gets its certificate from this authority."""
    own = {"email": "ops@example.com", "directory": pebble.directory, "caCertificate": TRUSTED, **acme}
    return {"baseUrl": f"https://{HOST}", "tls": {"mode": "acme", "acme": own}}


class Site(Entry):
    """An entry point, and the real HAProxy that makes it order again: every other second instead of each quarter."""

    def start(self) -> None:
        """HAProxy first, then Traefik, which asks it every second."""
        config = render_retry_config().replace(f"bind :{RETRY_PORT}", f"bind 127.0.0.1:{self._others[RETRY]}")
        (self.folder / "haproxy.cfg").write_text(config.replace(f"div({RETRY_SECONDS})", "div(2)"))
        program = HAPROXY.ensure(build_default_context()) / "bin" / "haproxy"
        with (self.folder / "haproxy.log").open("w") as log:
            command = [str(program), "-db", "-f", str(self.folder / "haproxy.cfg")]
            self.haproxy = subprocess.Popen(command, stdout=log, stderr=log)
        super().start()

    def stop(self) -> None:
        """Both."""
        super().stop()
        self.haproxy.terminate()
        self.haproxy.wait()

    def _here(self, text: str) -> str:
        return super()._here(text.replace("pollinterval=60s", "pollinterval=1s"))

    def serial(self) -> int:
        """Serial number of the certificate that is served, where the authority issued it; else 0."""
        found = x509.load_der_x509_certificate(self.certificate(HOST))
        return found.serial_number if "Pebble" in found.issuer.rfc4514_string() else 0


@contextmanager
def site(folder: Path, *, valid: int = 90 * 86400, **acme: Any) -> Iterator[tuple[Site, Pebble]]:
    """An entry point that runs nothing yet, and an authority that does not run either."""
    pebble = Pebble(folder / "pebble", valid=valid)
    with services() as port:
        made = Site(folder, settings(pebble, **acme), services=port, others={RETRY: free_port()})
        made.deliver()
        pebble.web, pebble.secure = made.web, made.secure
        try:
            yield made, pebble
        finally:
            if made.process:
                made.stop()
            pebble.stop()


@pytest.mark.parametrize("challenge", ["http", "tls-alpn"])
def test_a_certificate_for_the_name_is_ordered(tmp_path: Path, challenge: str) -> None:
    """By either challenge; plain HTTP leads to TLS, the store is for its owner alone, nothing is ordered twice."""
    with site(tmp_path, challenge=challenge) as (made, pebble):
        pebble.start()
        made.start()
        serial = eventually(made.serial, timeout=60, what="a certificate")
        found = x509.load_der_x509_certificate(made.certificate(HOST))
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert names.get_values_for_type(x509.DNSName) == [HOST]
        assert made.ask("/api/health", host=HOST, trusted=pebble.root()).status == 200
        assert made.ask("/prometheus/", host=HOST, trusted=pebble.root()).status == 401
        plain = made.ask("/d/x?y=1", host=HOST)
        assert (plain.status, plain.headers["location"]) == (301, f"https://{HOST}/d/x?y=1")
        answer = made.ask("/", host=HOST, trusted=pebble.root())
        assert answer.headers["strict-transport-security"] == "max-age=31536000"
        (store,) = (tmp_path / "acme").iterdir()
        assert store.stat().st_mode & 0o777 == 0o600
        made.stop()
        made.start()
        assert eventually(made.serial, timeout=30, what="the certificate of before") == serial


def test_an_authority_that_was_away_is_asked_again(tmp_path: Path) -> None:
    """It is down when Traefik starts: the stack serves, without a certificate, and gets one when it is back."""
    with site(tmp_path) as (made, pebble):
        made.start()
        eventually(lambda: "connection refused" in made.log(), timeout=60, what="Traefik finds the authority away")
        assert made.serial() == 0
        assert HOST not in made.ask("/metrics", port=made.internal).body
        pebble.start()
        assert eventually(made.serial, timeout=90, what="a certificate after all")
        wanted = f'sans="{HOST}"'
        found = [line for line in made.ask("/metrics", port=made.internal).body.splitlines() if wanted in line]
        assert found and found[0].startswith("traefik_tls_certs_not_after{")


def test_a_certificate_is_renewed_under_load(tmp_path: Path) -> None:
    """No request fails while one certificate takes the place of another."""
    with site(tmp_path, valid=20 * 60 + 5, lifetime="1h") as (made, pebble):
        pebble.start()
        made.start()
        first = eventually(made.serial, timeout=60, what="a certificate")
        root = pebble.root()
        with under_load(lambda: made.ask("/api/health", host=HOST, trusted=root).status) as statuses:
            eventually(lambda: made.serial() not in (0, first), timeout=150, what="another certificate")
        assert set(statuses) == {200} and len(statuses) > 100, f"{len(statuses)} requests"
        print(f"{len(statuses)} requests during a renewal, none failed")


def test_a_six_day_certificate_is_not_renewed_at_each_start(tmp_path: Path) -> None:
    """Five of one name in a week are the limit; with Traefik's default lifetime each start would take one."""
    with site(tmp_path, valid=160 * HOUR, lifetime="160h") as (made, pebble):
        pebble.start()
        made.start()
        first = eventually(made.serial, timeout=60, what="a certificate")
        for _ in range(3):
            made.stop()
            made.start()
            assert eventually(made.serial, timeout=30, what="the certificate of before") == first
        assert "Renewing certificate" not in made.log()
