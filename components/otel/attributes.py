"""What is left of the attributes of spans, metrics and log records, in the transformation language of OpenTelemetry.

What becomes a label of a series or of a stream has values that the system's file names, so that nobody makes new ones
by what is sent. Language: https://pkg.go.dev/github.com/open-telemetry/opentelemetry-collector-contrib/pkg/ottl
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping

from components.otel.bounds import build_record_statements
from components.otel.settings import NAME
from model.component import Planned, Planning
from model.levels import LEVELS
from model.naming import build_identity_labels
from model.stores import LogLimits

INSTANCES = ("k8s.pod.name", "host.name", "container.id")
"""What tells the instances of a service apart, the first that is there. An id that the SDK makes up at each start, as
service.instance.id mostly is, stands for an instance only where nothing else does."""
KEPT = ("service.name", "service.instance.id", "service.version", "telemetry.sdk.language")
"""Attributes of whoever sends metrics that are left, for target_info."""
NUMBERS = {"trace": (1, 4), "debug": (5, 8), "info": (9, 12), "warn": (13, 16), "error": (17, 20), "fatal": (21, 24)}
"""First and last number of each level: https://opentelemetry.io/docs/specs/otel/logs/data-model/#field-severitynumber"""
UNKNOWN = "unknown"
UNDECLARED = "undeclared"
"""The service of spans and records of a sender that the system's file does not name; its own name stays beside."""
NAME_LENGTH = 63
"""Characters of the name of a sender that is counted."""
_NAME, _INSTANCE = 'resource.attributes["service.name"]', 'resource.attributes["service.instance.id"]'
_VALUE = "datapoint.attributes"


def list_labels(context: Planning) -> tuple[str, ...]:
    """The attributes that are labels of series and streams: who it is, the level, and labels of the system's file."""
    own = {label for service in context.system.services.values() for label in service.labels}
    usual = (*build_identity_labels(context, UNDECLARED), "level")
    return (*usual, *sorted(own.difference(usual)))


def build_sender_condition(context: Planning) -> str:
    """True of what a service sends that says in the system's file that it sends its metrics."""
    return build_name_condition(key for key, service in context.system.services.items() if service.otlp)


def build_name_condition(names: Iterable[str]) -> str:
    """True of what has one of the names; of nothing where there is none."""
    return f"IsMatch({_NAME}, {build_pattern(names)})"


def build_other_condition(condition: str) -> str:
    """True of whatever has no name, or one that a condition on names is not true of."""
    return f"{_NAME} == nil or not {condition}"


def build_pattern(words: Iterable[str], flags: str = "") -> str:
    """A quoted regular expression that one of the words matches as a whole; without words nothing does."""
    return json.dumps(f"{flags}^({'|'.join(map(re.escape, words))})$")


def build_name_statements(context: Planning) -> list[str]:
    """One name for all senders that the system's file does not have."""
    others = build_other_condition(build_name_condition(context.system.services))
    return [f'set({_NAME}, "{UNDECLARED}") where {others}']


def build_identity_statements(context: Planning, others: Iterable[str] = ()) -> list[str]:
    """Who sent it, in the labels that scraped series and lines of containers have; `others` are labels too."""
    known = build_name_condition(context.system.services)
    shared = {name: value for name, value in build_identity_labels(context, "").items() if name != "service"}
    return [
        # what a sender itself calls so is none of the file's labels
        *(
            f"delete_key(resource.attributes, {json.dumps(name)})"
            for name in dict.fromkeys((*list_labels(context), *others))
        ),
        f'set(resource.attributes["service"], "{UNDECLARED}")',
        f'set(resource.attributes["service"], {_NAME}) where {known}',
        *_set_labels(shared),
        *(
            f"{statement} where {_NAME} == {json.dumps(key)}"
            for key, service in context.system.services.items()
            for statement in _set_labels(service.labels)
        ),
    ]


def _set_labels(labels: Mapping[str, str]) -> list[str]:
    return [f"set(resource.attributes[{json.dumps(name)}], {json.dumps(value)})" for name, value in labels.items()]


def build_metric_statements(context: Planning) -> list[str]:
    """One service and instance for each series; attributes of values that are called so too are called `exported_`.

    Prometheus does the same with what it scrapes:
    https://prometheus.io/docs/prometheus/latest/configuration/configuration/#scrape_config (honor_labels)
    """
    labels = [label for label in list_labels(context) if label != "level"]  # which lines alone have
    names = ", ".join(json.dumps(name) for name in (*KEPT, *labels))
    return [
        *(
            f'set({_INSTANCE}, resource.attributes["{name}"]) where resource.attributes["{name}"] != nil'
            for name in reversed(INSTANCES)  # the last one that is set stays
        ),
        *build_identity_statements(context),
        f"keep_keys(resource.attributes, [{names}])",
        *map(_rename_value, ("job", "instance")),
        *(f"{_rename_value(name)} where resource.attributes[{json.dumps(name)}] != nil" for name in labels),
    ]


def _rename_value(label: str) -> str:
    """Renames attributes that Prometheus would store as this label: what is no letter or digit is one underscore.

    Source: https://pkg.go.dev/github.com/prometheus/otlptranslator#LabelNamer
    """
    pattern = f"^{label.replace('_', '[^a-zA-Z0-9]+')}$"
    return f'replace_all_patterns({_VALUE}, "key", {json.dumps(pattern)}, "exported_{label}")'


def build_count_statements(context: Planning) -> list[str]:
    """What is counted of senders is a metric of the gateway's own, with their name as a label."""
    return [
        f'set({_VALUE}["sender"], {_NAME})',
        f"truncate_all({_VALUE}, {NAME_LENGTH})",
        f'set({_NAME}, "{NAME}")',
        *_set_labels(build_identity_labels(context, NAME)),
    ]


def build_log_statements(context: Planned, limits: LogLimits) -> list[str]:
    """Records that their store takes, with one of the levels that lines have, by number or else by word.

    Which attributes are labels of streams is the same for all who send to Loki, so those of its agent are none here.
    """
    number, text, level = "log.severity_number", "log.severity_text", 'log.attributes["level"]'
    ranges = [f'"{name}") where {number} >= {first} and {number} <= {last}' for name, (first, last) in NUMBERS.items()]
    words = [
        f'"{name}") where {number} == 0 and IsMatch({text}, {build_pattern(each, "(?i)")})'
        for name, each in LEVELS.items()
    ]
    return [
        f'set({text}, {level}) where {number} == 0 and {text} == "" and IsString({level})',
        *build_record_statements(limits),
        *build_identity_statements(context, context.telemetry.line_labels),
        f'set({level}, "{UNKNOWN}")',
        *(f"set({level}, {each}" for each in (*ranges, *words)),
    ]
