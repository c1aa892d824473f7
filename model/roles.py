"""What a metric means to packs and to the demo workload, and which types of metrics can mean that.

Packs read roles by their type: `rate()` of a gauge and the value of a counter are numbers as well, and nonsense.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

MetricType = Literal["counter", "gauge", "histogram", "summary"]
"""Prometheus metric types: https://prometheus.io/docs/concepts/metric_types/."""
Role = Literal[
    "requests", "duration", "in_flight", "uptime", "active", "connections", "queue", "jobs", "job_duration",
    "pool_active", "pool_idle", "pool_max", "query_duration", "errors", "failures", "memory", "heap", "cpu",
    "goroutines", "lag", "constant", "generic",
]  # fmt: skip
FREE = frozenset({"generic", "constant"})
"""Roles that packs do not look for: they read such metrics by name, if at all."""

_COUNTED: tuple[Role, ...] = ("requests", "jobs", "errors", "failures", "cpu")
_OTHERS: Mapping[Role, tuple[MetricType, ...]] = {
    "duration": ("histogram", "summary"),
    "job_duration": ("histogram",),  # quantiles of all instances together: those of summaries cannot be added
    "query_duration": ("histogram",),
    "uptime": ("gauge", "counter"),
    "generic": get_args(MetricType),
}
TYPES: Mapping[Role, tuple[MetricType, ...]] = {
    **dict.fromkeys(get_args(Role), ("gauge",)),
    **dict.fromkeys(_COUNTED, ("counter",)),
    **_OTHERS,
}
"""The types of metrics that can have each role; images/demo/spec.go has them too."""
