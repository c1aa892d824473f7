"""The only way to the sources: GET requests to query endpoints of a fixed list, with parameters of a fixed list.

Nothing else can be built here: whatever a tool is called with, it can neither write, delete, reload nor end anything.
APIs: https://prometheus.io/docs/prometheus/latest/querying/api/,
https://grafana.com/docs/loki/latest/reference/loki-http-api/, https://www.jaegertracing.io/docs/2.13/apis/.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from enum import Enum
from types import TracebackType
from typing import Any

import httpx2

from mcp_server.document import GetDocument
from mcp_server.errors import SourceFailed, SourceTooLarge
from mcp_server.metrics import SOURCE_REQUESTS
from mcp_server.text import clean_text

Parameters = Mapping[str, str | Sequence[str]]
_TIME = ("start", "end")
_LABEL = r"[a-zA-Z_][a-zA-Z0-9_]*"
_TRACE = r"[0-9a-fA-F]{16}|[0-9a-fA-F]{32}"


class Endpoint(Enum):
    """A query endpoint: its source, its path, the parameters that it may have, and what `{}` in the path may be."""

    QUERY = ("prometheus", "/api/v1/query", ("query", "time", "timeout", "limit"), "")
    QUERY_RANGE = ("prometheus", "/api/v1/query_range", ("query", *_TIME, "step", "timeout", "limit"), "")
    SERIES = ("prometheus", "/api/v1/series", ("match[]", *_TIME, "limit"), "")
    LABELS = ("prometheus", "/api/v1/labels", ("match[]", *_TIME, "limit"), "")
    LABEL_VALUES = ("prometheus", "/api/v1/label/{}/values", ("match[]", *_TIME, "limit"), _LABEL)
    TARGETS = ("prometheus", "/api/v1/targets", ("state",), "")
    ALERTS = ("prometheus", "/api/v1/alerts", (), "")
    RULES = ("prometheus", "/api/v1/rules", ("type", "rule_name[]"), "")
    LOG_STATS = ("loki", "/loki/api/v1/index/stats", ("query", *_TIME), "")
    LOG_RANGE = ("loki", "/loki/api/v1/query_range", ("query", *_TIME, "limit", "direction", "step"), "")
    TRACE = ("jaeger", "/api/traces/{}", (), _TRACE)

    @property
    def source(self) -> str:
        """The name of its source."""
        return str(self.value[0])


def build_url(base: str, endpoint: Endpoint, parameters: Parameters, part: str = "") -> httpx2.URL:
    """The address of a query.

    Raises:
        ValueError: the endpoint has no such parameter, or `part` is nothing that may stand in its path.
    """
    _, path, allowed, pattern = endpoint.value
    if unknown := set(parameters) - set(allowed):
        raise ValueError(f"{endpoint.name} has no parameter {sorted(unknown)}")
    if bool(pattern) != bool(part) or (pattern and not re.fullmatch(pattern, part)):
        raise ValueError(f"{part!r} cannot stand in the path of {endpoint.name}")
    pairs = [(key, each) for key, value in parameters.items() for each in _list_values(value)]
    return httpx2.URL(base.rstrip("/") + path.format(part), params=pairs)


def _list_values(value: str | Sequence[str]) -> Sequence[str]:
    return (value,) if isinstance(value, str) else value


class Sources:
    """Asks the sources that the document names. Use it as an asynchronous context."""

    def __init__(self, get_document: GetDocument) -> None:
        self._get_document = get_document
        # proxies of the environment would see every query; a redirect could lead anywhere
        self._client = httpx2.AsyncClient(trust_env=False, follow_redirects=False, timeout=httpx2.Timeout(30.0))

    async def __aenter__(self) -> Sources:
        await self._client.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.__aexit__(kind, error, trace)

    async def ask(self, endpoint: Endpoint, parameters: Parameters | None = None, part: str = "") -> Any:
        """The `data` of the answer to one query, as plain data.

        Raises:
            SourceFailed: there is no such source, it does not answer, or it answers with an error.
            SourceTooLarge: its answer is longer than bounds.source_bytes.
        """
        document = self._get_document()
        base = document.sources.get(endpoint.source)
        if base is None:
            raise SourceFailed(f"this stack has no {endpoint.source}")
        url, failed = build_url(base, endpoint, parameters or {}, part), True
        try:
            status, body = await self._read(url, document.bounds.source_bytes)
            data = _parse_answer(endpoint.source, status, body, document.bounds.text)
            failed = False
        except SourceTooLarge:
            failed = False  # what the caller wants is too much; the source works
            raise
        except httpx2.HTTPError as error:
            raise SourceFailed(f"{endpoint.source} does not answer: {type(error).__name__}") from error
        except _RefusedQuery as error:
            failed = False  # the query is wrong; the source works
            raise SourceFailed(str(error)) from None
        finally:
            SOURCE_REQUESTS.labels(endpoint.source, "failed" if failed else "answered").inc()
        return data

    async def _read(self, url: httpx2.URL, limit: int) -> tuple[int, bytes]:
        body = bytearray()
        async with self._client.stream("GET", url) as response:
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > limit:
                    raise SourceTooLarge(f"the source's answer has more than {limit} bytes")
            return response.status_code, bytes(body)


class _RefusedQuery(SourceFailed):
    """The source understood that the query is wrong."""


def _read_error(document: dict[str, Any]) -> Any:
    """What a source says is wrong: one text of Prometheus and Loki, the first of a list of Jaeger."""
    errors = document.get("errors")
    first = errors[0] if isinstance(errors, list) and errors else None
    return first.get("msg", "") if isinstance(first, dict) else document.get("error", "")


def _parse_answer(source: str, status: int, body: bytes, limit: int) -> Any:
    try:
        document = json.loads(body)
    except ValueError:
        document = None
    if status == 200 and isinstance(document, dict):
        return document.get("data", document)
    said = _read_error(document) if isinstance(document, dict) else body.decode(errors="replace")
    text = f"{source} answers {status}: {clean_text(str(said), limit)}"
    raise _RefusedQuery(text) if 400 <= status < 500 else SourceFailed(text)
