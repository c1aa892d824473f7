"""Addresses accept what a host can have, and refuse what none can."""

from __future__ import annotations

import re
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from model.addresses import (
    PATTERN_TEXTS,
    Endpoint,
    Engine,
    HostPort,
    HttpOrigin,
    HttpsUrl,
    HttpUrl,
    IpAddress,
    PageOrigin,
    Registry,
)

GOOD: list[tuple[Any, list[Any]]] = [
    (IpAddress, ["127.0.0.1", "0.0.0.0", "::1"]),  # noqa: S104 - a value, nothing is bound
    (HostPort, ["api:4000", "10.0.0.1:1", "[fd00::1]:65535", "a_b.c-d:80", "localhost.example.com:80"]),
    (Endpoint, ["s3.example.com", "minio:9000", "[fd00::1]"]),
    (Registry, ["ghcr.io", "registry.example.com:5000", "localhost:5000", "10.0.0.1:80"]),
    (HttpUrl, ["http://h", "https://h:65535/x?a=b:c", "http://me:key@h:80/a", "http://[fd00::1]:80/", "http://h/a:0"]),
    (HttpOrigin, ["http://api:4000", "https://api"]),
    (
        PageOrigin,
        ["https://shop.example.com", "http://localhost:5173", "http://[::1]:3000", "https://10.0.0.1", "http://h:443"],
    ),
    (HttpsUrl, ["https://login.example.com/realms/a", "https://h:8443"]),
    (Engine, ["unix:///run/docker.sock", "tcp://10.0.0.5:2376", "ssh://me@h", "ssh://me@h:22", "npipe:////./pipe/d"]),
]
BAD: list[tuple[Any, list[Any]]] = [
    (IpAddress, ["", "localhost", "1.2.3", "1.2.3.4:80", "256.0.0.1"]),
    (HostPort, ["", "api", "api:", ":80", "api:0", "api:65536", "http://api:80", "api:80/x", "a b:80", "api:080"]),
    (Endpoint, ["", "http://s3", "s3:0", "s3:99999"]),
    (Registry, ["", "ghcr", "http://ghcr.io", "ghcr.io/a", "ghcr.io:", "a b.c", "ghcr.io:65536"]),
    (
        HttpUrl,
        ["", "h", "ftp://h", "http://", "http:///x", "http://h:0", "http://h:99999/x", "http://h:/x", "http://h:x"],
    ),
    (HttpOrigin, ["http://api:4000/x", "http://api:0", "http://:80", "api:80"]),
    (PageOrigin, ["", "*", "null", "https://", "h", "https://*.h", "https://h:65536", "https://h:0", "https://h."]),
    (PageOrigin, ["https://a b", "https://a`b", "https://$h", "https://${env:H}", "https://010.0.0.1", "https://h\n"]),
    (HttpsUrl, ["http://h", "https://h:99999", "https://:1/x"]),
    (Engine, ["h:2375", "tcp://h:99999", "tcp://:2375", "ssh://me@h:0"]),
]


@pytest.mark.parametrize(("kind", "value"), [(kind, value) for kind, values in GOOD for value in values])
def test_good_addresses_are_accepted(kind: Any, value: Any) -> None:
    """They stay as they are."""
    assert TypeAdapter(kind).validate_python(value, strict=True) == value


@pytest.mark.parametrize(("kind", "value"), [(kind, value) for kind, values in BAD for value in values])
def test_bad_addresses_are_refused(kind: Any, value: Any) -> None:
    """What no host could have is no address."""
    with pytest.raises(ValidationError):
        TypeAdapter(kind).validate_python(value, strict=True)


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("https://h:443", "https://h"),
        ("http://h:80", "http://h"),
        ("https://h:08443", "https://h:8443"),
        ("HTTPS://Shop.example.com", "https://shop.example.com"),
        ("https://h/", "https://h"),
        ("https://h:8443/shop?a=b#c", "https://h:8443"),
        ("https://me:key@h", "https://h"),
        ("https://münchen.example", "https://xn--mnchen-3ya.example"),
        ("http://[0:0:0:0:0:0:0:1]:3000", "http://[::1]:3000"),
    ],
)
def test_an_origin_is_written_as_browsers_send_it(written: str, sent: str) -> None:
    """It is compared letter by letter, so another way to write it lets nobody in; the message has the right one."""
    with pytest.raises(ValidationError, match=re.escape(f"browsers send {sent} as the origin")):
        TypeAdapter(PageOrigin).validate_python(written, strict=True)
    assert TypeAdapter(PageOrigin).validate_python(sent, strict=True) == sent


def test_patterns_with_words_are_valid() -> None:
    """Every pattern that is explained in words can be compiled."""
    assert all(re.compile(pattern) and words for pattern, words in PATTERN_TEXTS.items())
