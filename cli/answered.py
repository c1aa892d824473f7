"""What a stack answers about a moment of the past, so that two stacks with the same data can be compared."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from urllib.parse import urlencode

from cli.hosts import Host

MOST_METRICS = 200
"""Names of metrics that are asked about, evenly chosen from all that there are."""
_AT_ONCE = 50
"""Names in one query."""
_CLOSE = 1e-9
"""Relative difference of sums of the same floats in another order."""

Answers = Mapping[str, str]
"""Answers by what was asked, for people."""


def ask_metrics(host: Host, at: float, known: Answers | None = None) -> Answers:
    """Sum and number of series of metrics at a moment, in seconds of the Unix epoch.

    Args:
        host: where Prometheus runs.
        at: the moment.
        known: what another one has answered, whose metrics are asked about; without it some are chosen.

    Raises:
        RuntimeError: Prometheus does not answer, or has nothing of then.
    """
    if known is None:
        window = {"start": f"{at - 300:.3f}", "end": f"{at:.3f}"}
        every = sorted(host.ask_prometheus(f"label/__name__/values?{urlencode(window)}") or [])
        names = choose_evenly(every, MOST_METRICS)
    else:
        names = sorted({question.rpartition(" ")[2] for question in known})
    found: dict[str, str] = {}
    for start in range(0, len(names), _AT_ONCE):
        chosen = "|".join(names[start : start + _AT_ONCE])  # a metric's usual name has nothing that would be escaped
        for word in ("sum", "count"):
            query = f'{word} by (__name__) ({{__name__=~"{chosen}"}})'
            data = host.ask_prometheus(f"query?{urlencode({'query': query, 'time': f'{at:.3f}'})}")
            found |= {
                f"{word} of {item['metric']['__name__']}": json.dumps(item.get("value", item.get("histogram"))[1])
                for item in data["result"]
            }
    return _demand(found, "samples")


def ask_lines(host: Host, at: float, known: Answers | None = None) -> Answers:
    """Lines of the ten minutes before a moment, by service.

    Raises:
        RuntimeError: Loki does not answer, or has nothing of then.
    """
    del known  # of services there are few enough
    query = 'sum by (service) (count_over_time({service=~".+"}[10m]))'
    data = host.ask_loki(f"query?{urlencode({'query': query, 'time': f'{at:.3f}'})}")
    series = (data or {}).get("result", [])
    return _demand({f"lines of {item['metric'].get('service', '')}": item["value"][1] for item in series}, "lines")


def ask_silences(host: Host, at: float, known: Answers | None = None) -> Answers:
    """Silences that are as they were at a moment, whether they have ended since or not, by their ID; maybe none.

    Raises:
        RuntimeError: no Alertmanager answers.
    """
    del known
    then = datetime.fromtimestamp(at, UTC)
    for instance in host.list_alertmanagers():
        return {
            f"silence {item['id']}": f"{item['comment']}, until {item['endsAt']}"
            for item in json.loads(instance.ask("/api/v2/silences"))
            if datetime.fromisoformat(item["updatedAt"]) < then
        }
    raise RuntimeError("no Alertmanager runs")


CHANGING = frozenset({"alertmanager"})
"""Parts of whose answers some may be there no more: a silence that was changed later is not as it was."""
QUESTIONS: Mapping[str, Callable[[Host, float, Answers | None], Answers]] = {
    "prometheus": ask_metrics,
    "loki": ask_lines,
    "alertmanager": ask_silences,
}
"""By the part that is asked."""


def choose_evenly(every: Sequence[str], most: int) -> list[str]:
    """At most so many of a sequence, from all over it: `choose_evenly("abcdef", 3) == ["a", "c", "e"]`."""
    step = max(1, math.ceil(len(every) / most))
    return list(every[::step])


def list_differences(known: Answers, found: Answers) -> list[str]:
    """What is missing, what is more, and what is otherwise, as sentences."""
    lines = []
    for name in sorted(known.keys() | found.keys()):
        if not _is_same(known.get(name), found.get(name)):
            lines.append(f"{name}: {known.get(name, 'nothing')}, and restored {found.get(name, 'nothing')}")
    return lines


def _is_same(known: str | None, found: str | None) -> bool:
    if known == found or known is None or found is None:
        return known == found
    try:
        return math.isclose(float(json.loads(known)), float(json.loads(found)), rel_tol=_CLOSE)
    except (TypeError, ValueError):
        return False


def _demand(found: dict[str, str], what: str) -> dict[str, str]:
    if not found:
        raise RuntimeError(f"there are no {what} of then to compare")
    return found
