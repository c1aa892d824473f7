"""From a `DashboardSpec` to Grafana's dashboard JSON: the same input gives the same bytes.

Format: https://grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model/.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from json.encoder import encode_basestring
from typing import Any

from grafana_foundation_sdk.builders import (
    bargauge,
    common,
    dashboard,
    dashboardlist,
    gauge,
    heatmap,
    logs,
    loki,
    prometheus,
    stat,
    table,
    timeseries,
)
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import common as options
from grafana_foundation_sdk.models import dashboard as models
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from model.dashboard_spec import DashboardSpec, Panel, Query, Row
from model.errors import ConfigError, Problem
from model.promql import drop_name
from model.telemetry import Dashboard

PROMETHEUS = models.DataSourceRef(type_val="prometheus", uid="prometheus")
LOKI = models.DataSourceRef(type_val="loki", uid="loki")
COLUMNS = 24
"""Width of Grafana's grid."""
INSTANT = ("table", "bargauge", "gauge", "stat")
"""Kinds that show how things are now, so their queries are evaluated once and not over time: the last value of a series
that has ended would look like a present one."""
CACHED = 256
"""How many dashboards are built once for all plans that draw them alike: more than the largest stack has."""
NO_DATA = "no data"
"""What a figure says that has no value."""
FIRING = 'ALERTS{alertstate="firing", severity=~"critical|warning", environment=~"$environment|"}'
"""What is marked on every graph; alerts about the whole stack carry no environment."""


@dataclass(frozen=True)
class GridPosition:
    """A rectangle of the grid: `x` and `w` in columns, `y` and `h` in rows."""

    x: int
    y: int
    w: int
    h: int


def build_dashboard(
    spec: DashboardSpec, *, folder: str, tags: Sequence[str], services: Sequence[str] = (), where: str = "dashboard"
) -> Dashboard:
    """The finished dashboard.

    Args:
        spec: what is to be drawn.
        folder: the Grafana folder it stands in.
        tags: what people can search it by.
        services: what the variable `service` offers, and matches as a whole while nothing is chosen; empty for all.
        where: prefix of the path of every problem.

    Raises:
        ConfigError: a query is empty.
    """
    problems = _check_spec(spec, where)
    if problems:
        raise ConfigError(problems)
    return _build_cached(spec, folder, tuple(tags), tuple(services))


@lru_cache(maxsize=CACHED)
def _build_cached(spec: DashboardSpec, folder: str, tags: tuple[str, ...], services: tuple[str, ...]) -> Dashboard:
    draft = (
        dashboard.Dashboard(spec.title)
        .uid(spec.uid)
        .description(spec.description)
        .tags(list(tags))
        .readonly()
        .refresh(spec.refresh)
        .time("now-1h", "now")
        .timezone("browser")
        .tooltip(models.DashboardCursorSync.CROSSHAIR)
        .variables([_build_environment_variable(), _build_service_variable(services)])
        .annotation(_build_alert_annotation())
    )
    for link in _build_links(tags):
        draft.link(link)
    y, number = 0, 0
    for row in spec.rows:
        number += 1
        positions, y = arrange_panels(row.panels, y + 1)
        panels = [
            _build_panel(p, number + n, position)
            for n, (p, position) in enumerate(zip(row.panels, positions, strict=True), 1)
        ]
        _add_row(draft, row, number, positions[0].y - 1, panels)
        number += len(panels)
        y = positions[0].y if row.collapsed else y
    model = json.loads(json.dumps(draft.build(), cls=JSONEncoder, sort_keys=True))
    return Dashboard(uid=spec.uid, title=spec.title, folder=folder, model=model)


@lru_cache(maxsize=CACHED)
def render_dashboard(board: Dashboard) -> str:
    """A dashboard as the text of its file, keys sorted."""
    return _write_json(board.model, "\n") + "\n"


def _write_json(value: Any, end: str) -> str:
    """JSON with sorted keys and one blank for each level; `end` is the end of a line with the blanks of the next.

    The text is that of `json.dumps(value, indent=1)`, whose encoder in C knows no indent.
    """
    inner = f"{end} "
    if isinstance(value, dict) and value:
        entries = [f"{encode_basestring(key)}: {_write_json(entry, inner)}" for key, entry in sorted(value.items())]
        return f"{{{inner}{f',{inner}'.join(entries)}{end}}}"
    if isinstance(value, list) and value:
        return f"[{inner}{f',{inner}'.join([_write_json(entry, inner) for entry in value])}{end}]"
    if type(value) is str:
        return encode_basestring(value)
    return str(value) if type(value) is int else json.dumps(value)


def arrange_panels(panels: Sequence[Panel], top: int) -> tuple[list[GridPosition], int]:
    """Places from left to right from grid row `top` on, wrapped at the grid's width, and the first free grid row."""
    positions: list[GridPosition] = []
    x, y, tallest = 0, top, 0
    for panel in panels:
        if x + panel.width > COLUMNS:
            x, y, tallest = 0, y + tallest, 0
        positions.append(GridPosition(x, y, panel.width, panel.height))
        x, tallest = x + panel.width, max(tallest, panel.height)
    return positions, y + tallest


def _check_spec(spec: DashboardSpec, where: str) -> list[Problem]:
    return [
        Problem(f"{where}.rows[{r}].panels[{p}].queries[{q}].expr", f"must not be empty (panel {panel.title!r})")
        for r, row in enumerate(spec.rows)
        for p, panel in enumerate(row.panels)
        for q, query in enumerate(panel.queries)
        if not query.expr.strip()
    ]


def _add_row(draft: dashboard.Dashboard, row: Row, number: int, y: int, panels: Sequence[Any]) -> None:
    """A heading and its panels: inside it where it is folded, behind it otherwise, as Grafana stores them."""
    heading = dashboard.Row(row.title).id(number).grid_pos(models.GridPos(x=0, y=y, w=COLUMNS, h=1))
    if row.collapsed:
        heading.collapsed(True)
        for panel in panels:
            heading.with_panel(panel)
        panels = ()
    draft.with_row(heading)
    for panel in panels:
        draft.with_panel(panel)


# -- variables and annotations ---------------------------------------------------------------------------------------


def _build_environment_variable() -> dashboard.QueryVariable:
    return _build_variable("environment", "Environment", "label_values(up, environment)", ".*")


def _build_service_variable(services: Sequence[str]) -> dashboard.QueryVariable:
    query = 'label_values(up{environment=~"$environment"}, service)'
    if not services:
        return _build_variable("service", "Service", query, ".*")
    names = "|".join(sorted(services))
    return _build_variable("service", "Service", query, names).regex(f"/^({names})$/")


def _build_variable(name: str, label: str, query: str, everything: str) -> dashboard.QueryVariable:
    """A choice of label values; `everything` is the regular expression that stands for All."""
    return (
        dashboard.QueryVariable(name)
        .label(label)
        .datasource(PROMETHEUS)
        .query({"query": query, "refId": name})
        .refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(models.VariableSort.ALPHABETICAL_ASC)
        .multi(True)
        .include_all(True)
        .all_value(everything)
        .current(models.VariableOption(selected=True, text=["All"], value=["$__all"]))
    )


def _build_alert_annotation() -> dashboard.AnnotationQuery:
    return dashboard.AnnotationQuery().name("Alerts").datasource(PROMETHEUS).enable(True).icon_color("red").expr(FIRING)


def _build_links(tags: Sequence[str]) -> list[dashboard.DashboardLink]:
    """Menus that lead to the dashboards with the same tags and to those of the monitoring, with time and variables."""
    return [
        dashboard.DashboardLink(tag)
        .type(models.DashboardLinkType.DASHBOARDS)
        .tags([tag])
        .as_dropdown(True)
        .keep_time(True)
        .include_vars(True)
        for tag in dict.fromkeys([*tags, "monitoring"])
    ]


# -- panels ----------------------------------------------------------------------------------------------------------


def _build_panel(panel: Panel, number: int, position: GridPosition) -> Any:
    """The builder of one panel, complete. The SDK's panel builders share no base class, hence Any."""
    made = KINDS[panel.kind](panel)
    made.id(number).title(panel.title).description(panel.description)
    made.grid_pos(models.GridPos(x=position.x, y=position.y, w=position.w, h=position.h))
    if panel.kind != "dashboards":
        made.datasource(LOKI if panel.asks_loki else PROMETHEUS)
    for reference, query in zip(_generate_references(), panel.queries, strict=False):
        made.with_target(_build_logql(query, reference) if panel.asks_loki else _build_promql(panel, query, reference))
    if panel.kind not in ("logs", "dashboards"):
        made.unit(panel.unit).thresholds(build_thresholds(panel))
    return made


def _generate_references() -> Iterator[str]:
    """Names of a panel's queries: A to Z, then Q26 and so on."""
    yield from map(chr, range(ord("A"), ord("Z") + 1))
    yield from (f"Q{number}" for number in range(26, 1000))


def _build_promql(panel: Panel, query: Query, reference: str) -> prometheus.Dataquery:
    expr = drop_name(query.expr) if panel.kind == "table" else query.expr
    made = prometheus.Dataquery().expr(expr.strip()).ref_id(reference).datasource(PROMETHEUS)
    made.exemplar(panel.exemplars).legend_format(query.legend or "__auto")
    if panel.kind == "table":
        made.format(PromQueryFormat.TABLE)
    if panel.kind == "heatmap":
        made.format(PromQueryFormat.HEATMAP)
    return made.instant() if panel.kind in INSTANT else made.range()


def _build_logql(query: Query, reference: str) -> loki.Dataquery:
    made = loki.Dataquery().expr(query.expr.strip()).ref_id(reference).datasource(LOKI).query_type("range")
    return made.legend_format(query.legend).max_lines(500) if query.legend else made.max_lines(500)


def build_thresholds(panel: Panel) -> dashboard.ThresholdsConfig:
    """A panel's colours by value. Below the first value it is red where green is something to reach, else green."""
    declared = sorted(panel.thresholds, key=lambda step: step.value)
    base = "blue" if not declared else "red" if "green" in [step.colour for step in declared] else "green"
    steps = [models.Threshold(value=None, color=base)]
    steps += [models.Threshold(value=step.value, color=step.colour) for step in declared]
    return dashboard.ThresholdsConfig().mode(models.ThresholdsMode.ABSOLUTE).steps(steps)


def _build_timeseries(panel: Panel) -> timeseries.Panel:
    legend = common.VizLegendOptions().show_legend(True).display_mode(options.LegendDisplayMode.LIST)
    tooltip = common.VizTooltipOptions().mode(options.TooltipDisplayMode.MULTI).sort(options.SortOrder.DESCENDING)
    lines = options.GraphThresholdsStyleMode.DASHED if panel.thresholds else options.GraphThresholdsStyleMode.OFF
    return (
        timeseries.Panel()
        .legend(legend.placement(options.LegendPlacement.BOTTOM).calcs([]))
        .tooltip(tooltip)
        .thresholds_style(common.GraphThresholdsStyleConfig().mode(lines))
        .color_scheme(dashboard.FieldColor().mode(models.FieldColorModeId.PALETTE_CLASSIC))
        .fill_opacity(10)
        .axis_soft_min(0)
        .show_points(options.VisibilityMode.NEVER)
    )


def _build_latest_reduction() -> common.ReduceDataOptions:
    return common.ReduceDataOptions().calcs(["lastNotNull"]).fields("").values(False)


def _build_no_value_mappings() -> list[models.ValueMapping]:
    """What is shown where there is no value: words without a colour, never the colour of a good or a bad one."""
    shown = models.ValueMappingResult(text=NO_DATA, color="text", index=0)
    options = models.DashboardSpecialValueMapOptions(match=models.SpecialValueMatch.NULL_AND_NAN, result=shown)
    return [models.SpecialValueMap(options=options)]


def _build_stat(panel: Panel) -> stat.Panel:
    return (
        stat.Panel()
        .no_value(NO_DATA)
        .mappings(_build_no_value_mappings())
        .reduce_options(_build_latest_reduction())
        .graph_mode(options.BigValueGraphMode.NONE)
        .color_mode(options.BigValueColorMode.VALUE)
        .color_scheme(_build_threshold_color())
    )


def _build_gauge(panel: Panel) -> gauge.Panel:
    return (
        gauge.Panel()
        .no_value(NO_DATA)
        .mappings(_build_no_value_mappings())
        .reduce_options(_build_latest_reduction())
        .show_threshold_markers(True)
        .color_scheme(_build_threshold_color())
    )


def _build_bargauge(panel: Panel) -> bargauge.Panel:
    return (
        bargauge.Panel()
        .reduce_options(_build_latest_reduction())
        .orientation(options.VizOrientation.HORIZONTAL)
        .display_mode(options.BarGaugeDisplayMode.BASIC)
        .color_scheme(_build_threshold_color())
        .min(0)
    )


def _build_threshold_color() -> dashboard.FieldColor:
    return dashboard.FieldColor().mode(models.FieldColorModeId.THRESHOLDS)


def _build_table(panel: Panel) -> table.Panel:
    """One line for each series; the moment of the query is no column, and a single query's values come first."""
    columns: dict[str, object] = {"excludeByName": {"Time": True}}
    made = table.Panel().with_transformation(models.DataTransformerConfig(id_val="merge", options={}))
    if len(panel.queries) == 1:
        columns["renameByName"] = {"Value": panel.title}
        made.sort_by([common.TableSortByFieldState().display_name(panel.title).desc(True)])
    return made.with_transformation(models.DataTransformerConfig(id_val="organize", options=columns))


def _build_logs(panel: Panel) -> logs.Panel:
    return (
        logs.Panel()
        .show_time(True)
        .wrap_log_message(True)
        .enable_log_details(True)
        .sort_order(options.LogsSortOrder.DESCENDING)
        .dedup_strategy(options.LogsDedupStrategy.NONE)
    )


def _build_dashboard_list(panel: Panel) -> dashboardlist.Panel:
    return (
        dashboardlist.Panel().show_search(True).show_starred(False).show_headings(False).tags([panel.tag]).max_items(50)
    )


def _build_heatmap(panel: Panel) -> heatmap.Panel:
    return heatmap.Panel().calculate(False).y_axis(heatmap.YAxisConfig().unit(panel.unit)).show_legend()


KINDS: dict[str, Callable[[Panel], Any]] = {
    "timeseries": _build_timeseries,
    "stat": _build_stat,
    "gauge": _build_gauge,
    "bargauge": _build_bargauge,
    "table": _build_table,
    "logs": _build_logs,
    "heatmap": _build_heatmap,
    "dashboards": _build_dashboard_list,
}
"""How each kind of panel looks."""
