"""From a `DashboardSpec` to Grafana's dashboard JSON: the same input gives the same bytes.

Format: https://grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model/.
The SDK's models make it, and not its builders, which import another format too: a twelfth of the time of `render`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from json.encoder import encode_basestring
from typing import Any

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import (
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

from model.dashboard_spec import DashboardSpec, Panel, Query, Row
from model.errors import ConfigError, Problem
from model.promql import drop_name
from model.telemetry import Dashboard

PROMETHEUS = common.DataSourceRef(type_val="prometheus", uid="prometheus")
LOKI = common.DataSourceRef(type_val="loki", uid="loki")
COLUMNS = 24
"""Width of Grafana's grid."""
INSTANT = ("table", "bargauge", "gauge", "stat")
"""Kinds that show how things are now, so their queries are evaluated once and not over time: the last value of a series
that has ended would look like a present one."""
CACHED = 256
"""How many dashboards are built once for all plans that draw them alike: more than the largest stack has."""
NO_DATA = "no data"
"""What a figure says that has no value."""
LATEST = common.ReduceDataOptions(calcs=["lastNotNull"], fields="", values=False)
BY_THRESHOLD = dashboard.FieldColor(mode=dashboard.FieldColorModeId.THRESHOLDS)
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
    draft = dashboard.Dashboard(
        uid=spec.uid,
        title=spec.title,
        description=spec.description,
        tags=list(tags),
        editable=False,
        refresh=spec.refresh,
        time=dashboard.DashboardDashboardTime(from_val="now-1h", to="now"),
        timezone="browser",
        graph_tooltip=dashboard.DashboardCursorSync.CROSSHAIR,
        templating=dashboard.DashboardDashboardTemplating(
            list_val=[_build_environment_variable(), _build_service_variable(services)]
        ),
        annotations=dashboard.AnnotationContainer(list_val=[_build_alert_annotation()]),
        links=_build_links(tags),
        panels=_build_rows(spec.rows),
    )
    model = json.loads(json.dumps(draft, cls=JSONEncoder, sort_keys=True))
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


def _build_rows(rows: Sequence[Row]) -> list[dashboard.Panel | dashboard.RowPanel]:
    """Headings and their panels: inside them where they are folded, behind them otherwise, as Grafana stores them."""
    made: list[dashboard.Panel | dashboard.RowPanel] = []
    y, number = 0, 0
    for row in rows:
        number += 1
        positions, end = arrange_panels(row.panels, y + 1)
        panels = [
            _build_panel(p, number + n, position)
            for n, (p, position) in enumerate(zip(row.panels, positions, strict=True), 1)
        ]
        place = dashboard.GridPos(x=0, y=positions[0].y - 1, w=COLUMNS, h=1)
        inside, behind = (panels, []) if row.collapsed else ([], panels)
        heading = dashboard.RowPanel(
            title=row.title, id_val=number, grid_pos=place, collapsed=row.collapsed, panels=inside
        )
        made += [heading, *behind]
        number += len(panels)
        y = positions[0].y if row.collapsed else end
    return made


# -- variables and annotations ---------------------------------------------------------------------------------------


def _build_environment_variable() -> dashboard.VariableModel:
    return _build_variable("environment", "Environment", "label_values(up, environment)", ".*")


def _build_service_variable(services: Sequence[str]) -> dashboard.VariableModel:
    query = 'label_values(up{environment=~"$environment"}, service)'
    if not services:
        return _build_variable("service", "Service", query, ".*")
    names = "|".join(sorted(services))
    return _build_variable("service", "Service", query, names, regex=f"/^({names})$/")


def _build_variable(
    name: str, label: str, query: str, everything: str, regex: str | None = None
) -> dashboard.VariableModel:
    """A choice of label values; `everything` is the regular expression that stands for All."""
    return dashboard.VariableModel(
        type_val=dashboard.VariableType.QUERY,
        name=name,
        label=label,
        datasource=PROMETHEUS,
        query={"query": query, "refId": name},
        refresh=dashboard.VariableRefresh.ON_TIME_RANGE_CHANGED,
        sort=dashboard.VariableSort.ALPHABETICAL_ASC,
        multi=True,
        include_all=True,
        all_value=everything,
        current=dashboard.VariableOption(selected=True, text=["All"], value=["$__all"]),
        regex=regex,
    )


def _build_alert_annotation() -> dashboard.AnnotationQuery:
    return dashboard.AnnotationQuery(name="Alerts", datasource=PROMETHEUS, enable=True, icon_color="red", expr=FIRING)


def _build_links(tags: Sequence[str]) -> list[dashboard.DashboardLink]:
    """Menus that lead to the dashboards with the same tags and to those of the monitoring, with time and variables."""
    return [
        dashboard.DashboardLink(
            title=tag,
            type_val=dashboard.DashboardLinkType.DASHBOARDS,
            tags=[tag],
            as_dropdown=True,
            keep_time=True,
            include_vars=True,
        )
        for tag in dict.fromkeys([*tags, "monitoring"])
    ]


# -- panels ----------------------------------------------------------------------------------------------------------


def _build_panel(panel: Panel, number: int, position: GridPosition) -> dashboard.Panel:
    """One panel, complete."""
    made = KINDS[panel.kind](panel)
    made.id_val, made.title, made.description = number, panel.title, panel.description
    made.grid_pos = dashboard.GridPos(x=position.x, y=position.y, w=position.w, h=position.h)
    if panel.kind != "dashboards":
        made.datasource = LOKI if panel.asks_loki else PROMETHEUS
        made.targets = [
            _build_logql(query, reference) if panel.asks_loki else _build_promql(panel, query, reference)
            for reference, query in zip(_generate_references(), panel.queries, strict=False)
        ]
    return made


def _generate_references() -> Iterator[str]:
    """Names of a panel's queries: A to Z, then Q26 and so on."""
    yield from map(chr, range(ord("A"), ord("Z") + 1))
    yield from (f"Q{number}" for number in range(26, 1000))


def _build_promql(panel: Panel, query: Query, reference: str) -> prometheus.Dataquery:
    expr = drop_name(query.expr) if panel.kind == "table" else query.expr
    instant = panel.kind in INSTANT
    return prometheus.Dataquery(
        expr=expr.strip(),
        ref_id=reference,
        datasource=PROMETHEUS,
        exemplar=panel.exemplars,
        legend_format=query.legend or "__auto",
        format_val=FORMATS.get(panel.kind),
        instant=instant,
        range_val=not instant,
    )


def _build_logql(query: Query, reference: str) -> loki.Dataquery:
    return loki.Dataquery(
        expr=query.expr.strip(),
        ref_id=reference,
        datasource=LOKI,
        query_type="range",
        legend_format=query.legend or None,
        max_lines=500,
    )


def _build_field_config(panel: Panel, **looks: Any) -> dashboard.FieldConfigSource:
    """The unit of a panel's values, their colours by value, and how else they look."""
    defaults = dashboard.FieldConfig(unit=panel.unit, thresholds=_build_thresholds(panel), **looks)
    return dashboard.FieldConfigSource(defaults=defaults)


def _build_thresholds(panel: Panel) -> dashboard.ThresholdsConfig:
    """A panel's colours by value. Below the first value it is red where green is something to reach, else green."""
    declared = sorted(panel.thresholds, key=lambda step: step.value)
    base = "blue" if not declared else "red" if "green" in [step.colour for step in declared] else "green"
    steps = [dashboard.Threshold(value=None, color=base)]
    steps += [dashboard.Threshold(value=step.value, color=step.colour) for step in declared]
    return dashboard.ThresholdsConfig(mode=dashboard.ThresholdsMode.ABSOLUTE, steps=steps)


def _build_timeseries(panel: Panel) -> dashboard.Panel:
    place = common.LegendPlacement.BOTTOM
    legend = common.VizLegendOptions(common.LegendDisplayMode.LIST, place, show_legend=True, calcs=[])
    tooltip = common.VizTooltipOptions(mode=common.TooltipDisplayMode.MULTI, sort=common.SortOrder.DESCENDING)
    lines = common.GraphThresholdsStyleMode.DASHED if panel.thresholds else common.GraphThresholdsStyleMode.OFF
    custom = timeseries.FieldConfig(
        thresholds_style=common.GraphThresholdsStyleConfig(mode=lines),
        fill_opacity=10,
        axis_soft_min=0,
        show_points=common.VisibilityMode.NEVER,
    )
    color = dashboard.FieldColor(mode=dashboard.FieldColorModeId.PALETTE_CLASSIC)
    return dashboard.Panel(
        type_val="timeseries",
        options=timeseries.Options(legend=legend, tooltip=tooltip),
        field_config=_build_field_config(panel, color=color, custom=custom),
    )


def _build_figure_config(panel: Panel) -> dashboard.FieldConfigSource:
    """What is shown where there is no value: words without a colour, never the colour of a good or a bad one."""
    shown = dashboard.ValueMappingResult(text=NO_DATA, color="text", index=0)
    nothing = dashboard.DashboardSpecialValueMapOptions(match=dashboard.SpecialValueMatch.NULL_AND_NAN, result=shown)
    mappings = [dashboard.SpecialValueMap(options=nothing)]
    return _build_field_config(panel, no_value=NO_DATA, mappings=mappings, color=BY_THRESHOLD)


def _build_stat(panel: Panel) -> dashboard.Panel:
    options = stat.Options(
        reduce_options=LATEST,
        graph_mode=common.BigValueGraphMode.NONE,
        color_mode=common.BigValueColorMode.VALUE,
    )
    return dashboard.Panel(type_val="stat", options=options, field_config=_build_figure_config(panel))


def _build_gauge(panel: Panel) -> dashboard.Panel:
    options = gauge.Options(reduce_options=LATEST, show_threshold_markers=True)
    return dashboard.Panel(type_val="gauge", options=options, field_config=_build_figure_config(panel))


def _build_bargauge(panel: Panel) -> dashboard.Panel:
    options = bargauge.Options(
        reduce_options=LATEST,
        orientation=common.VizOrientation.HORIZONTAL,
        display_mode=common.BarGaugeDisplayMode.BASIC,
    )
    fields = _build_field_config(panel, color=BY_THRESHOLD, min_val=0)
    return dashboard.Panel(type_val="bargauge", options=options, field_config=fields)


def _build_table(panel: Panel) -> dashboard.Panel:
    """One line for each series; the moment of the query is no column, and a single query's values come first."""
    columns: dict[str, object] = {"excludeByName": {"Time": True}}
    options = None
    if len(panel.queries) == 1:
        columns["renameByName"] = {"Value": panel.title}
        options = table.Options(sort_by=[common.TableSortByFieldState(display_name=panel.title, desc=True)])
    return dashboard.Panel(
        type_val="table",
        options=options,
        transformations=[
            dashboard.DataTransformerConfig(id_val="merge", options={}),
            dashboard.DataTransformerConfig(id_val="organize", options=columns),
        ],
        field_config=_build_field_config(panel),
    )


def _build_logs(panel: Panel) -> dashboard.Panel:
    options = logs.Options(
        show_time=True,
        wrap_log_message=True,
        enable_log_details=True,
        sort_order=common.LogsSortOrder.DESCENDING,
        dedup_strategy=common.LogsDedupStrategy.NONE,
    )
    return dashboard.Panel(type_val="logs", options=options)


def _build_dashboard_list(panel: Panel) -> dashboard.Panel:
    options = dashboardlist.Options(
        show_search=True, show_starred=False, show_headings=False, tags=[panel.tag], max_items=50
    )
    return dashboard.Panel(type_val="dashlist", options=options)


def _build_heatmap(panel: Panel) -> dashboard.Panel:
    options = heatmap.Options(
        calculate=False, y_axis=heatmap.YAxisConfig(unit=panel.unit), legend=heatmap.HeatmapLegend(show=True)
    )
    return dashboard.Panel(type_val="heatmap", options=options, field_config=_build_field_config(panel))


FORMATS = {"table": prometheus.PromQueryFormat.TABLE, "heatmap": prometheus.PromQueryFormat.HEATMAP}
"""How Prometheus' answer is read by kinds of panels that draw no time series."""
KINDS: dict[str, Callable[[Panel], dashboard.Panel]] = {
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
