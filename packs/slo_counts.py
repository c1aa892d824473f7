"""What an objective counts: all requests, those of which something is known, and the failures among these.

A request without the label, or the bucket, that tells whether it was good is neither: it is left out of ratios, and
`slo:requests_unknown:ratio_rate1h` says how many there are. Absence never reads as success.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from model.service import Metric
from model.system import ServiceLevelObjective
from packs import outcome
from packs.base import BY, PER_SECOND, WINDOW, Subject


@dataclass(frozen=True)
class Counts:
    """Three queries of an objective, each in requests per second over five minutes."""

    seen: str
    """Everything that is counted at all."""
    judged: str
    """What is known to be good or bad; no value where nothing is."""
    failed: str
    """What is bad; 0 where something is judged and nothing of it is bad."""


def build_counts(subject: Subject, item: ServiceLevelObjective) -> Counts:
    """What counts for an objective, and what fails."""
    if item.kind == "availability":
        return _build_availability(subject)
    if item.kind == "latency":
        return _build_latency(subject, item)
    return _build_ratio(subject, str(item.bad), str(item.total))


def _build_availability(subject: Subject) -> Counts:
    of = outcome.build_http_outcome(_get_metric(subject, "requests")[0], subject.service.status_label)
    seen, judged, failed = (outcome.build_rate_expr(subject, of.name, matcher) for matcher in ("", of.known, of.failed))
    return Counts(seen, judged, f"{failed} or 0 * {judged}")


def _build_latency(subject: Subject, item: ServiceLevelObjective) -> Counts:
    """Slow is what is not in the bucket that ends at the threshold; without that bucket nothing is known."""
    name, metric = _get_metric(subject, "duration")
    # Prometheus 3 writes whole bounds as 1.0, earlier versions and other tools as 1
    bound = f"{float(item.threshold or 0) * PER_SECOND[metric.unit]:g}"
    le = re.escape(bound).replace("\\", "\\\\") + ("" if "." in bound else "(\\\\.0)?")
    ends = subject.build_selector(f'le=~"{le}"')
    bucket = f"rate({name}_bucket{ends}[{WINDOW}])"
    every = f"rate({name}_count{subject.build_selector()}[{WINDOW}])"
    judged = f"sum by ({BY}) ({every} and ignoring (le) {bucket})"
    return Counts(f"sum by ({BY}) ({every})", judged, f"clamp_min({judged} - sum by ({BY}) ({bucket}), 0)")


def _build_ratio(subject: Subject, bad: str, total: str) -> Counts:
    """Failures by the same counter are known by its labels; those by another one as soon as that one has a series."""
    failing, within = split_selector(bad)
    name, matchers = split_selector(total)
    known = [f'{label}=~".+"' for label in list_labels(within)]
    seen, failed = (
        outcome.build_rate_expr(subject, name, matchers),
        outcome.build_rate_expr(subject, failing, within, *known),
    )
    if failing == name:
        judged = outcome.build_rate_expr(subject, name, matchers, *known)
    else:
        judged = f"{seen} and on ({BY}) {failing}{subject.build_selector(*known)}"
    return Counts(seen, judged, f"{failed} or 0 * ({judged})")


def split_selector(selector: str) -> tuple[str, str]:
    """A metric with matchers in its two parts: `a{b="c"}` gives a and b="c"."""
    name, _, inside = selector.strip().rstrip("}").partition("{")
    return name.strip(), inside.strip().rstrip(",")


QUOTED = r"""("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')"""


def parse_matchers(matchers: str) -> dict[str, tuple[str, str]]:
    """What matchers ask of each label: the operator and the value, as `{"status": ("=", "failed")}`."""
    matches = re.findall(rf"([A-Za-z_]\w*)\s*(=~|!~|!=|=)\s*{QUOTED}", matchers)
    return {label: (operator, value[1:-1]) for label, operator, value in matches}


def list_labels(matchers: str) -> list[str]:
    """The labels that matchers ask for, each once, in their order."""
    return list(parse_matchers(matchers))


def _get_metric(subject: Subject, role: str) -> tuple[str, Metric]:
    metric = subject.find_metric("requests" if role == "requests" else "duration")
    if metric is None:
        raise LookupError(f"{subject.key} has no metric of role {role}")
    return metric
