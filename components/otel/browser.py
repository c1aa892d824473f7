"""What browsers send: cut down to what the pack `web` needs, and made into metrics with labels of fixed values.

Anybody can send it, so nothing of it is believed: names of services are those of the file, times are near now, texts
are short, and no attribute becomes a label as it is. Records are as Faro's OTLP transport writes them:
https://github.com/grafana/faro-web-sdk/tree/main/experimental/transport-otlp-http
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from components.otel.attributes import build_name_condition, build_other_condition, build_pattern
from components.otel.settings import BROWSER_PORT, Browser
from model.base import parse_size
from model.component import Planning
from packs.web import LAYOUT, PHASES, RESULTS, SECONDS, VITALS

PACK = "web"
KEPT = ("service.name", "service.version", "browser.name", "browser.version")
"""Attributes of the page and its browser that are left."""
RECORD = (
    *("exception.type", "exception.message", "measurement.type", "measurement.name", "measurement.value"),
    *("event.name", "view.name", "url.full", "session.id", "stacktrace", "context"),
)
"""Attributes of a record that are left."""
REPEATED = "repeated"
"""How many errors one record stands for, where a page did not send each."""
MOST_REPEATED = 100
"""Errors that a record is believed to stand for at most: a loop in a page is seen, and no record adds a million."""
CONTEXTS = ("faro.error.context", "faro.measurement.context", "faro.log.context", "event.attributes")
"""Where a record has what its page says of it; one text is made of it."""
SPAN = (
    *("http.request.method", "http.response.status_code", "http.method", "http.status_code", "url.full", "http.url"),
    *("server.address", "http.route", "error.type"),
)
"""Attributes of a span that are left."""
MOST_MILLISECONDS = 600_000.0
"""Ten minutes: longer than anybody waits for a page, so it is made up, and it would spoil the sum of a histogram."""
SHORT, LONG = 128, 4096
"""Characters of a text about the browser, and of one about what happened."""
_LOG = "log.attributes"


def list_pages(context: Planning) -> tuple[str, ...]:
    """The services whose pages may send: those with the pack."""
    return tuple(key for key, service in context.system.services.items() if PACK in service.packs)


def build_receiver(own: Browser) -> dict[str, Any]:
    """The way in for browsers; what a page may read of answers says the entry point, which gives some itself.

    Source: https://pkg.go.dev/go.opentelemetry.io/collector/config/confighttp#ServerConfig
    """
    http = {"endpoint": f"0.0.0.0:{BROWSER_PORT}", "max_request_body_size": parse_size(own.body_bytes)}
    return {"protocols": {"http": http}}


def build_filter(context: Planning) -> dict[str, Any]:
    """Nothing is taken that no page of the system sends."""
    others = build_other_condition(build_name_condition(list_pages(context)))
    return {"log_conditions": [others], "trace_conditions": [others]}


def build_record_statements() -> list[str]:
    """Records with a text, a level and a time of now; what remains of their attributes is short."""
    kind, name, value = (f'{_LOG}["measurement.{part}"]' for part in ("type", "name", "value"))
    error, message = f'{_LOG}["exception.type"]', f'{_LOG}["exception.message"]'
    late = 'log.time < Now() - Duration("1h") or log.time > Now() + Duration("1m")'
    return [
        *_keep("resource.attributes", KEPT, SHORT),
        f"set(log.severity_number, 17) where {error} != nil",
        f'set(log.body, Concat([{error}, {message}], ": ")) where log.body == nil and {error} != nil',
        f'set(log.body, Concat([{name}, String({value})], " ")) where log.body == nil and {name} != nil',
        f"set(log.time, Now()) where {late}",
        *(f'set({_LOG}["context"], String({_LOG}["{each}"])) where {_LOG}["{each}"] != nil' for each in CONTEXTS),
        f'set({_LOG}["stacktrace"], String({_LOG}["faro.error.stacktrace"]))'
        f' where {_LOG}["faro.error.stacktrace"] != nil',
        f'replace_pattern({_LOG}["url.full"], "[?#].*", "")',
        *_build_label_statements(kind, name, error),
        *_build_repeated_statements(error),
        *_keep(_LOG, (*RECORD, REPEATED, *LABELS), LONG),
    ]


LABELS = ("phase", "vital", "result", "kind")
"""Attributes of records that become labels, each with values of its own."""


def _build_label_statements(kind: str, name: str, error: str) -> Iterable[str]:
    """Labels are set here alone: what a browser sends under their names is gone first."""
    context = f'{_LOG}["faro.measurement.context"]'
    yield from (f'delete_key({_LOG}, "{label}")' for label in LABELS)
    yield f'set({_LOG}["phase"], {name}) where {kind} == "page-load" and IsMatch({name}, {build_pattern(PHASES)})'
    yield f'set({_LOG}["vital"], {name}) where {kind} == "web-vitals" and IsMatch({name}, {build_pattern(VITALS)})'
    ended = f'{context}["status_class"]'
    asked = (
        f'{kind} == "request" and IsMap({context}) and {ended} != nil and IsMatch({ended}, {build_pattern(RESULTS)})'
    )
    yield f'set({_LOG}["result"], {ended}) where {asked}'
    yield f'set({_LOG}["kind"], "error") where {error} != nil'
    yield f'set({_LOG}["kind"], "timeout") where {error} == "TimeoutError"'


def _build_repeated_statements(error: str) -> Iterable[str]:
    """A whole number from 1 to the most, of an error whose context has one."""
    own, context = f'{_LOG}["{REPEATED}"]', f'{_LOG}["faro.error.context"]'
    number = f'{context}["{REPEATED}"]'
    counted = f"{error} != nil and IsMap({context}) and {number} != nil"
    yield f'delete_key({_LOG}, "{REPEATED}")'
    yield f'set({own}, Int({number})) where {counted} and IsMatch({number}, "^[1-9][0-9]{{0,8}}$")'
    yield f"set({own}, {MOST_REPEATED}) where {own} != nil and {own} > {MOST_REPEATED}"


def build_span_statements() -> list[str]:
    """Spans with a short name and few attributes."""
    return [
        *_keep("resource.attributes", KEPT, SHORT),
        *_keep("span.attributes", SPAN, SHORT),
        *(f'replace_pattern(span.attributes["{name}"], "[?#].*", "")' for name in ("url.full", "http.url")),
        f"set(span.name, Substring(span.name, 0, {SHORT})) where Len(span.name) > {SHORT}",
    ]


def _keep(attributes: str, names: Sequence[str], length: int) -> list[str]:
    listed = ", ".join(f'"{name}"' for name in names)
    return [f"keep_keys({attributes}, [{listed}])", f"truncate_all({attributes}, {length})"]


def build_metrics() -> list[dict[str, Any]]:
    """The metrics of the pack, of records that have its labels.

    Format: https://pkg.go.dev/github.com/open-telemetry/opentelemetry-collector-contrib/connector/signaltometricsconnector
    """
    vitals = f'{_LOG}["measurement.type"] == "web-vitals" and {_LOG}["measurement.name"] == "cls"'
    times = {"browser.page.load": "phase", "browser.web.vital": "vital"}
    return [
        _count("browser.exceptions", "kind", f'Coalesce([{_LOG}["{REPEATED}"], 1])'),
        _count("browser.requests", "result", "1"),
        *(_measure(name, [_is_there(label)], SECONDS, unit="s", label=label) for name, label in times.items()),
        _measure("browser.layout.shift", [vitals], LAYOUT, unit="", label=""),
    ]


_SERVICE = {"include_resource_attributes": [{"key": "service.name"}]}
_VALUE = f'Double({_LOG}["measurement.value"])'
_BELIEVED = f"{_VALUE} >= 0.0 and {_VALUE} < {MOST_MILLISECONDS}"


def _is_there(label: str) -> str:
    return f'{_LOG}["{label}"] != nil'


def _count(name: str, label: str, value: str) -> dict[str, Any]:
    counted = {"conditions": [_is_there(label)], "sum": {"value": value, "monotonic": True}}
    return {"name": name, **_SERVICE, "attributes": [{"key": label}], **counted}


def _measure(name: str, conditions: list[str], buckets: Sequence[float], *, unit: str, label: str) -> dict[str, Any]:
    """A histogram; what has a unit is sent in milliseconds. Of several conditions one must hold, so they are one."""
    histogram = {"buckets": list(buckets), "count": "1", "value": f"{_VALUE} / 1000.0" if unit else _VALUE}
    labelled = {"attributes": [{"key": label}]} if label else {}
    condition = " and ".join([*conditions, _BELIEVED])
    return {"name": name, "unit": unit, **_SERVICE, **labelled, "conditions": [condition], "histogram": histogram}
