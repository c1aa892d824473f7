"""What services expose, compared with what their system's file declares: `make verify` says what is not there.

Rules and dashboards ask for what is declared. What is exposed under another name is absent for them, and absence looks
like silence. API: https://prometheus.io/docs/prometheus/latest/querying/api/.
"""

from __future__ import annotations

import difflib
import json
import re
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from components.prometheus.arrivals import SENT, SILENT
from model.checks.labels import IDENTITY, INSTANCE, OF_PODS, OF_SAMPLES
from model.plan import Plan
from model.promql import list_needed_names
from model.service import Metric, Service
from model.system import ServiceLevelObjective, System
from packs import web
from packs.base import PER_SECOND
from packs.catalogue import PACKS

Ask = Callable[[str], Any]
"""The data that Prometheus' API answers to a path below /api/v1/, with its query."""
RECENT = 600
"""Seconds that are looked back for labels: what a process does not expose any more is out of sight after that."""
LIKE = 0.75
"""How much alike two names are of which one is meant to be the other; `difflib` has 0.6, which finds cousins."""
OF_TARGETS = frozenset({"__name__", *IDENTITY, *INSTANCE, *OF_PODS, *OF_SAMPLES})
"""Labels that say nothing of how a metric is called."""
_ENDS = {"histogram": ("_bucket", "_count", "_sum"), "summary": ("_count", "_sum")}
_PARTS, _PROMETHEUS = ("_bucket", "_created"), ("scrape_", "up")
"""Ends of names that nobody declares, and what Prometheus adds to each target by itself."""
Names = Mapping[str, set[str]]
"""Names of metrics by service."""


@dataclass(frozen=True)
class Difference:
    """A sentence with the key that it is about; not `certain` is what may only not have happened yet, or is a hint."""

    text: str
    certain: bool = True


@dataclass(frozen=True)
class Exposed:
    """A service that answers: all that it exposes, what of it has series, and what has which declared label."""

    key: str
    service: Service
    names: set[str]
    series: set[str]
    labelled: Mapping[str, set[str]]


def compare_exposed(plan: Plan, ask: Ask) -> list[Difference]:
    """Compares each service that answers with what its system declares.

    Raises:
        RuntimeError: Prometheus does not answer.
    """
    made: list[Difference] = []
    for exposed in list_exposed(plan.system, ask):
        for name, metric in exposed.service.metrics.items():
            if plan.settings.demo or not web.is_made_of_records(name):
                made.extend(_compare_metric(exposed, name, metric, ask))
        if not plan.settings.demo:  # what a stand-in is written in is of no interest
            made.extend(Difference(text, certain=False) for text in list_unused_packs(exposed))
    made += map(Difference, list_absent_buckets(plan.system, ask))
    made += map(Difference, list_silent_senders(plan, ask))
    perhaps = (*list_silent_pages(plan, ask), *list_idle_alerts(plan, ask))
    return [*made, *(Difference(text, certain=False) for text in perhaps)]


def list_silent_senders(plan: Plan, ask: Ask) -> Iterator[str]:
    """Services that send their metrics and have sent none lately: they are in no list of targets."""
    if not plan.telemetry.pushed:
        return
    for each in query_series(ask, f'up{{instance="{SENT}"}} == 0'):
        key = each["metric"]["service"]
        yield (
            f"services.{key}.otlp: no metric of {key} has arrived within {SILENT}; does it run, does it send to the"
            f" OpenTelemetry gateway, and is its service.name {key}? See docs/otel.md"
        )


def list_silent_pages(plan: Plan, ask: Ask) -> Iterator[str]:
    """Pages that may send, and of which no browser has sent a page load lately or ever."""
    pages = [key for key, service in plan.system.services.items() if "web" in service.packs]
    open_to_pages = any(opening.origins for route in plan.telemetry.routes for opening in route.open)
    if not pages or not open_to_pages or plan.settings.demo:  # where stand-ins send nothing
        return
    found = query_series(ask, "count by (service) (last_over_time(browser_page_load_seconds_count[1d]))")
    seen = {each["metric"]["service"] for each in found}
    for key in (key for key in pages if key not in seen):
        yield (
            f"services.{key}.packs: no browser has sent a page load of {key} within a day; does the page begin with the"
            f" script, and give {key} as its service? See docs/instrument-browser.md"
        )


def list_idle_alerts(plan: Plan, ask: Ask) -> Iterator[str]:
    """Alerts of rule files of the system's own that ask for a metric that has no series now.

    Nobody declares what these files ask for, so nothing could be said of it before.
    """
    alerts = [(group.file, alert) for group in plan.telemetry.rules if group.file for alert in group.alerts]
    needed = {alert.expr: list_needed_names(alert.expr) for _, alert in alerts}
    names = sorted(frozenset[str]().union(*needed.values()))
    if not names:
        return
    chosen = json.dumps("|".join(map(re.escape, names)), ensure_ascii=False)  # PromQL quotes as JSON does
    series = query_series(ask, f"group by (__name__) ({{__name__=~{chosen}}})")
    there = {each["metric"].get("__name__", "") for each in series}
    for file, alert in alerts:
        if absent := sorted(needed[alert.expr] - there):
            yield (
                f"{file}: alert {alert.name}: there is no series of {', '.join(absent)} now, so it cannot be judged;"
                " that is right where nothing has been counted yet, else the name is another one"
            )


def list_exposed(system: System, ask: Ask) -> Iterator[Exposed]:
    """The services that answer, in a number of queries that does not grow with their number."""
    jobs, up = _build_jobs_matcher(system), list_up(system, ask)
    series, names = _list_names(ask, f"{{{jobs}}}"), defaultdict[str, set[str]](set)
    for each in ask(f"targets/metadata?{urlencode({'match_target': f'{{{jobs}}}'})}"):
        names[each["target"]["job"]].add(each["metric"])  # those that have no series yet are here alone
    labels = {label for item in system.services.values() for label in _list_declared_labels(item)}
    labelled = {label: _list_names(ask, f'{{{jobs}, {label}!=""}}') for label in sorted(labels)}
    for key, service in system.services.items():
        if key in up:
            own = {label: by_job.get(key, set()) for label, by_job in labelled.items()}
            yield Exposed(key, service, names[key] | series.get(key, set()), series.get(key, set()), own)


def list_up(system: System, ask: Ask) -> set[str]:
    """The services that answer."""
    return {each["metric"]["job"] for each in query_series(ask, f"up{{{_build_jobs_matcher(system)}}} == 1")}


def _build_jobs_matcher(system: System) -> str:
    return f'job=~"{"|".join(system.services)}"'


def _list_declared_labels(service: Service) -> set[str]:
    return {label for metric in service.metrics.values() for label in _list_labels(service, metric)}


def _list_labels(service: Service, metric: Metric) -> set[str]:
    return {*metric.labels, *([service.status_label] if metric.role == "requests" else ())}


def _list_names(ask: Ask, selector: str) -> Names:
    names = defaultdict[str, set[str]](set)
    for each in query_series(ask, f"group by (job, __name__) ({selector})"):
        names[each["metric"]["job"]].add(each["metric"].get("__name__", ""))
    return names


def query_series(ask: Ask, query: str) -> list[dict[str, Any]]:
    """The result of an instant query."""
    return list(ask(f"query?{urlencode({'query': query})}")["result"])


def _compare_metric(exposed: Exposed, name: str, metric: Metric, ask: Ask) -> Iterator[Difference]:
    key, where = exposed.key, f"services.{exposed.key}.metrics.{name}"
    present = exposed.names.intersection(list_series_names(name, metric))
    if not present:
        others = {each for each in exposed.names if not each.endswith(_PARTS) and not each.startswith(_PROMETHEUS)}
        near = difflib.get_close_matches(name, sorted(others - exposed.service.metrics.keys()), 1, LIKE)
        if near:
            yield Difference(f"{where}: {key} does not expose it, and exposes {near[0]}: is that what is meant?")
        else:
            yield Difference(f"{where}: {key} does not expose it so far", certain=False)
        return
    for series in sorted(present & exposed.series)[:1]:  # a family without series has no labels yet
        for label in sorted(_list_labels(exposed.service, metric)):
            if series not in exposed.labelled[label]:
                undeclared = _list_others(exposed, series, ask)
                yield Difference(f"{where}: what {key} exposes has no label {label}{undeclared}")


def _list_others(exposed: Exposed, name: str, ask: Ask) -> str:
    """The labels that a metric of a service has and nobody declares, as the end of a sentence."""
    query = {"match[]": f'{name}{{job="{exposed.key}"}}', "start": f"{time.time() - RECENT:.0f}"}
    own = set(ask(f"labels?{urlencode(query)}")) - OF_TARGETS - exposed.service.labels.keys()
    own -= _list_declared_labels(exposed.service)
    return f"; it has {', '.join(sorted(own))}" if own else ""


def list_series_names(name: str, metric: Metric) -> tuple[str, ...]:
    """The names under which a metric is found: its family's, and those of its series."""
    return (*(f"{name}{end}" for end in _ENDS.get(metric.type, ())), name, name.removesuffix("_total"))


def list_unused_packs(exposed: Exposed) -> Iterator[str]:
    """The packs all of whose metrics a service exposes, and that it does not use."""
    for name, pack in PACKS.items():
        present = (exposed.names.intersection(list_series_names(each, item)) for each, item in pack.METRICS.items())
        if name not in exposed.service.packs and pack.METRICS and all(present):
            packs = ", ".join((*exposed.service.packs, name))
            key = exposed.key
            yield f"services.{key}.packs: {key} exposes all that the pack {name} draws; say packs: [{packs}]"


def list_absent_buckets(system: System, ask: Ask) -> Iterator[str]:
    """The thresholds of objectives at which no bucket ends that is exposed: nothing could be counted below them."""
    for number, item in enumerate(system.objectives):
        for name, metric in system.services[item.service].find_metrics("duration").items():
            bounds, threshold = _list_bounds(item, name, metric, ask), float(item.threshold or 0)
            if bounds and not any(abs(bound - threshold) < 1e-9 for bound in bounds):
                near = [*[b for b in bounds if b < threshold][-1:], *[b for b in bounds if b > threshold][:1]]
                yield (
                    f"objectives[{number}].threshold: no bucket of {name} that {item.service} exposes ends at"
                    f" {threshold:g} s; the nearest end at {' and '.join(f'{bound:g}' for bound in near)}"
                )


def _list_bounds(item: ServiceLevelObjective, name: str, metric: Metric, ask: Ask) -> Sequence[float]:
    """The bounds of the exposed buckets in seconds, where the objective is about them."""
    if item.kind != "latency" or metric.type != "histogram" or metric.unit not in PER_SECOND:
        return ()
    buckets = query_series(ask, f'group by (le) ({name}_bucket{{job="{item.service}"}})')
    bounds = (float(each["metric"].get("le", "inf")) / PER_SECOND[metric.unit] for each in buckets)
    return sorted(bound for bound in bounds if bound != float("inf"))
