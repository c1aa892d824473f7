"""The entry point's certificate: there is one for the host, or Traefik's own words say why not."""

from __future__ import annotations

import pytest

from cli import certificate
from model.settings import Settings

SETTINGS = Settings.model_validate(
    {"system": "shop", "baseUrl": "https://m.example.com", "tls": {"mode": "acme", "acme": {"email": "a@example.com"}}}
)
FOREVER = 1e11


def metric(names: str, end: float = FOREVER) -> str:
    """Traefik's exposition with one certificate."""
    return f'go_goroutines 3\ntraefik_tls_certs_not_after{{cn="",sans="{names}",serial="1"}} {end:.9e}\n'


@pytest.mark.parametrize("names", ["m.example.com", "a.example.com,m.example.com", "*.example.com"])
def test_a_certificate_covers_its_host(names: str) -> None:
    """Alone, among other names, or by a wildcard."""
    assert certificate.wait_certificate(SETTINGS, lambda: metric(names), lambda: "", 0) == []


@pytest.mark.parametrize("text", ["", metric("n.example.com"), metric("m.example.com.evil.com"), metric("*.com")])
def test_another_one_does_not(text: str) -> None:
    """Then people get one that browsers refuse."""
    (result,) = certificate.wait_certificate(SETTINGS, lambda: text, lambda: "", 0)
    assert result.startswith("there is no certificate for m.example.com") and "has not said why" in result


def test_one_that_has_ended_is_none() -> None:
    """Traefik still serves it when the authority is away."""
    (result,) = certificate.wait_certificate(SETTINGS, lambda: metric("m.example.com", 1e9), lambda: "", 0)
    assert result.startswith("the certificate for m.example.com has ended")


def test_the_failed_challenge_is_named() -> None:
    """As the authority has it, of the last order."""
    old = "2026-11-28T08:49:26Z ERR Unable to obtain ACME certificate error=old"
    log = (
        f'{old}\n2026-11-28T08:49:27Z ERR Unable to obtain ACME certificate for domains error="invalid authorization:'
        ' acme: error: 400 :: urn:ietf:params:acme:error:connection :: Get \\"http://m/x\\": refused"\n'
        "2026-11-28T08:49:28Z INF Serving"
    )
    (result,) = certificate.wait_certificate(SETTINGS, lambda: "", lambda: log, 0)
    assert 'the challenge http failed (connection): Get "http://m/x": refused' in result


def test_a_store_that_others_may_read_is_named() -> None:
    """Then Traefik skips the whole resolver while the site serves."""
    log = 'x ERR ACME resolve is skipped error="permissions 644 for /acme/production.json are too open, please use 600"'
    assert "permissions 644 for /acme/production.json are too open" in certificate.find_reason(log)


def test_without_tls_nobody_is_asked() -> None:
    """There is nothing to find."""

    def never() -> str:
        pytest.fail("asked")

    assert certificate.wait_certificate(Settings.model_validate({"system": "shop"}), never, never, 0) == []


@pytest.mark.parametrize(("text", "times"), [("", 1), (metric("m.example.com"), 0)])
def test_what_is_lacking_is_ordered_again(text: str, times: int) -> None:
    """`make up` does not wait for the quarter of an hour; a certificate that is there is left alone."""
    reloads: list[str] = []
    certificate.order_certificate(SETTINGS, lambda: text, lambda: reloads.append("HUP"))
    assert len(reloads) == times
