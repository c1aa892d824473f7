"""Alerts and recording rules of two renderings side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cli.changes.values import (
    CHANGED,
    GONE,
    NEW,
    RULES,
    Change,
    Detail,
    Documents,
    compare_values,
    list_changed,
    parse_document,
    parse_documents,
)

FOLDER = "prometheus/rules/"
_TEXTS = "annotations"


@dataclass(frozen=True)
class Rule:
    """A rule of a group. Source: https://prometheus.io/docs/prometheus/latest/configuration/alerting_rules/."""

    group: str
    body: Mapping[str, Any]

    @property
    def name(self) -> str:
        """What it is called, as an alert or as the series that it records."""
        return str(self.body.get("alert") or self.body.get("record"))

    @property
    def is_alert(self) -> bool:
        """Whether it notifies, in place of recording a series."""
        return "alert" in self.body

    @property
    def condition(self) -> Mapping[str, Any]:
        """What decides on it: all but its texts for people."""
        return {key: value for key, value in self.body.items() if key != _TEXTS}


@dataclass(frozen=True)
class Pair:
    """A rule before and after; one of them is None where it is new or gone."""

    before: Rule | None
    after: Rule | None

    @property
    def shown(self) -> Rule:
        """The rule as it is now, or as it was."""
        return self.after or self.before or Rule("", {})

    @property
    def only_texts(self) -> bool:
        """Whether only what people read is another."""
        return bool(self.before and self.after) and self._get(self.before) == self._get(self.after)

    @staticmethod
    def _get(rule: Rule | None) -> Mapping[str, Any]:
        return rule.condition if rule else {}


def pair_rules(before: Documents, after: Documents) -> list[Pair]:
    """The rules that differ, alerts first; equal names of a group are paired by what they have in common."""
    old, new = _group_rules(before, after), _group_rules(after, before)
    pairs = [pair for key in old.keys() | new.keys() for pair in _pair_namesakes(old.get(key, []), new.get(key, []))]
    return sorted(pairs, key=lambda pair: (not pair.shown.is_alert, pair.only_texts, pair.shown.name, pair.shown.group))


def _group_rules(documents: Documents, other: Documents) -> dict[tuple[str, str], list[Rule]]:
    """Rules by group and name, of those documents that are not in `other` as they are."""
    made: dict[tuple[str, str], list[Rule]] = {}
    for path in list_changed(documents, other):
        for rule in _list_rules(path, documents.get(path, "")):
            made.setdefault((rule.group, rule.name), []).append(rule)
    return made


def _list_rules(path: str, text: str) -> Iterator[Rule]:
    groups: list[Any] = []
    if path.startswith(FOLDER):
        groups = (parse_document(text) or {}).get("groups") or []
    elif path.startswith("kubernetes/") and "kind: PrometheusRule" in text:
        rules = [item for item in parse_documents(text) if item.get("kind") == "PrometheusRule"]
        groups = [group for item in rules for group in item["spec"].get("groups") or []]
    for group in groups:
        yield from (Rule(str(group["name"]), body) for body in group.get("rules") or [])


def _pair_namesakes(before: Sequence[Rule], after: Sequence[Rule]) -> Iterator[Pair]:
    """Rules of one name: equal ones are no change, then those of one expression, of one severity, and the rest."""
    old = [rule for rule in before if rule not in after]
    new = [rule for rule in after if rule not in before]
    looks: tuple[Callable[[Rule], object], ...] = (
        lambda rule: rule.body.get("expr"),
        lambda rule: rule.body.get("labels"),
        lambda rule: rule.name,
    )
    for look in looks:
        for rule in [*old]:
            if (like := next((item for item in new if look(item) == look(rule)), None)) is not None:
                old.remove(rule)
                new.remove(like)
                yield Pair(rule, like)
    yield from (Pair(rule, None) for rule in old)
    yield from (Pair(None, rule) for rule in new)


def describe_pairs(pairs: Sequence[Pair], notes: Mapping[int, str] | None = None) -> list[Change]:
    """Each pair as a change; `notes` are sentences by the pair's place. Those with other texts alone are one change."""
    worth = [(place, pair) for place, pair in enumerate(pairs) if not pair.only_texts]
    texts = sorted({pair.shown.name for pair in pairs if pair.only_texts})
    made = [_describe_pair(pair, (notes or {}).get(place, "")) for place, pair in worth]
    if texts:
        made.append(Change(RULES, "change in their texts only", ", ".join(texts)))
    return made


def _describe_pair(pair: Pair, note: str) -> Change:
    rule = pair.shown
    subject = f"{rule.name} ({rule.group})"
    if pair.before and pair.after:
        details = compare_values(dict(pair.before.condition), dict(pair.after.condition))
        return Change(RULES, CHANGED, subject, tuple(_order_details(details)), note)
    verb = NEW if pair.after else GONE
    values = {key: value for key, value in rule.condition.items() if key not in ("alert", "record")}
    details = compare_values(*(({}, values) if pair.after else (values, {})))
    return Change(RULES, verb, subject, tuple(_order_details(details)), note)


def _order_details(details: Iterator[Detail]) -> list[Detail]:
    first = {"expr": 0, "for": 1, "labels.severity": 2}
    return sorted(details, key=lambda item: first.get(item.name, len(first)))
