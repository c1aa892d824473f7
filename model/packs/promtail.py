"""Promtail: do the lines that it reads reach Loki?

Source of the names: https://grafana.com/docs/loki/latest/send-data/promtail/ and its own /metrics.
"""

from __future__ import annotations

from model.packs.base import BY, Tune, colours, grown, limit, panel, percent, series_of, share
from model.system import Panel
from model.telemetry import AlertRule

DROPPED = 0.0
"""Lines in five minutes: what is dropped is lost, so by default each one counts."""
ERROR_SHARE = 0.1
"""One push in ten: fewer are single refusals that the next try makes good."""
SELF = "promtail"


# -- alerts ----------------------------------------------------------------------------------------------------------


def alerts(tune: Tune) -> tuple[AlertRule, ...]:
    """Alerts about Promtail; that it is down says TargetDown."""
    return drops_lines(tune), request_errors(tune)


def drops_lines(tune: Tune) -> AlertRule:
    """Lines that Promtail gave up on."""
    bound = limit(tune, "PromtailDropsLines", DROPPED)
    dropped = series_of(SELF, "promtail_dropped_entries_total", host="loki:3100", reason="ingester_error", tenant="")
    more = f"more than {bound:g} " if bound else ""
    return AlertRule(
        name="PromtailDropsLines",
        expr=f"sum by ({BY}, reason) (increase(promtail_dropped_entries_total[5m])) > {bound:g}",
        hold="5m",  # one batch that Loki refused is over by then; what goes on is a cause
        severity="warning",
        limit=bound,
        summary="Promtail dropped {{ $value | humanize }} lines in 5 minutes: {{ $labels.reason }}",
        description=f"Promtail drops {more}lines in 5 minutes, and they are lost: Loki was away for too long or refuses"
        " them.",
        steps=(
            "The reason says who is at fault: ingester_error is Loki's, rate_limited and stream_limited are its limits,"
            " line_too_long is the service's.",
            'Read Loki\'s answer: `{service="promtail"} |= "final error sending batch"` in Grafana\'s Explore.',
            "If LokiDiscardsLines fires too, follow its steps: it is the same limit seen from the other end.",
            "If Loki is away, bring it back first; lines younger than about an hour still wait and are sent then.",
        ),
        example=grown(dropped, bound),
    )


def request_errors(tune: Tune) -> AlertRule:
    """Whatever is no 2xx: a connection that fails counts as status -1."""
    bound = limit(tune, "PromtailRequestErrors", ERROR_SHARE)
    requests = "promtail_request_duration_seconds_count"
    failed = series_of(SELF, requests, host="loki:3100", status_code="500")
    taken = series_of(SELF, requests, host="loki:3100", status_code="204")
    return AlertRule(
        name="PromtailRequestErrors",
        expr=f'sum by ({BY}) (rate({requests}{{status_code!~"2.."}}[5m]))'
        f" / sum by ({BY}) (rate({requests}[5m])) > {bound:g}",
        hold="15m",  # longer than any restart of Loki, and far shorter than the hour that lines wait
        severity="critical",
        limit=bound,
        summary="{{ $value | humanizePercentage }} of the pushes to Loki fail",
        description=f"More than {percent(bound)} of Promtail's pushes are refused or not answered: lines wait in"
        " Promtail and are dropped when it gives up.",
        steps=(
            "Run `make verify`: is Loki healthy? If not, its own alerts and lines say why.",
            "Read Promtail's lines with `docker logs <stack>-promtail`, as they do not reach Loki now.",
            "429 means Loki's limits, 5xx its disk or memory, no status the network between the two.",
        ),
        example=share(failed, taken, bound),
    )


# -- panels ----------------------------------------------------------------------------------------------------------


def panels() -> tuple[Panel, ...]:
    """What Promtail reads, sends and loses; it has metrics of files only where it reads files."""
    lines = {
        "from containers": "sum(rate(promtail_docker_target_entries_total[$__rate_interval])) or on() vector(0)",
        "from files": "sum(rate(promtail_read_lines_total[$__rate_interval])) or on() vector(0)",
        "sent": "sum(rate(promtail_sent_entries_total[$__rate_interval])) or on() vector(0)",
    }
    lost = "sum by (reason) (rate(promtail_dropped_entries_total[$__rate_interval])) or on() vector(0)"
    files = {
        "files": "sum(promtail_files_active_total) or on() vector(0)",
        "targets": "sum(promtail_targets_active_total) or on() vector(0)",
    }
    red = colours((0.001, "red"))
    return (
        panel("Lines read and sent", lines, "cps", "Sent falls behind read while Loki refuses lines.", width=8),
        panel("Lines dropped", {"{{reason}}": lost}, "cps", "These are lost.", width=8, thresholds=red),
        panel("Files followed", files, "short", "Files of the host, and the globs that found them.", width=8),
    )
