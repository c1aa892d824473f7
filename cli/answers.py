"""Answers of servers that others name: by HTTP alone, bounded, and without carrying a login to another server."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

TIMEOUT = 20
"""Seconds for one answer."""


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Follows none: where an answer leads is not where the login belongs."""

    def redirect_request(self, *args: Any, **more: Any) -> None:
        """Refuses."""


def read_answer(
    method: str, url: str, headers: Mapping[str, str], data: bytes | None = None, *, most: int = 8 * 2**20
) -> bytes:
    """The body of an answer of at most `most` bytes.

    Raises:
        RuntimeError: there is none, it is an error or a redirection, or it is longer.
    """
    if not url.startswith(("http://", "https://")):
        raise RuntimeError("the address is no http:// or https:// one")
    request = urllib.request.Request(url, data, dict(headers), method=method)  # noqa: S310 - see above
    try:
        with urllib.request.build_opener(_NoRedirects).open(request, timeout=TIMEOUT) as answer:
            body: bytes = answer.read(most + 1)
    except urllib.error.HTTPError as error:
        raise RuntimeError(f"the server answers with status {error.code}") from error
    except (OSError, ValueError) as error:
        raise RuntimeError(f"the server does not answer ({type(error).__name__})") from error
    if len(body) > most:
        raise RuntimeError(f"the answer has more than {most // 2**20} MiB")
    return body
