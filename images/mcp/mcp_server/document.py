"""The document that says what the server serves: sources, services, runbooks, bounds, and who may ask.

The stack's program writes it; no value in it is a secret. A document is read again when its file has changed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError


class Part(BaseModel):
    """A part of the document; keys that nobody reads are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Bounds(Part):
    """What one call may cost, and how much one answer may hold."""

    seconds: float = 20.0
    """Time for a whole call, all its queries together."""
    tokens: int = 10_000
    """Length of an answer, estimated at `text.BYTES_PER_TOKEN`."""
    series: int = 200
    """Series of an answer."""
    samples: int = 6_000
    """Samples of an answer over a range of time: series times points."""
    points: int = 500
    """Points of one series."""
    source_bytes: int = 8 * 1024 * 1024
    """Bytes read of one answer of a source; what is longer is given up."""
    log_bytes: int = 1024 * 1024 * 1024
    """Bytes of lines that Loki may have to read for one call, by its own index."""
    lines: int = 100
    """Log lines of an answer."""
    text: int = 400
    """Characters of one label value, annotation or log line."""
    range_days: float = 31.0
    """The longest time that a query may look at."""


class ServiceQueries(Part):
    """A service's title and ready queries; `$duration` in them stands for the time that is looked at."""

    title: str = ""
    queries: Mapping[str, str] = Field(default_factory=dict)
    status_label: str = "status"
    path_label: str = "path"


class Runbook(Part):
    """What an alert means and what to look at, in order."""

    severity: str = ""
    description: str = ""
    steps: tuple[str, ...] = ()
    url: str = ""


class Document(Part):
    """Everything that the server serves.

    `sources` are base addresses by `prometheus`, `loki` and `jaeger`. `recorded` are names of recorded series by what
    they are: `rate` (requests per second), `error_ratio` and `p95` (seconds), each with the label service. `tokens` are
    files by the name of who has the token. `hosts` and `origins` are the values of these headers that are let in,
    `name:*` for any port. `resource` is the address that clients have. `capacity` is what was planned, by what
    `tools.capacity` calls it.
    """

    stack: str
    environment: str = ""
    title: str = ""
    resource: str = "http://127.0.0.1/mcp"
    sources: Mapping[str, str] = Field(default_factory=dict)
    tokens: Mapping[str, str] = Field(default_factory=dict)
    hosts: tuple[str, ...] = ("127.0.0.1:*", "localhost:*", "127.0.0.1", "localhost")
    origins: tuple[str, ...] = ()
    calls_per_minute: int = 60
    parallel_calls: int = 8
    bounds: Bounds = Field(default_factory=Bounds)
    recorded: Mapping[str, str] = Field(default_factory=dict)
    services: Mapping[str, ServiceQueries] = Field(default_factory=dict)
    runbooks: Mapping[str, Runbook] = Field(default_factory=dict)
    capacity: Mapping[str, float] = Field(default_factory=dict)


class DocumentFile:
    """A document in a file, read again when the file has become another one.

    Attributes:
        digest: SHA-256 of the text that is served, in hexadecimal digits.
        failed: whether the newest text was refused; the one before it is served then.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, ...] = ()
        self.failed = False
        self._read(self._describe_file())

    def get(self) -> Document:
        """The document as it stands in the file now, or the last one that could be read."""
        if (seen := self._describe_file()) != self._seen:
            try:
                self._read(seen)
            except ValueError:
                self._seen, self.failed = seen, True
        return self._document

    def _describe_file(self) -> tuple[int, ...]:
        try:
            state = self._path.stat()  # through links, which a delivery switches
        except OSError:
            return self._seen
        return (state.st_ino, state.st_dev, state.st_mtime_ns, state.st_size)

    def _read(self, seen: tuple[int, ...]) -> None:
        text = self._path.read_bytes()
        self._document = parse_document(text)
        self.digest, self._seen, self.failed = hashlib.sha256(text).hexdigest(), seen, False


def parse_document(text: bytes) -> Document:
    """The document of a JSON text.

    Raises:
        ValueError: the text is no document; every problem is named with its place.
    """
    try:
        return Document.model_validate_json(text)
    except ValidationError as error:
        problems = [f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors(include_input=False)]
        raise ValueError("; ".join(problems)) from None


GetDocument = Callable[[], Document]
"""Gives the document that is valid now."""
