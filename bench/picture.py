"""A measurement as a picture: https://www.pygal.org/en/stable/documentation/types/xy.html."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pygal  # type: ignore[import-untyped]  # it publishes no types
from pygal.style import CleanStyle  # type: ignore[import-untyped]

_SECONDS = [0.01, 0.03, 0.1, 0.3, 1, 3, 10]
"""What is written beside the axis."""


def draw_growth(curves: Mapping[str, Sequence[tuple[float, float]]], limit: float) -> str:
    """SVG of how long a plan takes by its targets, both axes logarithmic, beside the limit.

    Args:
        curves: points of targets and seconds, by the name of the curve.
        limit: seconds that the largest plans may take.
    """
    first, last = _find_range(curves)
    chart = pygal.XY(
        title="Seconds to plan a system, by its scrape targets", x_title="targets", y_title="seconds", logarithmic=True,
        xrange=(first, last), range=(_SECONDS[0], _SECONDS[-1]), truncate_label=-1, legend_at_bottom=True, js=[],
        width=800, height=480, style=CleanStyle(), x_value_formatter=lambda value: f"{value:,.0f}",
        value_formatter=lambda value: f"{value:g}",
    )  # fmt: skip
    chart.x_labels = [10**power for power in range(1, 6) if first <= 10**power <= last]
    chart.y_labels = _SECONDS
    for name, points in curves.items():
        chart.add(name, list(points))
    chart.add(f"limit {limit:g} s", [(first, limit), (last, limit)], show_dots=False)
    return str(chart.render(is_unicode=True, disable_xml_declaration=True)) + "\n"


def _find_range(curves: Mapping[str, Sequence[tuple[float, float]]]) -> tuple[float, float]:
    values = [targets for points in curves.values() for targets, _ in points]
    return min(values), max(values)
