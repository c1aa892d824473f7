"""Relabelling as Prometheus and Promtail do it.

Source: https://prometheus.io/docs/prometheus/latest/configuration/configuration/#relabel_config
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

REFERENCE = re.compile(r"\$(?:(\$)|(\d)|\{(\d)\})")


def relabel(rules: Iterable[Mapping[str, Any]], before: Mapping[str, str]) -> dict[str, str] | None:
    """All labels of a target after the rules, those that begin with two underscores too; None where it is dropped."""
    labels = dict(before)
    for rule in rules:
        text = rule.get("separator", ";").join(labels.get(name, "") for name in rule.get("source_labels", ()))
        match = re.fullmatch(rule.get("regex", "(.*)"), text)
        action = rule.get("action", "replace")
        if (action == "keep" and not match) or (action == "drop" and match):
            return None
        if action == "labeldrop":
            labels = {name: value for name, value in labels.items() if not re.fullmatch(rule["regex"], name)}
        if action == "replace" and match:
            labels[rule["target_label"]] = expand(rule.get("replacement", "$1"), match)
    return labels


def expand(template: str, match: re.Match[str]) -> str:
    """A replacement with what the groups of the match have."""
    return REFERENCE.sub(lambda part: "$" if part[1] else match[int(part[2] or part[3])] or "", template)
