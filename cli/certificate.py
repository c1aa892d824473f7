"""Whether Traefik serves a certificate for the stack's host, and why not, in its own words.

Metric: https://doc.traefik.io/traefik/observe/metrics/ (traefik_tls_certs_not_after).
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from contextlib import suppress

from cli.waiting import Wait
from components.entry.certificates import METRIC, covers_host
from model.settings import Settings

LINES = 400
"""Of its log that are looked at, as each request may be one of them."""
CHALLENGED = ("connection", "dns", "unauthorized", "incorrectResponse", "tls", "caa")
"""What an authority says when the name could not be proven: https://www.rfc-editor.org/rfc/rfc8555#section-6.7."""
MESSAGE_LENGTH = 600
"""Characters of Traefik's own words that are repeated."""
_LABELS = re.compile(rf'^{METRIC}\{{.*sans="([^"]*)".*\}} ([0-9.e+]+)$', re.MULTILINE)
_ABOUT = re.compile(r"(?i)acme|certificate")
_REFUSED = re.compile(r"urn:ietf:params:acme:error:(\w+) :: (.*)")


def wait_certificate(
    settings: Settings, metrics: Callable[[], str], log: Callable[[], str], timeout: float
) -> list[str]:
    """What is wrong with the certificate after at most `timeout` seconds, as sentences; none without TLS.

    Args:
        settings: the stack's settings.
        metrics: asks Traefik for its metrics.
        log: asks for the last lines of its log.
        timeout: how long an order may take, in seconds.
    """
    if not settings.tls.on:
        return []
    wait, challenge = Wait(timeout), settings.tls.acme.challenge if settings.tls.acme else ""
    while True:
        problem = describe_missing(settings, _ask_safely(metrics))
        if problem is None:
            return []
        if not wait.goes_on(f"this to change: {problem}"):
            return [f"{problem}; {find_reason(_ask_safely(log), challenge)}"]


def order_certificate(settings: Settings, metrics: Callable[[], str], reload: Callable[[], object]) -> None:
    """Has Traefik order a certificate that it lacks: it does so when it reads its routes anew, which it does on SIGHUP.

    Args:
        settings: the stack's settings.
        metrics: asks Traefik for its metrics.
        reload: sends it the signal.
    """
    if settings.tls.acme and describe_missing(settings, _ask_safely(metrics)):
        with suppress(RuntimeError):  # it does not run, which the report says
            reload()


def _ask_safely(question: Callable[[], str]) -> str:
    try:
        return question()
    except RuntimeError as error:
        return str(error)


def describe_missing(settings: Settings, metrics: str) -> str | None:
    """That there is no certificate for the host, or that it has ended; None where all is well."""
    ends = [float(end) for names, end in _LABELS.findall(metrics) if covers_host(settings, names.split(","))]
    if not ends:
        return f"there is no certificate for {settings.host}: people get one that browsers refuse"
    if max(ends) < time.time():
        return f"the certificate for {settings.host} has ended"
    return None


def find_reason(log: str, challenge: str = "") -> str:
    """The last thing that Traefik said of it as an error: which challenge failed, and why."""
    lines = [line for line in log.splitlines() if " ERR " in line and _ABOUT.search(line)]
    if not lines:
        return "Traefik has not said why; it orders one again every 15 minutes"
    message = lines[-1].split(" ERR ", 1)[1].replace('\\"', '"')
    if refusal := _REFUSED.search(message):
        kind, answer = refusal.groups()
        what = f"the challenge {challenge} failed" if kind in CHALLENGED else "the authority refuses the order"
        return f"{what} ({kind}): {answer[:MESSAGE_LENGTH]}"
    return f"Traefik says: {message[:MESSAGE_LENGTH]}"
