"""Routes of alerts as settings: which alerts go to which receiver, in groups, at intervals and at times.

What the fields mean: https://prometheus.io/docs/alerting/latest/configuration/#route.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from model.base import GROUP_LABEL, LABEL_VALUE, MATCHER, Duration, LabelName, Name, Strict
from model.errors import Inconsistent, Problem, suggest_name

LabelValue = Annotated[str, Field(pattern=LABEL_VALUE, examples=["payments"])]
MatcherText = Annotated[str, Field(pattern=MATCHER, examples=['team=~"shop|payments"'])]
GroupLabel = Annotated[str, Field(pattern=GROUP_LABEL, examples=["alertname", "..."])]
INFO = "info"
_MATCHER = re.compile(MATCHER)


@dataclass(frozen=True)
class Matcher:
    """A condition on a label of an alert; a label that it does not have is empty.

    Expressions must match the whole value, as Go's regular expressions do; those that we take mean the same in Python.
    """

    name: str
    operator: str
    value: str

    @classmethod
    def parse(cls, text: str) -> Matcher:
        """A matcher such as `team=~"shop|payments"`.

        Raises:
            ValueError: it is none.
        """
        match = _MATCHER.fullmatch(text)
        if not match:
            raise ValueError(f"{text!r} is no matcher")
        return cls(*match.groups())

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether an alert with these labels fulfils it."""
        value = labels.get(self.name, "")
        equal = bool(re.fullmatch(self.value, value)) if "~" in self.operator else value == self.value
        return equal is not self.operator.startswith("!")

    def __str__(self) -> str:
        return f'{self.name}{self.operator}"{self.value}"'


class Matching(Strict):
    """Which alerts are meant: all that is said must hold."""

    severity: Literal["critical", "warning", "info"] | None = None
    """Severity label of the alerts; any when absent."""
    labels: Mapping[LabelName, LabelValue] = Field(default_factory=dict)
    """Labels that the alerts carry, such as team or service; whatever they are when absent."""
    matchers: tuple[MatcherText, ...] = ()
    """Further conditions as Alertmanager writes them: service!="api", team=~"shop|payments"."""

    @model_validator(mode="after")
    def _check_matchers(self) -> Matching:
        problems = []
        if self.severity is None and not self.labels and not self.matchers:
            message = "give severity, labels or matchers; what no route claims goes to the first receiver anyway"
            problems.append(Problem("", message))
        if self.severity is not None and "severity" in self.labels:
            problems.append(Problem("labels.severity", "say it once, as severity"))
        problems += [
            Problem(f"matchers[{n}]", message)
            for n, text in enumerate(self.matchers)
            if (message := _describe_fault(text))
        ]
        if problems:
            raise Inconsistent(problems)
        return self

    @cached_property
    def conditions(self) -> tuple[Matcher, ...]:
        """All of it as matchers."""
        plain = {**({"severity": self.severity} if self.severity else {}), **self.labels}
        return (*(Matcher(name, "=", value) for name, value in plain.items()), *map(Matcher.parse, self.matchers))

    def claims_all_of(self, other: Matching) -> bool:
        """Whether every alert that `other` claims is surely claimed by this one too."""
        return set(self.conditions) <= set(other.conditions)


def _describe_fault(text: str) -> str:
    matcher = Matcher.parse(text)
    if "~" not in matcher.operator:
        return ""
    try:
        re.compile(matcher.value)
    except re.error as error:
        return f"{matcher.value!r} is no regular expression: {error}"
    if re.search(r"\(\?[^:i]", matcher.value):
        return f"{matcher.value!r}: only (?: and (?i) are known to Go's regular expressions (RE2), no look-around"
    return ""


class Route(Matching):
    """Alerts that go to one receiver, and how they are grouped, repeated and kept back."""

    RENAMED: ClassVar[Mapping[str, str]] = {"andOn": "continue"}
    """Keys that it once had, and what they are called now."""

    receiver: Name | None = None
    """Receiver that gets them; that of the route above when absent, at the top the first one."""
    continue_: Annotated[bool, Field(alias="continue")] = False
    """Whether later routes are tried as well, instead of ending with this one."""
    group_by: tuple[GroupLabel, ...] | None = None
    """Labels whose equal values put alerts into one notification, "..." for each alert alone; as above when absent."""
    group_wait: Duration | None = None
    """How long the first notification of a group waits for others of it; as above when absent."""
    group_interval: Duration | None = None
    """How often a changed group is sent; as above when absent."""
    repeat_interval: Duration | None = None
    """How often a still-firing group is sent again; as above when absent."""
    active_time_intervals: tuple[Name, ...] = ()
    """Names of `timeIntervals` in which notifications are sent; always when absent."""
    mute_time_intervals: tuple[Name, ...] = ()
    """Names of `timeIntervals` in which none is sent; what fires still when they end is sent then."""
    routes: tuple[Route, ...] = ()
    """Routes for some of its alerts, tried in their order; alerts that none of them claims stay with this one."""

    @model_validator(mode="after")
    def _check_grouping(self) -> Route:
        if problem := check_grouping(self.group_by or ()):
            raise Inconsistent([problem])
        return self

    @property
    def names_information(self) -> bool:
        """Whether it says itself that it claims alerts that are only information."""
        own = [item for item in self.conditions if item.name == "severity"]
        return bool(own) and all(item.matches({"severity": INFO}) for item in own)

    @property
    def excludes_information(self) -> bool:
        """Whether it claims no alert that is only information."""
        return any(item.name == "severity" and not item.matches({"severity": INFO}) for item in self.conditions)


def check_grouping(labels: Sequence[str]) -> Problem | None:
    """What is wrong with a list of labels to group by."""
    if "..." in labels and len(labels) > 1:
        return Problem("groupBy", '"..." is every label, so no other one can stand beside it')
    if len(set(labels)) < len(labels):
        return Problem("groupBy", f"names {next(n for n in labels if labels.count(n) > 1)!r} twice")
    return None


def walk_routes(routes: Sequence[Route], where: str = "routes") -> Iterator[tuple[str, Route]]:
    """Every route and those below it, each with its path: `routes[0].routes[1]`."""
    for number, route in enumerate(routes):
        path = f"{where}[{number}]"
        yield path, route
        yield from walk_routes(route.routes, f"{path}.routes")


def check_routes(receivers: Sequence[str], routes: Sequence[Route]) -> list[Problem]:
    """Receivers that are unknown, or that nothing leads to, and routes that are never reached.

    Args:
        receivers: the names of the declared ones; the first gets what no route claims.
        routes: the top routes.
    """
    unknown = [
        Problem(
            f"{path}.receiver",
            f"names the unknown receiver {route.receiver!r}; {suggest_name(route.receiver, receivers)}",
        )
        for path, route in walk_routes(routes)
        if route.receiver is not None and route.receiver not in receivers
    ]
    if unknown:
        return unknown
    named = {route.receiver for _, route in walk_routes(routes)}
    unused = [
        Problem(f"receivers[{number}]", f"{name!r} would get nothing: no route names it; add one, or leave it out")
        for number, name in enumerate(receivers)
        if number and name not in named
    ]
    return [*unused, *_check_hidden(routes, "routes")]


def _check_hidden(routes: Sequence[Route], where: str) -> Iterator[Problem]:
    """Routes behind one that takes the same alerts and ends with them."""
    for number, route in enumerate(routes):
        before = (n for n, other in enumerate(routes[:number]) if not other.continue_ and other.claims_all_of(route))
        if (taken := next(before, None)) is not None:
            message = (
                f"is never reached: {where}[{taken}] takes all its alerts; give that `continue: true`, or move this"
                " before it"
            )
            yield Problem(f"{where}[{number}]", message)
        yield from _check_hidden(route.routes, f"{where}[{number}].routes")
