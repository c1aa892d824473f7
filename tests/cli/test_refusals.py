"""Targets that refuse to be scraped are not waited for."""

from __future__ import annotations

from typing import Any

import pytest

from cli.refusals import SECONDS, Waiting, find_reason

REFUSED = "server returned HTTP status 401 Unauthorized"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (REFUSED, "basicAuth"),
        ("server returned HTTP status 403 Forbidden", "basicAuth"),
        ("server returned HTTP status 404 Not Found", "metricsPath"),
        ("server returned HTTP status 400 Bad Request", "scheme"),
        ("server returned HTTP status 405 Method Not Allowed", "docs/scraping.md"),
        ('Get "https://a:1/": http: server gave HTTP response to HTTPS client', "scheme"),
        ('Get "https://a:1/": tls: first record does not look like a TLS handshake', "scheme"),
        ('Get "https://a:1/": tls: failed to verify certificate: x509: certificate signed by unknown authority', "tls"),
        ('Get "https://a:1/": remote error: tls: certificate required', "tls"),
        ('received unsupported Content-Type "text/html" and no fallback_scrape_protocol specified', "metricsPath"),
        ('expected a valid start token, got "<" ("INVALID") while parsing: "<"', "metricsPath"),
        ("server returned HTTP status 503 Service Unavailable", None),
        ("server returned HTTP status 429 Too Many Requests", None),
        ("server returned HTTP status 408 Request Timeout", None),
        ('Get "http://a:1/": dial tcp 10.0.0.1:1: connect: connection refused', None),
        ('Get "http://tls:1/": dial tcp: lookup tls on 127.0.0.11:53: no such host', None),
        ('Get "http://a:1/": context deadline exceeded', None),
        ("", None),
    ],
)
def test_an_error_that_stays_says_what_to_change(error: str, words: str | None) -> None:
    """Prometheus' own words; what may come up by itself is none of them."""
    reason = find_reason(error)
    assert words in reason if words and reason else reason is words


def target(number: int, error: str = REFUSED, name: str = "a") -> dict[str, Any]:
    """A target after so many scrapes."""
    health = "down" if error else "up"
    labels = {"job": name}
    return {"labels": labels, "scrapeUrl": name, "health": health, "lastError": error, "lastScrape": f"{number}"}


def wait(*steps: list[dict[str, Any]], seconds: float = SECONDS) -> list[bool]:
    """Whether waiting is over after each of the steps, so many seconds after each other."""
    waiting = Waiting(iter([number * seconds / 2 for number in range(100)]).__next__)
    return [waiting.is_over(step) for step in steps]


def test_two_scrapes_in_a_row_are_the_end() -> None:
    """Seen often in between, they count once; another error begins anew."""
    assert wait(*([target(number)] for number in (1, 1, 1, 2))) == [False, False, False, True]
    steps = [target(1), target(2, "connection refused"), target(3), target(3), target(4)]
    assert wait(*([step] for step in steps)) == [False, False, False, False, True]


def test_scrapes_that_come_quickly_are_not_the_end() -> None:
    """At an interval of a second a process would have two of them to begin."""
    assert wait(*([target(number)] for number in range(5)), seconds=0.5) == [False] * 5


def test_whoever_may_still_come_up_is_waited_for() -> None:
    """All that are not up must be refused; one that was never scraped is neither."""
    up, later = target(1, "", "b"), target(1, "connection refused", "c")
    assert wait([up], []) == [True, False]
    assert wait(*([target(number), up, later] for number in (1, 2, 3)), [target(4), up]) == [False] * 3 + [True]
    assert wait(*([{**target(number), "health": "unknown", "lastError": ""}] for number in range(9))) == [False] * 9
