"""Promtail: do the lines that it reads reach Loki?

Source of the names: https://grafana.com/docs/loki/latest/send-data/promtail/ and its own /metrics.
"""

from __future__ import annotations

from functools import cache

from components.drawing import RED_ABOVE_ZERO, count_events, draw_failures, fill_zero_if_up, select
from model.dashboard_spec import Panel
from model.limits import Count, Share
from model.telemetry import AlertRule, Example
from packs.base import (
    BY,
    Tune,
    build_flat_samples,
    build_growth_example,
    build_panel,
    build_service_series,
    build_share_example,
    build_thresholds,
    format_percent,
    get_limit,
)

DROPPED = 0.0
"""Lines in five minutes: what is dropped is lost, so by default each one counts."""
ERROR_SHARE = 0.1
"""One push in ten: fewer are single refusals that the next try makes good."""
BEHIND = 65536
"""Bytes: a line that is still being written is shorter; what is more was not read."""
SELF = "promtail"
NOTHING_YET = fill_zero_if_up(SELF)


# -- alerts ----------------------------------------------------------------------------------------------------------


def alerts(tune: Tune) -> tuple[AlertRule, ...]:
    """Alerts about Promtail; that it is down says TargetDown."""
    return (
        alert_on_dropped_lines(tune),
        alert_on_request_errors(tune),
        alert_on_nothing_sent(),
        alert_on_file_not_read(tune),
    )


def alert_on_dropped_lines(tune: Tune) -> AlertRule:
    """Lines that Promtail gave up on."""
    bound = get_limit(tune, "PromtailDropsLines", DROPPED)
    dropped = build_service_series(
        SELF, "promtail_dropped_entries_total", host="loki:3100", reason="ingester_error", tenant=""
    )
    more = f"more than {bound:g} " if bound else ""
    return AlertRule(
        name="PromtailDropsLines",
        expr=f"sum by ({BY}, reason) (increase(promtail_dropped_entries_total[5m])) > {bound:g}",
        for_="5m",  # one batch that Loki refused is over by then; what goes on is a cause
        severity="warning",
        limit=Count(bound),
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
        example=build_growth_example(dropped, bound),
    )


def alert_on_request_errors(tune: Tune) -> AlertRule:
    """Whatever is no 2xx: a connection that fails counts as status -1."""
    bound = get_limit(tune, "PromtailRequestsErrors", ERROR_SHARE)
    requests = "promtail_request_duration_seconds_count"
    failed = build_service_series(SELF, requests, host="loki:3100", status_code="500")
    accepted = build_service_series(SELF, requests, host="loki:3100", status_code="204")
    return AlertRule(
        name="PromtailRequestsErrors",
        expr=f'sum by ({BY}) (rate({requests}{{status_code!~"2.."}}[5m]))'
        f" / sum by ({BY}) (rate({requests}[5m])) > {bound:g}",
        for_="15m",  # longer than any restart of Loki, and far shorter than the hour that lines wait
        severity="critical",
        limit=Share(bound),
        summary="{{ $value | humanizePercentage }} of the pushes to Loki fail",
        description=f"More than {format_percent(bound)} of Promtail's pushes are refused or not answered: lines wait in"
        " Promtail and are dropped when it gives up.",
        steps=(
            "Run `make verify`: is Loki healthy? If not, its own alerts and lines say why.",
            "Read Promtail's lines with `docker logs <stack>-promtail`, as they do not reach Loki now.",
            "429 means Loki's limits, 5xx its disk or memory, no status the network between the two.",
        ),
        example=build_share_example(failed, accepted, bound),
    )


def alert_on_nothing_sent() -> AlertRule:
    """All instances together: a node may be quiet, but a stack whose own containers write nothing does not run."""
    sent = build_service_series(SELF, "promtail_sent_entries_total", instance="promtail:9080", host="loki:3100")
    return AlertRule(
        name="PromtailSendsNothing",
        expr=f"sum by ({BY}) (increase(promtail_sent_entries_total[15m])) == 0",  # one line is enough
        for_="15m",  # with those of the condition half an hour: the stack's own parts write a line every few minutes
        severity="warning",
        summary="Promtail has sent no line for half an hour",
        description="Promtail is up, and not one line reached Loki: it finds no container or file, or may not read"
        " them. Searches in the logs find nothing that is new.",
        steps=(
            'Does it find something? `sum(promtail_targets_active_total)`, and "Files followed" in the dashboard'
            " Monitoring Stack.",
            "Read its lines with `docker logs <stack>-promtail` (or `kubectl logs`): `permission denied` and `no such"
            " file` name what it cannot read.",
            "Run `make verify`: does the socket proxy answer, through which it asks for containers?",
            "Is Loki refusing? Then PromtailRequestsErrors or PromtailDropsLines fire too: follow their steps.",
        ),
        example=Example(fires={sent: "0+5x10 50+0x110"}, silent={sent: "0+5x50 250+0x70"}),
    )


def alert_on_file_not_read(tune: Tune) -> AlertRule:
    """By size and position of each file that a glob found; one that cannot be opened has a size and no position.

    Of these only files that grow count: Promtail keeps the size of one that it never opened when that is deleted.
    """
    bound = get_limit(tune, "PromtailFileMissing", BEHIND)
    labels = {"instance": "promtail:9080", "path": "/var/log/app.log"}
    size, position = (build_service_series(SELF, f"promtail_{what}_bytes_total", **labels) for what in ("file", "read"))
    on = "on(instance, path)"
    return AlertRule(
        name="PromtailFileMissing",
        expr=f"promtail_file_bytes_total - {on} group_left() promtail_read_bytes_total > {bound:g}"
        f" and {on} changes(promtail_read_bytes_total[15m]) == 0"
        f" or changes(promtail_file_bytes_total[1h]) > 0 unless {on} promtail_read_bytes_total",
        for_="15m",  # a file that was just rotated is opened within seconds
        severity="warning",
        limit=bound,
        summary="{{ $labels.instance }} does not read {{ $labels.path }}",
        description=f"More than {bound:g} bytes of the file wait to be read, or it was never opened: its lines are"
        " missing in Loki, and lost when it is rotated away.",
        steps=(
            'Read why: `{service="promtail"} |= "<path>"` in Explore; `permission denied` is about its user.',
            "Look at the file: `ls -l <path>` on the host. Promtail reads as the user and the groups that its container"
            " has (`docker inspect -f '{{.Config.User}} {{.HostConfig.GroupAdd}}' <stack>-promtail`).",
            "Was it replaced in place (copytruncate) or moved to another file system? Restart Promtail once, and rotate"
            " by renaming.",
            "If it is compressed or binary, leave it out of the glob.",
        ),
        example=Example(
            fires={size: build_flat_samples(bound * 1.01 + 1000), position: build_flat_samples(1000)},
            silent={size: build_flat_samples(bound * 0.99 + 1000), position: build_flat_samples(1000)},
        ),
    )


# -- panels ----------------------------------------------------------------------------------------------------------


@cache
def panels() -> tuple[Panel, ...]:
    """What Promtail reads, sends and loses; it has metrics of files only where it reads files."""
    lines = {
        "from containers": f"sum(rate(promtail_docker_target_entries_total[$__rate_interval])){NOTHING_YET}",
        "from files": f"sum(rate(promtail_read_lines_total[$__rate_interval])){NOTHING_YET}",
        "sent": f"sum(rate(promtail_sent_entries_total[$__rate_interval])){NOTHING_YET}",
    }
    lost = "sum by (reason) (rate(promtail_dropped_entries_total[$__rate_interval]))" + fill_zero_if_up(SELF, "reason")
    files = {
        "files": f"sum(promtail_files_active_total){NOTHING_YET}",
        "targets": f"sum(promtail_targets_active_total){NOTHING_YET}",
    }
    size, position = (select(f"promtail_{what}_bytes_total") for what in ("file", "read"))
    on = "on(instance, path)"
    unread = (
        f"topk(8, {size} - {on} group_left() {position} > 0"
        f" or {size} and changes({size}[1h]) > 0 unless {on} {position}){fill_zero_if_up(SELF, 'path')}"
    )
    refused = {"pushes": count_events("promtail_request_duration_seconds_count", 'status_code!~"2.."')}
    return (
        build_panel("Lines read and sent", lines, "cps", "Sent falls behind read while Loki refuses lines.", width=6),
        build_panel(
            "Lines dropped", {"{{reason}}": lost}, "cps", "These are lost.", width=6, thresholds=RED_ABOVE_ZERO
        ),
        build_panel("Files followed", files, "short", "Files of the host, and the globs that found them.", width=6),
        build_panel(
            "Files not read to their end",
            {"{{instance}} {{path}}": unread},
            "bytes",
            f"The eight of which most waits; 0 where no files are read. A warning is sent when more than"
            f" {BEHIND / 1024:g} KiB wait and nothing is read.",
            width=6,
            thresholds=build_thresholds((BEHIND, "yellow")),
        ),
        draw_failures("Pushes refused by Loki", refused, SELF, "Within five minutes; most are tried again."),
    )
