"""What a system says of its log lines: those of its services' containers, and the log files of its host."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import takewhile
from typing import Annotated, ClassVar

from pydantic import Field, model_validator
from pydantic.alias_generators import to_camel

from model.base import ComposeService, ContainerName, DnsLabel, Files, LabelName, Name, ServiceKey, Strict
from model.errors import Inconsistent, Problem
from model.expressions import Expression
from model.lines import LineFormat, LineTime, LogField, Multiline, check_fields
from model.scope import OnlyOn

CONTAINERS = "containerlogs"
"""Value of the label job of all lines that containers write."""
WILDCARD = re.compile(r"[*?\[{]")
"""What makes a part of a path a pattern: https://github.com/bmatcuk/doublestar#patterns."""
HIGH_CARDINALITY = frozenset(
    {"request_id", "trace_id", "span_id", "user_id", "session_id", "project_id", "correlation_id", "email", "ip"}
    | {"ts", "time", "timestamp", "msg", "message", "duration_ms"}
)
"""Values that differ from line to line: as index labels they would create a Loki stream each."""
IDENTITY = frozenset(
    {"service", "container", "job", "stack", "system", "environment", "namespace", "pod", "app", "filename"}
)
"""Labels that say where a line comes from: no field of the line may take their place."""


def _check_few_values(where: str, labels: tuple[str, ...]) -> list[Problem]:
    """Labels that would have too many values, in whatever case they are written: requestId is request_id."""
    if bad := sorted(name for name in labels if _fold_name(name) in _FOLDED):
        message = f"{', '.join(bad)} has too many distinct values for an index label; list it in fields instead"
        return [Problem(where, message)]
    return []


def _fold_name(name: str) -> str:
    return name.replace("_", "").lower()


_FOLDED = frozenset(map(_fold_name, HIGH_CARDINALITY))


USUAL_TIME = LineTime()
SOURCES = ("container", "compose", "selector", "file")
"""Keys that say where a service's lines come from; each line has one service, so one of them is enough."""
JOURNAL = (
    "the systemd journal cannot be read, as Promtail is built without cgo; let rsyslog write it to a file and say"
    " hostLogs: [{ path: /var/log/syslog, job: syslog, format: text }] (docs/operations.md, Log lines)"
)
"""What to do where Promtail's own configuration has a key for the journal."""
JOURNAL_KEYS: Mapping[str, str] = {"journal": JOURNAL, "journald": JOURNAL}


class LogPods(Strict):
    """The pods whose lines are a service's."""

    namespace: DnsLabel
    """Namespace they run in."""
    labels: Annotated[Mapping[str, str], Field(min_length=1)]
    """Labels that they carry."""


class Logs(Strict):
    """What a service writes to its log."""

    REFUSED: ClassVar[Mapping[str, str]] = JOURNAL_KEYS

    format: LineFormat = "json"
    """Line format; JSON and logfmt lines have their fields parsed. The level of any line is found by itself."""
    expression: Expression | None = None
    """For format text: an expression (RE2) whose named groups are the line's fields, as (?P<status>[0-9]+) is one."""
    fields: tuple[LogField, ...] = ("level", "ts", "msg")
    """Fields of a line; beside level, time and message they are stored so that people search by them. Of text they are
    groups of expression, and all of them when absent."""
    labels: tuple[LabelName, ...] = ("level",)
    """Fields that become index labels; only fields with few distinct values are allowed."""
    level_field: LogField | None = None
    """The field that holds the level, where it is called otherwise than level, severity, lvl or log.level."""
    container: Annotated[ContainerName | None, OnlyOn("docker")] = None
    """Its container or compose service, where that is called neither like the service nor like its address."""
    compose: Annotated[ComposeService | None, OnlyOn("docker")] = None
    """Its compose service, where that is called otherwise, or `project/service` where other projects have one too."""
    selector: Annotated[LogPods | None, OnlyOn("kubernetes")] = None
    """Its pods, where lines come from others than those that are scraped."""
    file: Name | None = None
    """The `job` of an entry of `hostLogs`, where it writes files: their lines are read as its own."""
    multiline: Multiline | None = None
    """Which lines are one entry, where traces of many lines are written; each line is one when absent."""
    samples: tuple[Mapping[str, str | int | float], ...] = ()
    """Lines that the demo writes now and then, beside those about requests."""

    @model_validator(mode="after")
    def _check_format(self) -> Logs:
        problems = _check_few_values("labels", self.labels)
        if len(sources := [name for name in SOURCES if getattr(self, name) is not None]) > 1:
            problems.append(
                Problem("", f"{' and '.join(sources)}: say once where its lines come from; leave the rest out")
            )
        if taken := sorted(IDENTITY.intersection(self.labels)):
            message = f"{', '.join(taken)}: such a label says where a line comes from; no field may take its place"
            problems.append(Problem("labels", message))
        given = {"fields": self.fields, "labels": self.labels, "level_field": (self.level_field or "",)}
        named = {
            to_camel(name): [each for each in fields if each != "level" or not self.expression]
            for name, fields in given.items()
            if name in self.model_fields_set
        }
        problems += check_fields(self.format, self.expression, named)
        if problems:
            raise Inconsistent(problems)
        return self


USUAL_LOGS = Logs()
"""What is known of the lines of a service that says nothing: one for all of them, as there may be thousands."""


class HostLog(Strict):
    """Log files on the host."""

    REFUSED: ClassVar[Mapping[str, str]] = JOURNAL_KEYS

    path: Files
    """Glob of absolute paths."""
    exclude: tuple[Files, ...] = ()
    """Globs of files that path would mean and that are left out, such as compressed ones."""
    job: Name
    """Value of the job label."""
    format: LineFormat = "json"
    """Line format; JSON and logfmt lines have their fields parsed. Each line is searched for its level."""
    time: LineTime = USUAL_TIME
    """Where its lines say when they were written."""
    expression: Expression | None = None
    """For format text: an expression (RE2) whose named groups are the line's fields, as (?P<status>[0-9]+) is one."""
    fields: tuple[LogField, ...] = ()
    """More fields by which people search; of text they are groups of expression, and all of them when absent."""
    multiline: Multiline | None = None
    """Which lines are one entry, where traces of many lines are written; each line is one when absent."""
    labels: Mapping[LabelName, str] = Field(default_factory=dict)
    """Constant labels."""
    label_fields: tuple[LabelName, ...] = ("level",)
    """Fields of its JSON lines that become index labels; only fields with few distinct values are allowed."""
    written_by: tuple[ServiceKey, ...] = ()
    """The services that write it; their stand-ins do so in a demo."""

    group: Annotated[int, Field(ge=0, le=4_294_967_294, examples=[4])] | None = None
    """Number of the host's group that may read them, such as 4 for adm on Debian: `getent group adm` shows it."""

    @model_validator(mode="after")
    def _check_path(self) -> HostLog:
        problems = _check_few_values("labelFields", self.label_fields)
        labels = [name for name in self.label_fields if name != "level"]
        problems += check_fields(self.format, self.expression, {"labelFields": labels, "fields": self.fields})
        if self.time.field and self.format == "text":
            problems += check_fields(self.format, self.expression, {"time.field": [self.time.field]})
        if re.search(r"/journal(/|$)|\.journal$", self.path):
            problems.append(Problem("path", f"{self.path!r}: {JOURNAL}"))
        if derive_folder(self.path) == "/":
            message = f"{self.path!r}: name the first folder, or the whole disk of the host would be mounted"
            problems.append(Problem("path", message))
        if problems:
            raise Inconsistent(problems)
        return self


def derive_folder(path: str) -> str:
    """The folder above all files that a pattern can mean: `/srv/apps` for `/srv/apps/*/logs/*.log`."""
    named = takewhile(lambda part: not WILDCARD.search(part), path.split("/")[:-1])
    return "/".join(named) or "/"
