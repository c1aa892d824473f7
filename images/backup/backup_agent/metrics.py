"""What the agent says about itself, for Prometheus: https://prometheus.github.io/client_python/.

The values are those of the state file and of the destination, so a restart changes none. Times are seconds since 1970,
0 for never. What is not known yet (whether a run was successful, before the first one) is absent.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from backup_agent.document import DocumentFile
from backup_agent.lock import is_locked
from backup_agent.schedule import measure_interval, parse_crontab
from backup_agent.state import State, read_state

_VALUES = (
    ("last_run_timestamp_seconds", "run_at", "When the last backup began."),
    ("last_success_timestamp_seconds", "success_at", "When the last backup was complete."),
    ("last_duration_seconds", "run_seconds", "How long the last backup took."),
    ("last_run_successful", "run_successful", "Whether the last backup ended without an error."),
    ("size_bytes", "size", "Size of the newest backup's files."),
    ("previous_size_bytes", "previous_size", "The same of the one before."),
    ("files", "files", "Files of the newest backup."),
    ("uploaded_bytes", "uploaded_bytes", "Bytes of files that the last complete backup uploaded."),
    ("newest_timestamp_seconds", "newest_at", "When the newest backup was complete, as the destination has it."),
    ("copies", "copies", "Complete backups at the destination."),
    ("destination_up", "destination_up", "Whether the destination answered when it was last looked at."),
    ("verified_timestamp_seconds", "verified_at", "When a backup was last verified."),
    ("verify_successful", "verify_successful", "Whether the last verification ended without an error."),
)


class AgentMetrics(Collector):
    """Gives the values at each scrape."""

    def __init__(self, file: DocumentFile) -> None:
        self._file = file

    def collect(self) -> Iterable[Metric]:
        """All metrics: https://prometheus.github.io/client_python/collector/custom/."""
        document = self._file.get()
        state = read_state(document.scratch)
        yield from list_state_metrics(state)
        yield _build_gauge(
            "running", "Whether a backup or verification runs.", is_locked(Path(document.scratch) / "lock")
        )
        interval = measure_interval(parse_crontab(document.schedule), datetime.now(UTC)).total_seconds()
        yield _build_gauge("interval_seconds", "The longest time between two backups by the schedule.", interval)
        yield _build_gauge(
            "document_read_successful", "Whether the newest document was accepted.", not self._file.error
        )
        info = GaugeMetricFamily("backup_document_info", "The document that is used.", labels=("digest",))
        info.add_metric((self._file.digest,), 1)
        yield info


def list_state_metrics(state: State) -> Iterable[Metric]:
    """The metrics of a state."""
    for name, field, text in _VALUES:
        if (value := getattr(state, field)) is not None:
            yield _build_gauge(name, text, value)


def _build_gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"backup_{name}", text, value=float(value))
