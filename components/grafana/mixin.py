"""Grafana: do its pages load, and do its data sources answer it?

Source of the names: https://grafana.com/docs/grafana/latest/setup-grafana/set-up-grafana-monitoring/.
"""

from __future__ import annotations

from functools import cache

from components.drawing import count_events, draw_failures, fill_zero_if_up
from model.dashboard_spec import Panel
from model.limits import Count, Share
from model.telemetry import AlertRule
from packs.base import (
    BY,
    Tune,
    build_growth_example,
    build_panel,
    build_service_series,
    build_share_example,
    format_percent,
    get_limit,
)

ERROR_SHARE = 0.05
"""One page is dozens of requests: from one failure in twenty on people see it."""
DATASOURCE_ERRORS = 5.0
"""In five minutes: one for each refresh of a panel is a broken panel, a few are queries that took too long."""
REQUESTS = "grafana_http_request_duration_seconds"
SELF = "grafana"
NOTHING_YET = fill_zero_if_up(SELF)


# -- alerts ----------------------------------------------------------------------------------------------------------


def alerts(tune: Tune) -> tuple[AlertRule, ...]:
    """Alerts about what people see of Grafana; that it is down says TargetDown."""
    return alert_on_errors(tune), alert_on_datasource_errors(tune)


def alert_on_errors(tune: Tune) -> AlertRule:
    """Grafana's own answers, pages and queries alike."""
    bound = get_limit(tune, "GrafanaRequestsFailing", ERROR_SHARE)
    count = f"{REQUESTS}_count"
    failed = build_service_series(SELF, count, handler="/api/ds/query", method="POST", status_code="500")
    good = build_service_series(SELF, count, handler="/api/ds/query", method="POST", status_code="200")
    return AlertRule(
        name="GrafanaRequestsFailing",
        expr=f'sum by ({BY}) (rate({count}{{status_code=~"5.."}}[5m])) / sum by ({BY}) (rate({count}[5m])) > {bound:g}',
        for_="5m",  # a restart, and the requests that open pages repeat during it, are over by then
        severity="warning",
        limit=Share(bound),
        summary="{{ $value | humanizePercentage }} of Grafana's answers are errors",
        description=f"More than {format_percent(bound)} of Grafana's answers have a 5xx status: dashboards do not"
        " load or stay empty.",
        steps=(
            f'Find what fails: `topk(5, sum by (handler) (rate({count}{{status_code=~"5.."}}[5m])))` in Prometheus.',
            "If it is /api/ds/query, a data source fails: follow the steps of GrafanaDatasourceErrors.",
            'Else read Grafana\'s error lines: `{service="grafana", level="error"}` in Loki; "database is locked" and'
            ' "disk full" are about its data volume.',
        ),
        example=build_share_example(failed, good, bound),
    )


def alert_on_datasource_errors(tune: Tune) -> AlertRule:
    """Requests from Grafana to a data source that it answered with a 5xx status."""
    bound = get_limit(tune, "GrafanaDatasourceErrors", DATASOURCE_ERRORS)
    name = "grafana_datasource_request_total"
    failed = build_service_series(SELF, name, datasource="Loki", datasource_type="loki", code="502", method="GET")
    return AlertRule(
        name="GrafanaDatasourceErrors",
        expr=f'sum by ({BY}, datasource) (increase({name}{{code=~"5.."}}[5m])) > {bound:g}',
        for_="10m",  # a restart of the data source is over by then
        severity="warning",
        limit=Count(bound),
        summary="Grafana got {{ $value | humanize }} errors in 5 minutes from {{ $labels.datasource }}",
        description=f"More than {bound:g} requests to this data source have failed in 5 minutes: panels that use it are"
        " empty.",
        steps=(
            "Open the data source in Grafana and press Test: it shows the answer that panels get.",
            "Run `make verify`: is the data source itself healthy? If not, its own alerts and lines say why.",
            "If it is healthy, a query is too big for it: look at its error lines for time-outs and limits.",
        ),
        example=build_growth_example(failed, bound),
    )


# -- panels ----------------------------------------------------------------------------------------------------------


@cache
def panels() -> tuple[Panel, ...]:
    """How much Grafana is used, and how quick it is."""
    rate = f"sum by (status_code) (rate({REQUESTS}_count[$__rate_interval]))" + fill_zero_if_up(SELF, "status_code")
    quantiles = {
        f"p{q * 100:g}": f"histogram_quantile({q:g}, sum by (le) (rate({REQUESTS}_bucket[$__rate_interval])))"
        + NOTHING_YET
        for q in (0.5, 0.95)
    }
    failed = {"requests": count_events("grafana_datasource_request_total", 'code=~"5.."')}
    return (
        build_panel(
            "Grafana's requests by status", {"{{status_code}}": rate}, "reqps", "5xx are Grafana's own failures."
        ),
        build_panel("Grafana's request duration", quantiles, "s", "Half and 95 of 100 answers are quicker than this."),
        draw_failures("Requests to data sources that fail", failed, SELF, "Within five minutes: 5xx alone."),
    )
