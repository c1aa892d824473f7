"""The dashboard of a system that declares none: everything that is known of its services, in the rows that there are.

What a pack draws is drawn by its pack; what a service declares beside that has a row of its own, by the metric's type.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence, Set

from model.dashboard_spec import DashboardSpec, Panel, Query, Row, build_uid
from model.service import Metric
from model.system import System
from packs.base import CHOSEN, Subject, build_panel
from packs.catalogue import PACKS, build_log_selector, build_row_panels

QUANTILES = (0.5, 0.95, 0.99)
"""Half of all, and what the slowest see."""
MOST_SERIES = 10
"""Lines that people still tell apart in a graph of this size."""
UNITS: Mapping[str, str] = {
    "seconds": "s", "milliseconds": "ms", "bytes": "bytes", "ratio": "percentunit", "percent": "percent",
}  # fmt: skip
"""Grafana's units of values; of everything else it is a plain number."""
RATES: Mapping[str, str] = {"bytes": "Bps", "requests": "reqps"}
"""Grafana's units of growth per second; of everything else it is a number of events."""
_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_PROCESS = ("memory", "cpu")
"""Roles of metrics that the row of processes draws."""


def add_default_dashboard(system: System, rows: Collection[str], *, has_logs: bool) -> System:
    """The system with a dashboard of everything where it declares none.

    Args:
        system: the system, with the metrics of its packs.
        rows: names of the rows that components bring.
        has_logs: whether there is a store of log lines to be asked.
    """
    if system.dashboards:
        return system
    return system.model_copy(update={"dashboards": (build_default_dashboard(system, rows, has_logs=has_logs),)})


def build_default_dashboard(system: System, rows: Collection[str], *, has_logs: bool) -> DashboardSpec:
    """Health, objectives, what each pack draws, each service's further metrics, probes, processes and log lines."""
    keys, undrawn = tuple(system.services), {key: _list_undrawn(system, key) for key in system.services}
    probed = "probes" in rows and any(service.health for service in system.services.values())
    processes = [key for key in keys if any(metric.role in _PROCESS for metric in undrawn[key].values())]
    if processes:
        names = _list_names(build_row_panels("process", system, processes))
        undrawn = {key: _remove_drawn(metrics, names) for key, metrics in undrawn.items()}
    known = [name for name in ("health", "slo", *PACKS) if build_row_panels(name, system, keys)]
    made = [
        *(Row(pack=name) for name in known),
        *(row for key in keys for row in _build_service_row(Subject(system, key), undrawn[key])),
        *([Row(pack="probes")] if probed else []),
        *([Row(pack="process")] if processes else []),
        *([Row(pack="logs", panels=(build_level_panel(system),))] if has_logs else []),
    ]
    return DashboardSpec(
        uid=build_uid(system.name, "-overview"),
        title=f"{system.title} Overview",
        description="Is everything well, how does it answer, what does it count, and what does it log?",
        rows=tuple(made),
    )


# -- what packs draw -------------------------------------------------------------------------------------------------


def list_drawn(system: System, key: str) -> frozenset[str]:
    """Names of series that the packs of a service draw, themselves or by what they record of them."""
    subject, names = Subject(system, key), set[str]()
    for pack in subject.service.packs:
        names |= _list_names(build_row_panels(pack, system, [key]))
        recordings = PACKS[pack].rules(subject).recordings
        for _ in recordings:  # a recording may be of another one
            names |= {name for rule in recordings if rule.record in names for name in _NAME.findall(rule.expr)}
    return frozenset(names)


def _list_names(panels: Sequence[Panel]) -> frozenset[str]:
    return frozenset(name for panel in panels for query in panel.queries for name in _NAME.findall(query.expr))


def _list_undrawn(system: System, key: str) -> dict[str, Metric]:
    """Metrics of a service that its packs do not draw; what a pack only knows for its alerts is left out too."""
    service = system.services[key]
    usual = {name for pack in service.packs for name in PACKS[pack].METRICS}
    own = {name: metric for name, metric in service.metrics.items() if name not in usual}
    return _remove_drawn(own, list_drawn(system, key)) if own else {}  # most services have what their packs bring


def _remove_drawn(metrics: Mapping[str, Metric], drawn: Set[str]) -> dict[str, Metric]:
    return {
        name: metric
        for name, metric in metrics.items()
        if not drawn & {name, f"{name}_bucket", f"{name}_count", f"{name}_sum"}
    }


# -- panels ----------------------------------------------------------------------------------------------------------


def _build_service_row(subject: Subject, undrawn: Mapping[str, Metric]) -> Iterator[Row]:
    """A row of the metrics of a service that nothing else draws; none where there are none."""
    if panels := tuple(build_metric_panel(subject, name, metric) for name, metric in undrawn.items()):
        yield Row(title=f"{subject.title}: further metrics", panels=panels)


def build_metric_panel(subject: Subject, name: str, metric: Metric) -> Panel:
    """A metric as its type asks for: growth of a counter, quantiles of a histogram, the mean of a summary, a value."""
    at, unit = f'{{{CHOSEN}, service="{subject.key}"}}', UNITS.get(metric.unit, "short")
    if metric.type == "counter":
        queries = _build_top_query(subject, metric, f"rate({name}{at}[$__rate_interval])", "sum")
        unit = RATES.get(metric.unit, "short" if metric.unit in UNITS else "cps")
        text = "Growth per second."
    elif metric.type == "histogram":
        queries = {
            f"p{quantile * 100:g}": f"histogram_quantile({quantile:g}, sum by (le)"
            f" (rate({name}_bucket{at}[$__rate_interval])))"
            for quantile in QUANTILES
        }
        text = "Half, 95 and 99 of 100 are below this."
    elif metric.type == "summary":
        rates = (f"sum(rate({name}_{part}{at}[$__rate_interval]))" for part in ("sum", "count"))
        queries, text = {"mean": " / ".join(rates)}, "The mean."
    else:
        queries, text = _build_top_query(subject, metric, f"{name}{at}", "max"), "The highest of all instances."
    return build_panel(name, queries, unit, f"{metric.help} {text}".strip(), width=8)


def _build_top_query(subject: Subject, metric: Metric, series: str, combine: str) -> dict[str, str]:
    """The series by the label that tells them apart best: the status of requests, else the first that is declared."""
    status = subject.service.status_label
    label = status if status in metric.labels else next(iter(metric.labels), "")
    if not label:
        return {subject.title: f"{combine}({series})"}
    return {f"{{{{{label}}}}}": f"topk({MOST_SERIES}, {combine} by ({label}) ({series}))"}


def build_level_panel(system: System) -> Panel:
    """How many lines of each level there are.

    Loki's own level of a line: https://grafana.com/docs/loki/latest/configure/#limits_config (discover_log_levels).
    """
    query = f"sum by (detected_level) (count_over_time({build_log_selector(system)} [$__auto]))"
    return Panel(
        title="Log lines by level", language="logql", width=24,
        queries=(Query(expr=query, legend="{{detected_level}}"),),
        description="A burst of errors shows here first; no lines at all is as bad a sign.",
    )  # fmt: skip
