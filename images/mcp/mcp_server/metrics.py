"""What the server counts about itself, for Prometheus: https://prometheus.github.io/client_python/."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics

disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for each of these, which nobody draws
REGISTRY = CollectorRegistry(auto_describe=True)
CALLS = Counter("mcp_calls", "Calls of tools by how they ended.", ("tool", "result"), registry=REGISTRY)
SECONDS = Histogram(
    "mcp_call_duration_seconds",
    "How long calls take.",
    ("tool",),
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30),
    registry=REGISTRY,
)
ANSWER_BYTES = Counter("mcp_answer_bytes", "Bytes of answers.", ("tool",), registry=REGISTRY)
INCOMPLETE = Counter("mcp_incomplete_answers", "Answers that a bound has shortened.", ("tool",), registry=REGISTRY)
RUNNING = Gauge("mcp_calls_running", "Calls that are being answered.", registry=REGISTRY)
REFUSED = Counter("mcp_refused_requests", "HTTP requests that were refused.", ("reason",), registry=REGISTRY)
SOURCE_REQUESTS = Counter("mcp_source_requests", "Queries to sources.", ("source", "result"), registry=REGISTRY)
TOKENS = Gauge("mcp_tokens", "Tokens that are accepted.", registry=REGISTRY)
DOCUMENT = Gauge("mcp_document_info", "The document that is served.", ("sha256",), registry=REGISTRY)
DOCUMENT_READ = Gauge("mcp_document_read_successful", "Whether the newest document was accepted.", registry=REGISTRY)

RESULTS = ("answered", "refused", "failed")
REASONS = ("token", "host", "origin", "rate", "size")
SOURCES = ("prometheus", "loki", "jaeger")


def init_series(tools: tuple[str, ...]) -> None:
    """Have every series from the start, so that the first event is growth and not a new series."""
    for tool in (*tools, "unknown"):
        for result in RESULTS:
            CALLS.labels(tool, result)
        ANSWER_BYTES.labels(tool)
        INCOMPLETE.labels(tool)
    for reason in REASONS:
        REFUSED.labels(reason)
    for source in SOURCES:
        for result in ("answered", "failed"):
            SOURCE_REQUESTS.labels(source, result)


def report_document(digest: str, *, failed: bool) -> None:
    """Say which document is served, by its SHA-256, and whether the newest one was refused."""
    DOCUMENT.clear()
    DOCUMENT.labels(digest).set(1)
    DOCUMENT_READ.set(0 if failed else 1)
