"""What all packs share: whom rules are made for, thresholds that a system may tune, and short forms for panels.

A pack is what one word in a system's YAML brings with it: metrics that a service of that kind usually has, recording
rules, alerts, and a row of panels. It finds its metrics by their declared roles, so a metric may have any name, unit
and label. Recorded series are named level:metric:operations (https://prometheus.io/docs/practices/rules/).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, Protocol

from model.dashboard_spec import Panel, Query, Threshold
from model.roles import Role
from model.service import Metric, Service, Tuning
from model.system import System
from model.telemetry import AlertRule, Example, RecordingRule

WINDOW = "5m"
"""Twenty scrapes at the default interval: one slow request does not show, a bad deployment does."""
BY = "service, system, environment"
"""What every series of a service keeps: see `model.naming.build_identity_labels`."""
SERVICE = ("service", "environment")
"""Labels by which alerts are about the same service."""
CHOSEN = 'environment=~"$environment", service=~"$service"'
"""The matchers of a dashboard's variables."""
PROBES = "blackbox"
"""The job that has the exporter ask; its targets carry the labels of the services that are asked."""
ANSWERING = f'up{{job!="{PROBES}"}}'
"""Targets that were asked themselves: the jobs of probes have the labels of what the exporter is asked about."""
PER_SECOND = {"seconds": 1.0, "milliseconds": 1000.0}
"""A unit of time, in parts of a second."""
MIN_FAILURES = 5
"""Failures that an alert on a share needs: with less traffic than this one failed request is a large share, and neither
an outage nor a reason to wake somebody (https://sre.google/workbook/alerting-on-slos/, low-traffic services)."""
BAD = ("error", "fail", "failed", "failure", "timeout", "rejected")
"""Label values that say that something did not work."""

_UNTUNED = Tuning()

Tune = Mapping[str, Tuning]
"""What a system says about alerts, by their names."""


def get_limit(tune: Tune, alert: str, default: float) -> float:
    """The threshold of an alert: what the system says, else the pack's own."""
    tuning = tune.get(alert)
    return default if tuning is None or tuning.threshold is None else tuning.threshold


def get_min_failures(tune: Tune, alert: str) -> int:
    """How many failures an alert on a share needs: what the system says, else `MIN_FAILURES`."""
    tuning = tune.get(alert)
    return (tuning.min_failures if tuning else None) or MIN_FAILURES


def format_percent(share: float) -> str:
    """A share as people write it: 0.05 gives 5%."""
    return f"{share * 100:g}%"


@dataclass(frozen=True)
class Subject:
    """The service that a pack makes rules for."""

    system: System
    key: str

    @property
    def service(self) -> Service:
        """What the system says of it."""
        return self.system.services[self.key]

    @property
    def title(self) -> str:
        """Name for people."""
        return self.service.title or self.key

    def find_metric(self, role: Role) -> tuple[str, Metric] | None:
        """The metric with that role; at most one has it (`packs.system` refuses more)."""
        for name, metric in self.service.metrics.items():
            if metric.role == role:
                return name, metric
        return None

    def build_selector(self, *matchers: str) -> str:
        """The label matchers of its series."""
        return "{" + ", ".join([f'service="{self.key}"', *matchers]) + "}"

    def build_series(self, name: str, **labels: str) -> str:
        """One of its series, as the examples of its alerts name it."""
        listed = {"service": self.key, "system": self.system.name, "environment": "test", **labels}
        return name + "{" + ", ".join([f'{label}="{value}"' for label, value in listed.items()]) + "}"

    def get_tuning(self, alert: str) -> Tuning:
        """What is said about an alert: for this service, else for the whole system."""
        return self.service.tune.get(alert) or self.system.tune.get(alert) or _UNTUNED

    def get_limit(self, alert: str, default: float) -> float:
        """The threshold of an alert for this service."""
        threshold = self.get_tuning(alert).threshold
        return default if threshold is None else threshold

    def get_min_failures(self, alert: str) -> int:
        """How many failures an alert on a share needs for this service."""
        return self.get_tuning(alert).min_failures or MIN_FAILURES


@dataclass(frozen=True)
class Outcome:
    """A counter of a service whose labels say what failed, as matchers: `failed` of failures, `known` of all judged.

    What `known` does not match is neither a success nor a failure: a label that is not there must not read as success.
    """

    name: str
    failed: str
    known: str
    every: str = ""
    """What it counts at all, where that is not the whole metric."""


@dataclass(frozen=True)
class Rules:
    """The rules of one service, and the counters whose labels they rely on."""

    recordings: tuple[RecordingRule, ...] = ()
    alerts: tuple[AlertRule, ...] = ()
    outcomes: tuple[Outcome, ...] = ()


class Pack(Protocol):
    """A pack for services: a module of packs/ with these names."""

    @property
    def METRICS(self) -> Mapping[str, Metric]:
        """Metrics that a service of this kind has unless it declares ones of the same role, or says otherwise."""

    def rules(self, subject: Subject) -> Rules:
        """What is recorded and alerted on for one service: by its metrics, status label and tuning, and nothing else.

        What it is called only stands in texts, so that services that are else the same share what is made for one.
        """

    def panels(self, subjects: Sequence[Subject]) -> tuple[Panel, ...]:
        """A row for all services that use the pack, by the dashboard's variables."""


# -- examples --------------------------------------------------------------------------------------------------------


def build_counter_samples(per_minute: float) -> str:
    """The values of a counter that grows evenly, for two hours."""
    return f"0+{per_minute:g}x120"


def build_flat_samples(value: float) -> str:
    """The values of a gauge that stays as it is, for two hours."""
    return f"{value!r}+0x120"


def build_gauge_example(series: str, bound: float, **more: str) -> Example:
    """A gauge a hundredth above and below a bound; `more` are further series, the same in both."""
    step = abs(bound) * 0.01 or 1.0
    return Example(
        fires={series: build_flat_samples(bound + step), **more},
        silent={series: build_flat_samples(bound - step), **more},
    )


def build_share_example(bad: str, good: str, bound: float) -> Example:
    """Two counters, of which `bad` makes up a hair more, or less, than `bound` of the sum."""
    return Example(
        fires={
            bad: build_counter_samples(10000 * bound * 1.01),
            good: build_counter_samples(10000 * (1 - bound * 1.01)),
        },
        silent={
            bad: build_counter_samples(10000 * bound * 0.99),
            good: build_counter_samples(10000 * (1 - bound * 0.99)),
        },
    )


@lru_cache(maxsize=4096)
def build_service_series(service: str, name: str, **labels: str) -> str:
    """One of the series of a component of the stack, as the examples of its alerts name it."""
    listed = {"service": service, "system": "any", "environment": "test", **labels}
    return name + "{" + ", ".join(f'{label}="{value}"' for label, value in listed.items()) + "}"


def build_growth_example(series: str, bound: float, minutes: int = 5) -> Example:
    """A counter that grows by a hundredth more, or less, than `bound` in `minutes`; by one or nothing where it is 0."""
    step = abs(bound) * 0.01 or 1.0
    fires, silent = (bound + step) / minutes, max(bound - step, 0) / minutes
    return Example(fires={series: build_counter_samples(fires)}, silent={series: build_counter_samples(silent)})


def build_quantile_example(subject: Subject, name: str, q: float, bound: float) -> Example:
    """A histogram whose quantile `q` lies just above, or below, `bound` (in the histogram's own unit)."""

    def build_buckets(inside: float) -> dict[str, str]:
        shares = {f"{bound:g}": inside, f"{2 * bound:g}": 1.0, "+Inf": 1.0}
        return {
            subject.build_series(f"{name}_bucket", le=le): build_counter_samples(10000 * part)
            for le, part in shares.items()
        }

    return Example(fires=build_buckets(q - 0.0005), silent=build_buckets(q + 0.0005))


# -- panels ----------------------------------------------------------------------------------------------------------

Colour = Literal["green", "yellow", "orange", "red", "blue"]


def build_panel(title: str, queries: Mapping[str, str], unit: str, description: str, **more: Any) -> Panel:
    """A panel of queries by legend."""
    targets = tuple(Query(expr=expr, legend=legend) for legend, expr in queries.items())
    return Panel(title=title, queries=targets, unit=unit, description=description, **more)


def build_thresholds(*steps: tuple[float, Colour]) -> tuple[Threshold, ...]:
    """Values from which a panel changes its colour."""
    return tuple(Threshold(value=value, colour=colour) for value, colour in steps)


def build_either_query(names: Sequence[str], template: str) -> str:
    """A query over metrics of several names that mean the same: `template` holds NAME, the parts are joined by `or`."""
    return " or ".join(template.replace("NAME", name) for name in sorted(set(names)))


def list_metric_names(subjects: Sequence[Subject], role: Role) -> list[str]:
    """The names of the metrics that have the role."""
    return sorted({metric[0] for subject in subjects if (metric := subject.find_metric(role))})
