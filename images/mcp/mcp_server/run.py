"""What a tool works with during one call: the document, the sources, and queries that several tools need."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from mcp_server.document import Bounds, Document
from mcp_server.errors import Refused, SourceFailed
from mcp_server.sources import Endpoint, Sources
from mcp_server.text import clean_labels, clean_text


@dataclass(frozen=True)
class Run:
    """One call of a tool; `now` is when it began, in seconds since 1970."""

    document: Document
    sources: Sources
    now: float = field(default_factory=time.time)

    @property
    def bounds(self) -> Bounds:
        """What this call may cost."""
        return self.document.bounds

    def has(self, source: str) -> bool:
        """Whether the stack has a source."""
        return source in self.document.sources

    async def ask_vector(self, query: str, limit: int = 1000) -> list[tuple[dict[str, str], float]]:
        """Labels and value of each series that a query of our own gives now; the values are finite."""
        parameters = {"query": query, "time": f"{self.now:.3f}", "limit": str(limit)}
        data = await self.sources.ask(Endpoint.QUERY, parameters)
        return [
            (item["metric"], value)
            for item in data.get("result", [])
            if isinstance(item, dict) and math.isfinite(value := float(item["value"][1]))
        ]

    async def ask_by_label(self, query: str, label: str) -> dict[str, float]:
        """The values of a query by the value of one label."""
        return {labels.get(label, ""): value for labels, value in await self.ask_vector(query)}

    async def ask_number(self, query: str) -> float | None:
        """The only value of a query; None where it has none or the query fails."""
        try:
            values = await self.ask_vector(query, 1)
        except SourceFailed:
            return None
        return round_value(values[0][1]) if values else None

    def clean(self, text: object) -> str:
        """Text of others as it may stand in an answer."""
        return clean_text(str(text), self.bounds.text)

    def clean_labels(self, labels: Mapping[str, object]) -> dict[str, str]:
        """Labels as they may stand in an answer."""
        return clean_labels(labels, self.bounds.text)

    def choose_services(self, name: str | None) -> list[str]:
        """The service of that name, or all of them.

        Raises:
            Refused: the system has no such service.
        """
        known = sorted(self.document.services)
        if name is None:
            return known
        if name not in known:
            raise Refused(f"no service {name!r}; the services are: {', '.join(known) or 'none'}")
        return [name]


def round_value(value: float) -> float | None:
    """Six digits of a number, which is what a decision needs; None where it is no number."""
    return float(f"{value:.6g}") if math.isfinite(value) else None


def format_sample(text: str) -> str:
    """A value as Prometheus writes it, with six digits at most; NaN and Inf stay words."""
    try:
        value = float(text)
    except ValueError:
        return "?"
    if math.isfinite(value):
        return f"{value:.6g}"
    return "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"


def format_time(seconds: float) -> str:
    """A point in time as RFC 3339, in UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def list_dicts(value: Any) -> list[dict[str, Any]]:
    """The dictionaries in what should be a list of them."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def escape_value(text: str) -> str:
    """A text as it stands between quotes of a PromQL or LogQL matcher."""
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
