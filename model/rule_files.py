"""Rule files that people bring, in Prometheus' own format, as rules of the stack.

Format: https://prometheus.io/docs/prometheus/latest/configuration/recording_rules/#configuring-rules.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Annotated, Any, cast, get_args

from pydantic import Field, model_validator

from model.base import LabelName, MetricName, RuleTime, Strict
from model.checks.labels import OF_ALERTS
from model.errors import Inconsistent, Problem
from model.load import parse_model
from model.promql import Catalogue, check_query
from model.telemetry import AlertRule, RecordingRule, RuleGroup, Severity

SEVERITIES = get_args(Severity)
_TAKEN = OF_ALERTS.keys() - {"severity"}
_OF_ALERTS = ("for_", "keep_firing_for", "annotations")
LONGEST_NAME = 100
"""A group's name is that of a file and of an object; a digit more tells two of one name apart."""


class RuleEntry(Strict):
    """A rule: an alert, or a series that is recorded."""

    record: MetricName | None = None
    """Name of the recorded series."""
    alert: Annotated[str | None, Field(min_length=1)] = None
    """Name of the alert."""
    expr: str
    """PromQL."""
    for_: Annotated[RuleTime | None, Field(alias="for")] = None
    """How long an alert's expression must be true."""
    keep_firing_for: Annotated[RuleTime | None, Field(alias="keep_firing_for")] = None
    """How long it fires on after that."""
    labels: Mapping[LabelName, str] = Field(default_factory=dict)
    """Labels that it adds; an alert has `severity` among them."""
    annotations: Mapping[LabelName, str] = Field(default_factory=dict)
    """What an alert says."""

    @model_validator(mode="after")
    def _check_kind(self) -> RuleEntry:
        problems = []
        if (self.record is None) == (self.alert is None):
            problems.append(Problem("", "give either alert or record"))
        elif self.record:
            listed = {name.rstrip("_") for name in _OF_ALERTS if getattr(self, name)}
            problems += [Problem(name, "belongs to alerts only; leave it out") for name in sorted(listed)]
        problems += [Problem("expr", text) for text in check_query(self.expr, Catalogue(complete=False))]
        if problems:
            raise Inconsistent(problems)
        return self


class GroupEntry(Strict):
    """Rules that are evaluated together."""

    name: Annotated[str, Field(min_length=1)]
    """Its name, once in a file."""
    interval: RuleTime | None = None
    """How often they are evaluated; the stack's own interval when absent."""
    limit: Annotated[int, Field(ge=0)] = 0
    """The most alerts or series of a rule; 0 is no limit."""
    query_offset: Annotated[RuleTime | None, Field(alias="query_offset")] = None
    """How far in the past they look."""
    labels: Mapping[LabelName, str] = Field(default_factory=dict)
    """Labels of each of its rules that has them not itself."""
    rules: Annotated[tuple[RuleEntry, ...], Field(min_length=1)]
    """Its rules."""

    @model_validator(mode="after")
    def _check_alerts(self) -> GroupEntry:
        """Labels that an alert must have, or cannot have; those of the group count."""
        problems = [problem for number in range(len(self.rules)) for problem in self._list_label_problems(number)]
        if problems:
            raise Inconsistent(problems)
        return self

    def _list_label_problems(self, number: int) -> Iterator[Problem]:
        rule = self.rules[number]
        labels, where = {**self.labels, **rule.labels}, f"rules[{number}].labels"
        if rule.alert is None:
            return
        severity = labels.get("severity")
        if severity not in SEVERITIES:
            said = f"{severity!r} is not known" if severity is not None else "is required"
            message = f"{said}, as it says who is notified: critical, warning, or info, which is only shown"
            yield Problem(f"{where}.severity", f"{message} (alert {rule.alert})")
        for label in sorted(_TAKEN & labels.keys()):
            yield Problem(f"{where}.{label}", f"the label is taken, it {OF_ALERTS[label]}; use another name")


class RuleFile(Strict):
    """A rule file."""

    groups: Annotated[tuple[GroupEntry, ...], Field(min_length=1)]
    """Its groups."""

    @model_validator(mode="after")
    def _check_names(self) -> RuleFile:
        names = [group.name for group in self.groups]
        problems = [
            Problem(f"groups[{number}].name", f"{name!r} is already used by groups[{names.index(name)}]")
            for number, name in enumerate(names)
            if names.index(name) < number
        ]
        problems += _list_repeated_alerts(self.groups)
        if problems:
            raise Inconsistent(problems)
        return self


def _list_repeated_alerts(groups: tuple[GroupEntry, ...]) -> Iterator[Problem]:
    """Alerts that nothing distinguishes; one that is a warning and then critical is two."""
    seen: dict[tuple[str, str | None], str] = {}
    for g, group in enumerate(groups):
        for r, rule in enumerate(group.rules):
            if rule.alert is None:
                continue
            where = f"groups[{g}].rules[{r}].alert"
            key = (rule.alert, {**group.labels, **rule.labels}.get("severity"))
            if key in seen:
                yield Problem(where, f"{rule.alert!r} of this severity is already defined by {seen[key]}; rename one")
            seen.setdefault(key, where)


def parse_rule_file(data: Any, file: str, *, system: str, environment: str) -> tuple[RuleGroup, ...]:
    """The groups of a rule file as the stack's own.

    Args:
        data: what the YAML document holds.
        file: its path, the first part of every problem's place.
        system: the name that groups begin with, and a label of alerts, so that they are routed as others are.
        environment: another such label; what a rule says itself comes first.

    Raises:
        ConfigError: everything that Prometheus would refuse, and alerts that nobody would be notified of.
    """
    parsed, made, names = parse_model(RuleFile, data, file), list[RuleGroup](), set[str]()
    identity = {"system": system, "environment": environment}
    for group in parsed.groups:
        name = _choose_name(f"{system}-{PurePosixPath(file).stem}-{group.name}", names)
        names.add(name)
        rules = [(rule, {**group.labels, **rule.labels}) for rule in group.rules]
        made.append(
            RuleGroup(
                name=name,
                recordings=tuple(_build_recording(rule, labels) for rule, labels in rules if rule.record),
                alerts=tuple(_build_alert(rule, {**identity, **labels}) for rule, labels in rules if rule.alert),
                interval=group.interval,
                limit=group.limit,
                query_offset=group.query_offset or "",
                file=file,
            )
        )
    return tuple(made)


def _choose_name(text: str, taken: set[str]) -> str:
    """A text as the name of a group, which is also that of a file and of an object of a cluster."""
    name = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:LONGEST_NAME].rstrip("-")
    number, chosen = 1, name
    while chosen in taken:
        number += 1
        chosen = f"{name}-{number}"
    return chosen


def _build_recording(rule: RuleEntry, labels: Mapping[str, str]) -> RecordingRule:
    return RecordingRule(record=str(rule.record), expr=rule.expr.strip(), labels=labels)


def _build_alert(rule: RuleEntry, labels: Mapping[str, str]) -> AlertRule:
    """The alert; what it says of itself stays, and what notifications show is never empty."""
    said = dict(rule.annotations)
    summary = said.pop("summary", "") or said.get("message", "") or str(rule.alert)
    return AlertRule(
        name=str(rule.alert),
        expr=rule.expr.strip(),
        severity=cast(Severity, labels["severity"]),
        summary=summary,
        description=said.pop("description", "") or summary,
        for_=rule.for_ or "0s",
        keep_firing_for=rule.keep_firing_for or "",
        labels={key: value for key, value in labels.items() if key != "severity"},
        annotations=said,
    )
