"""Targets that answer, and refuse to be scraped: their errors stay what they are, however long somebody waits.

Prometheus' own words: https://github.com/prometheus/prometheus/blob/main/scrape/scrape.go, and Go's crypto/tls and
net/http.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

SCRAPES, SECONDS = 2, 10.0
"""As many in a row, and as long: a process that only begins may know no routes yet."""
_REASONS: Mapping[re.Pattern[str], str] = {
    re.compile(r"HTTP status 40[13]\b"): "it wants a login: scrape, basicAuth or bearerTokenSecret",
    re.compile(r"HTTP status 404\b"): "its metrics are at another path or port: metricsPath, port",
    re.compile(r"HTTP status 400\b"): "it may speak HTTPS alone: scrape, scheme",
    re.compile(r"HTTP status 4(0[2567]|1\d|2[0-36-8])\b"): "it does not answer such a request: docs/scraping.md",
    re.compile(
        r"server gave HTTP response to HTTPS client|does not look like a TLS handshake"
    ): "it speaks plain HTTP: scrape, scheme",
    re.compile(r"\b(x509|tls): "): "its certificate is not trusted, or it wants one: scrape, tls",
    re.compile(r"Content-Type|expected a valid start token|invalid metric type"): (
        "what is there are no metrics: metricsPath, port"
    ),
}
"""What an error says of a target, and which keys of its service are about that."""


def find_reason(error: str) -> str | None:
    """What is to be changed where Prometheus' error about a target is one that stays; None of all others."""
    return next((reason for pattern, reason in _REASONS.items() if pattern.search(error)), None)


class Waiting:
    """What was seen of targets while somebody waits for them; `clock` gives seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._refused: dict[tuple[str, str], tuple[float, set[str]]] = {}

    def is_over(self, targets: Sequence[Mapping[str, Any]]) -> bool:
        """Whether all targets are up, or all others are refused again and again; to be called more often."""
        down = [target for target in targets if target["health"] != "up"]
        return bool(targets) and all([self._is_refused(target) for target in down])  # a list, so that each is counted

    def _is_refused(self, target: Mapping[str, Any]) -> bool:
        key = (str(target["labels"].get("job", "")), str(target["scrapeUrl"]))
        if target["health"] != "down" or not find_reason(str(target["lastError"])):
            self._refused.pop(key, None)
            return False
        since, scrapes = self._refused.setdefault(key, (self._clock(), set()))
        scrapes.add(str(target.get("lastScrape", "")))
        return len(scrapes) >= SCRAPES and self._clock() - since >= SECONDS
