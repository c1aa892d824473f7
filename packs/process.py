"""Any process: its memory, its CPU and its open files, as Prometheus' client libraries report them.

Source: https://prometheus.io/docs/instrumenting/writing_clientlibs/#process-metrics
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from model.dashboard_spec import Panel
from model.limits import Share
from model.service import Metric
from model.telemetry import AlertRule, Example
from packs.base import (
    CHOSEN,
    Rules,
    Subject,
    build_either_query,
    build_flat_samples,
    build_panel,
    build_thresholds,
    format_percent,
    list_metric_names,
)

FILES = 0.9
"""The last tenth goes with the next burst of connections, and then every new one is refused."""

METRICS: Mapping[str, Metric] = {
    "process_cpu_seconds_total": Metric(type="counter", help="CPU time used.", unit="seconds", role="cpu"),
    "process_resident_memory_bytes": Metric(
        type="gauge", help="Resident memory.", unit="bytes", role="memory", baseline=134217728.0
    ),
    "process_open_fds": Metric(type="gauge", help="Open files and sockets.", baseline=42.0),
    "process_max_fds": Metric(type="gauge", help="Limit of open files and sockets.", role="constant", baseline=1024.0),
}


def rules(subject: Subject) -> Rules:
    """An alert on open files near their limit."""
    bound = subject.get_limit("OpenFilesHigh", FILES)
    chosen = subject.build_selector()
    used, most = subject.build_series("process_open_fds"), subject.build_series("process_max_fds")
    return Rules(
        alerts=(
            AlertRule(
                name="OpenFilesHigh",
                expr=f"process_open_fds{chosen} / (process_max_fds{chosen} > 0) > {bound:g}",
                for_="5m",  # a burst of short connections passes
                severity="warning",
                limit=Share(bound),
                summary=f"{subject.title}: {{{{ $value | humanizePercentage }}}} of the open files that it may have",
                description=f"{subject.title} uses more than {format_percent(bound)} of its file descriptors: beyond"
                " the limit every new connection fails.",
                steps=(
                    "Does the number only grow? Then connections or files are opened and never closed.",
                    "Does it follow the traffic? Then raise the limit (ulimit -n, or the container's).",
                    "A restart gives time, and loses what caused it: take a listing of its open files before.",
                ),
                example=Example(
                    fires={used: build_flat_samples(bound * 1000 + 1), most: build_flat_samples(1000)},
                    silent={used: build_flat_samples(bound * 1000 - 1), most: build_flat_samples(1000)},
                ),
            ),
        )
    )


def panels(subjects: Sequence[Subject]) -> tuple[Panel, ...]:
    """Memory, CPU and open files of each process."""
    result: list[Panel] = []
    if memory := list_metric_names(subjects, "memory"):
        query = {"{{service}}": build_either_query(memory, f"NAME{{{CHOSEN}}}")}
        result.append(build_panel("Memory", query, "bytes", "Resident memory; what only grows is a leak.", width=8))
    if cpu := list_metric_names(subjects, "cpu"):
        query = {"{{service}}": build_either_query(cpu, f"rate(NAME{{{CHOSEN}}}[$__rate_interval])")}
        result.append(build_panel("CPU", query, "short", "Cores in use.", width=8))
    if any("process_open_fds" in subject.service.metrics for subject in subjects):
        used = {"{{service}}": f"process_open_fds{{{CHOSEN}}} / (process_max_fds{{{CHOSEN}}} > 0)"}
        text = f"Share of the limit; a warning is sent above {format_percent(FILES)}."
        result.append(
            build_panel("Open files", used, "percentunit", text, width=8, thresholds=build_thresholds((FILES, "red")))
        )
    return tuple(result)
