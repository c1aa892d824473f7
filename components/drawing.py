"""Short forms for the boards of exporters: their queries follow the variable `environment`, and not `service`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from model.dashboard_spec import Panel
from packs.base import build_panel, build_thresholds

AT = 'environment=~"$environment"'
"""The matcher of a board's only variable that matters here: an exporter's own service is not what people choose."""


RED_ABOVE_ZERO = build_thresholds((0.001, "red"))
"""Of what should not happen at all: from the first one on."""
NONE = "none yet"
"""What the zero in place of series that are not there yet is called in a legend."""


def fill_zero_if_up(service: str, label: str = "") -> str:
    """For counts whose series appear with the first event: 0 until then, while who counts answers its scrapes.

    A count of somebody who does not answer has no value: it is not known.

    Args:
        service: a regular expression.
        label: which the legend shows, where there is one: without it the query itself would stand there.
    """
    return fill_zero_if(f'up{{{AT}, service=~"{service}"}} == 1', label)


def fill_zero_if(series: str, label: str = "") -> str:
    """For counts of what is wrong: 0 while these series are there, of which some could be wrong; see above."""
    zero = f"0 * count({series})"
    return " or on() " + (f'label_replace({zero}, "{label}", "{NONE}", "", "")' if label else zero)


def select(metric: str, *matchers: str) -> str:
    """The series of a metric in the chosen environments, narrowed by further matchers."""
    return f"{metric}{{{', '.join([AT, *matchers])}}}"


def take_rate(metric: str, *matchers: str) -> str:
    """Growth per second of a counter, over the interval that suits the graph."""
    return f"rate({select(metric, *matchers)}[$__rate_interval])"


def sum_rate(by: str, metric: str, *matchers: str) -> str:
    """Growth per second of a counter, added up by labels."""
    return f"sum by ({by}) ({take_rate(metric, *matchers)})"


def draw_stat(title: str, query: str, unit: str, text: str, legend: str = "{{instance}}", **more: Any) -> Panel:
    """One number for each series."""
    return build_panel(title, {legend: query}, unit, text, **{"kind": "stat", "width": 4, "height": 5, **more})


def draw_chart(title: str, queries: Mapping[str, str], unit: str, text: str, **more: Any) -> Panel:
    """A graph, three of which fill a row; `queries` by legend."""
    return build_panel(title, queries, unit, text, **{"width": 8, **more})


def count_events(metric: str, *matchers: str) -> str:
    """By how much counters grew within five minutes, as most alerts about failures ask."""
    return f"sum(increase({select(metric, *matchers)}[5m]))"


def count_refused(gauge: str) -> str:
    """How many instances say 0 in a gauge that is 1 while all is well, such as the result of the last reload."""
    return f"sum(1 - {select(gauge)})"


def draw_failures(title: str, kinds: Mapping[str, str], service: str, text: str, **more: Any) -> Panel:
    """What went wrong within a component, one line for each kind: at 0 while who counts is up and has counted none."""
    queries = {kind: query + fill_zero_if_up(service) for kind, query in kinds.items()}
    looks = {"width": 24, "height": 6, "thresholds": RED_ABOVE_ZERO}
    return build_panel(title, queries, "short", text, **{**looks, **more})
