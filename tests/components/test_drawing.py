"""Short forms for boards."""

from __future__ import annotations

from components.drawing import (
    count_events,
    count_refused,
    draw_chart,
    draw_failures,
    draw_stat,
    fill_zero_if,
    fill_zero_if_up,
    select,
    sum_rate,
    take_rate,
)


def test_series_follow_the_environment() -> None:
    """Every short form of a query is narrowed to the chosen environments, and further where asked."""
    assert select("up") == 'up{environment=~"$environment"}'
    assert select("up", 'job="x"') == 'up{environment=~"$environment", job="x"}'
    assert take_rate("x_total") == 'rate(x_total{environment=~"$environment"}[$__rate_interval])'
    assert sum_rate("job", "x_total") == f"sum by (job) ({take_rate('x_total')})"


def test_a_zero_comes_from_who_counts() -> None:
    """Where nothing has been counted there is a zero from targets that answer, or from series that could be wrong."""
    assert fill_zero_if_up("x") == ' or on() 0 * count(up{environment=~"$environment", service=~"x"} == 1)'
    assert fill_zero_if(select("probe_success")) == ' or on() 0 * count(probe_success{environment=~"$environment"})'


def test_panels_have_their_usual_size() -> None:
    """Six numbers or three graphs fill a row; a panel may say otherwise."""
    number = draw_stat("Up", select("up"), "short", "1: it answers.", width=6)
    graph = draw_chart("Up", {"{{job}}": select("up")}, "short", "1: it answers.")
    assert (number.kind, number.width, number.height) == ("stat", 6, 5)
    assert (graph.kind, graph.width) == ("timeseries", 8)
    assert draw_stat("Up", select("up"), "short", "1: it answers.").width == 4


def test_failures_are_lines_by_kind_at_zero_while_there_are_none() -> None:
    """Red from the first one on; where nobody counts, there is no line."""
    chart = draw_failures("Failures", {"lost": count_events("x_total"), "refused": count_refused("ok")}, "x", "All.")
    zero = fill_zero_if_up("x")
    assert {query.legend: query.expr for query in chart.queries} == {
        "lost": 'sum(increase(x_total{environment=~"$environment"}[5m]))' + zero,
        "refused": 'sum(1 - ok{environment=~"$environment"})' + zero,
    }
    assert (chart.kind, chart.width, chart.height) == ("timeseries", 24, 6)
    assert [(step.value, step.colour) for step in chart.thresholds] == [(0.001, "red")]
