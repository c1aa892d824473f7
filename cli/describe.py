"""Reads what a service exposes and prints its YAML: packs, roles, units, labels and buckets.

It knows how libraries name things: prom-client and express-prom-bundle, prometheus_client and
prometheus-fastapi-instrumentator, client_golang, Micrometer, and OpenTelemetry's conventions of HTTP, old and new
(https://opentelemetry.io/docs/specs/semconv/http/http-metrics/). What it cannot place it lists.
"""

from __future__ import annotations

import argparse
import re
import sys
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import urlsplit

from prometheus_client import Metric as Family
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_open_metrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from cli.arguments import FINE
from components.documents import render_yaml
from model.errors import ConfigError, Problem
from packs.base import BAD, PER_SECOND
from packs.catalogue import PACKS
from packs.http import LATENCY_SECONDS
from packs.outcome import STATUS_LABELS

SECONDS = 10.0
"""How long an answer is waited for, as Prometheus does."""
HERE = ("localhost", "127.0.0.1", "::1")
"""Names of the machine itself."""
PATH_LABELS = ("path", "route", "handler", "uri", "http_route", "endpoint", "url_path", "url", "operation")
"""Labels that hold what was asked for."""
STATUS = re.compile(r"[1-5]([0-9]{2}|xx|XX)|none|unknown|")
HTTP = re.compile(r"http|request|handler")
DURATION = re.compile(r"duration|latency|seconds|milliseconds|_time\b")
IN_FLIGHT = re.compile(r"in_?flight|in_?progress|active_requests|requests_active")
JOBS = re.compile(r"job|task|message")
QUEUE = re.compile(r"queue.*(depth|length|size|waiting)|(depth|length|size|waiting).*queue|queue$|backlog")
END_LABELS = ("status", "outcome", "result", "state")
"""Labels that hold how a job ended."""
OF_LIBRARIES = re.compile(
    r"up$|(process|python|nodejs|go|jvm|promhttp|scrape|target|otel|dotnet|system|executor|hikaricp|tomcat|logback)_"
)
"""Names that a library brings; dashboards of packs, and nobody's rules, are about them."""
UNIT_LINE = re.compile(r"^# UNIT (\S+) (\S+)$", re.MULTILINE)
"""As OpenTelemetry's exporter for Node.js writes it, in a text whose names may lack the unit."""
MARKS = {"s": "seconds", "ms": "milliseconds", "By": "bytes", "1": "ratio"}
"""Units as UCUM has them, which OpenTelemetry takes: https://ucum.org/ucum."""
MOST_SECONDS = 100.0
"""A last bucket beyond this is one of milliseconds, where neither a name nor a line says the unit of a duration."""
UNITS = {"seconds": "seconds", "milliseconds": "milliseconds", "bytes": "bytes", "ratio": "ratio", "percent": "percent"}
SLOW = "SlowRequests"
EXAMPLES = 8
"""Values of a label that are written down: rules ask for none, and a demo needs no more."""


@dataclass
class Exposition:
    """A metric of a service: its type, the values of each of its labels, its buckets, and the unit a line names."""

    name: str
    type: str
    labels: dict[str, dict[str, None]] = field(default_factory=dict)
    buckets: set[float] = field(default_factory=set)
    unit: str | None = None

    def find_label(self, names: Iterable[str]) -> str | None:
        """The first of these labels that it has."""
        return next((name for name in names if name in self.labels), None)

    @property
    def status_label(self) -> str | None:
        """The label that holds a status, by its name and by its values."""
        label = self.find_label(STATUS_LABELS)
        return label if label and all(STATUS.fullmatch(value) for value in self.labels[label]) else None


def read_exposition(text: str) -> dict[str, Exposition]:
    """The metrics of a text in Prometheus' or OpenMetrics' format, by the names of which rules are made.

    Raises:
        ValueError: it is in none of these formats.
    """
    parse = parse_open_metrics if text.rstrip().endswith("# EOF") else parse_text
    families = (family for family in parse(text) if not family.name.endswith("_created"))  # when, and not how many
    made = {each.name: each for each in map(_read_family, families)}
    for name, unit in UNIT_LINE.findall(text):
        if name in made:
            made[name].unit = MARKS.get(unit, unit if unit in UNITS else None)
    return made


def _read_family(family: Family) -> Exposition:
    """A counter is known by the name of its series, which ends with _total; the parser leaves that out."""
    names = {sample.name for sample in family.samples}
    name = next((n for n in (f"{family.name}_total", family.name) if n in names), family.name)
    made = Exposition(name if family.type == "counter" else family.name, family.type)
    for sample in family.samples:
        if sample.name.endswith("_created"):
            continue
        for label, value in sample.labels.items():
            if label == "le" and family.type == "histogram":
                made.buckets.add(float(value))
            elif not (label == "quantile" and family.type == "summary"):
                made.labels.setdefault(label, {})[value] = None
    return made


# -- what it means ---------------------------------------------------------------------------------------------------


def describe_service(exposed: Mapping[str, Exposition]) -> dict[str, Any]:
    """The keys of a service that exposes these: packs, labels and metrics with their roles."""
    metrics: dict[str, Any] = {}
    made: dict[str, Any] = {"packs": [*list_packs(exposed)]}
    requests, duration = find_requests(exposed), find_duration(exposed)
    if requests:
        made["packs"].insert(0, "http")
        if requests.status_label and requests.status_label != "status":
            made["statusLabel"] = requests.status_label
        path = requests.find_label(PATH_LABELS)
        if path and path != "path":
            made["pathLabel"] = path
        metrics[requests.name] = _describe_metric(requests, "requests")
        if duration:
            metrics[duration.name] = _describe_metric(duration, "duration")
            made |= _tune_latency(duration)
    own = {name: item for name, item in exposed.items() if name not in metrics and not OF_LIBRARIES.match(name)}
    for item in own.values():
        if item.type == "gauge" and HTTP.search(item.name) and IN_FLIGHT.search(item.name):
            metrics[item.name] = _describe_metric(item, "in_flight")
    if jobs := _describe_jobs(own):
        made["packs"].insert(0, "worker")
        metrics |= jobs
    return made | ({"metrics": metrics} if metrics else {})


def _describe_jobs(own: Mapping[str, Exposition]) -> dict[str, Any]:
    """The counter of jobs by how they ended, how long they take, and what waits; nothing where no job is counted."""
    counters = [each for each in own.values() if each.type == "counter" and JOBS.search(each.name)]
    ended = [each for each in counters if each.find_label(END_LABELS)]
    if not ended:
        return {}
    made = {ended[0].name: _describe_metric(ended[0], "jobs")}
    for item in own.values():
        if item.type == "histogram" and JOBS.search(item.name) and DURATION.search(item.name):
            made[item.name] = _describe_metric(item, "job_duration")
        elif item.type == "gauge" and QUEUE.search(item.name):
            made[item.name] = _describe_metric(item, "queue")
    return made


def _tune_latency(duration: Exposition) -> dict[str, Any]:
    """A lower threshold for slow requests where the buckets end before the usual one: nothing could exceed it."""
    bounds = [bound / _count_in_second(duration) for bound in sorted(duration.buckets) if bound != float("inf")]
    if not bounds or bounds[-1] > LATENCY_SECONDS:
        return {}
    threshold = bounds[-2] if len(bounds) > 1 else bounds[-1] / 2
    return {"tune": {SLOW: {"threshold": threshold, "why": f"the last bucket ends at {bounds[-1]:g} s"}}}


def _count_in_second(item: Exposition) -> float:
    return PER_SECOND.get(_find_unit(item) or "seconds", 1.0)


def _find_unit(item: Exposition) -> str | None:
    """What a line says, else what the name ends with; of a duration else what its buckets make likely."""
    said = item.unit or next((unit for end, unit in UNITS.items() if f"_{end}" in item.name), None)
    bounds = [bound for bound in item.buckets if bound != float("inf")]
    if said or not bounds or not DURATION.search(item.name):
        return said
    return "milliseconds" if max(bounds) > MOST_SECONDS else "seconds"


def find_requests(exposed: Mapping[str, Exposition]) -> Exposition | None:
    """The counter of requests by status; where there is none, the count of a histogram or summary that has one."""
    known = [each for each in exposed.values() if each.status_label and HTTP.search(each.name)]
    counters = [each for each in known if each.type == "counter"]
    if counters:
        return min(counters, key=lambda each: ("request" not in each.name, len(each.name)))
    timed = [each for each in known if each.type in ("histogram", "summary")]
    if not timed:
        return None
    best = min(timed, key=lambda each: ("request" not in each.name, len(each.name)))
    return Exposition(f"{best.name}_count", "counter", best.labels)


def find_duration(exposed: Mapping[str, Exposition]) -> Exposition | None:
    """How long requests take: a histogram rather than a summary, and one by endpoint rather than one of all."""
    timed = [
        each
        for each in exposed.values()
        if each.type in ("histogram", "summary") and HTTP.search(each.name) and DURATION.search(each.name)
    ]

    def rank(item: Exposition) -> tuple[bool, bool, bool, int]:
        return (
            item.type != "histogram",
            item.find_label(PATH_LABELS) is None,
            "request" not in item.name,
            len(item.name),
        )

    return min(timed, key=rank, default=None)


def list_packs(exposed: Mapping[str, Exposition]) -> Iterator[str]:
    """The packs all of whose metrics are there."""
    for name, pack in PACKS.items():
        if name != "http" and pack.METRICS and exposed.keys() >= pack.METRICS.keys():
            yield name


def _describe_metric(item: Exposition, role: str) -> dict[str, Any]:
    unit = _find_unit(item)
    made: dict[str, Any] = {"type": item.type, "role": role}
    if unit and item.type in ("histogram", "summary"):
        made["unit"] = unit
    if item.labels:
        made["labels"] = {label: [*values][:EXAMPLES] for label, values in item.labels.items()}
    if bounds := sorted(bound for bound in item.buckets if bound != float("inf")):
        made["buckets"] = bounds
    return made


def list_unplaced(exposed: Mapping[str, Exposition], service: Mapping[str, Any]) -> list[str]:
    """The metrics of the service's own that have no role in what was made of it."""
    placed = service.get("metrics", {}).keys() | {
        name for pack in service["packs"] for name in PACKS[pack].METRICS if pack != "http"
    }
    return [
        f"{item.name} ({item.type})"
        for item in exposed.values()
        if item.name not in placed and f"{item.name}_count" not in placed and not OF_LIBRARIES.match(item.name)
    ]


def list_unsure(service: Mapping[str, Any]) -> list[str]:
    """What could not be seen while all was well or nothing was asked for, and alerts depend on."""
    metrics = service.get("metrics", {})
    none = (
        "it exposes neither requests nor jobs; libraries show the first ones only: ask it for something, read it again"
    )
    failed = [
        f"{name}: no job has failed so far; add the value of {label} that says so, or no alert speaks of it"
        for name, metric in metrics.items()
        if metric["role"] == "jobs"
        for label in END_LABELS
        if label in metric.get("labels", {}) and not set(BAD).intersection(metric["labels"][label])
    ]
    return failed if {metric["role"] for metric in metrics.values()} & {"requests", "jobs"} else [none, *failed]


# -- command ---------------------------------------------------------------------------------------------------------


def read_source(source: str) -> str:
    """What is behind a URL, in a file, or on standard input (`-`).

    Raises:
        ConfigError: nothing is; the message says why.
    """
    if source == "-":
        return sys.stdin.read()
    try:
        if source.startswith(("http://", "https://")):
            request = urllib.request.Request(source, headers={"Accept": "text/plain;version=0.0.4"})  # noqa: S310
            with urllib.request.urlopen(request, timeout=SECONDS) as answer:  # noqa: S310 - http and https alone
                return str(answer.read().decode())
        return Path(source).read_text(encoding="utf-8")
    except (URLError, OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "reason", None) or error
        raise ConfigError(
            [Problem(source, f"cannot be read: {reason}; behind a login: curl ... | observability describe -")]
        ) from None


def find_port(url: str) -> int:
    """The port of a URL, or the usual one of its scheme."""
    parts = urlsplit(url)
    return parts.port or (443 if parts.scheme == "https" else 80)


def describe_address(source: str) -> dict[str, Any]:
    """The keys of a service that say where its metrics are; a port to be changed where that is not known."""
    if not source.startswith(("http://", "https://")):
        return {"port": 8080}
    parts = urlsplit(source)
    port = find_port(source)
    made: dict[str, Any] = {"port": port}
    if parts.hostname not in HERE:
        made["address"] = f"{parts.hostname}:{port}"
    if parts.path not in ("", "/metrics"):
        made["metricsPath"] = parts.path
    return made | ({"scrape": {"scheme": "https"}} if parts.scheme == "https" else {})


@dataclass(frozen=True)
class Described:
    """The keys of a service, and what is left for a person to say, as comments."""

    service: dict[str, Any]
    notes: str


def read_exposed(source: str) -> dict[str, Exposition]:
    """The metrics that a source exposes.

    Raises:
        ConfigError: there is nothing to be read, or it is no exposition.
    """
    try:
        exposed = read_exposition(read_source(source))
    except (ValueError, KeyError, IndexError) as error:
        raise ConfigError([Problem(source, f"is not what Prometheus scrapes: {error}")]) from None
    if not exposed:
        raise ConfigError([Problem(source, "exposes no metric")])
    return exposed


def describe_exposed(exposed: Mapping[str, Exposition]) -> Described:
    """The keys of a service that exposes these, without its address."""
    service = describe_service(exposed)
    lines = [*list_unsure(service)]
    if unplaced := sorted(list_unplaced(exposed, service)):
        lines += [
            "Not placed; give those that matter a role in metrics (docs/system.md):",
            *(f"- {x}" for x in unplaced),
        ]
    return Described(service, "".join(f"# {line}\n" for line in lines))


def describe_source(source: str, name: str) -> str:
    """The YAML of a service, as it stands in configs/systems/<system>.yaml.

    Raises:
        ConfigError: there is nothing to be read, or it is no exposition.
    """
    made = describe_exposed(read_exposed(source))
    return render_yaml({"services": {name: describe_address(source) | made.service}}) + made.notes


def run_command(args: argparse.Namespace) -> int:
    """Prints the YAML of what is behind the source in `args`. Returns its exit code."""
    print(describe_source(args.source, args.name), end="")
    return FINE
