"""The collector: do the lines of all containers and files reach Loki?

Source of the names: https://opentelemetry.io/docs/collector/internal-telemetry/, and the metrics of
`components.collector.container_links`.
"""

from __future__ import annotations

from functools import cache

from components.collector.settings import LINKS, NAME
from components.drawing import RED_ABOVE_ZERO, fill_zero_if_up, select, take_rate
from components.otelcol import count_new
from model.dashboard_spec import Panel
from model.limits import Share
from model.telemetry import AlertRule, Example
from packs.base import (
    BY,
    Tune,
    build_flat_samples,
    build_gauge_example,
    build_panel,
    build_service_series,
    build_thresholds,
    format_percent,
    get_limit,
)

QUEUE_SHARE = 0.5
"""Half of the queue: at a steady rate as much time is left as has passed since Loki went away."""
QUEUE_BYTES = 64 * 1024 * 1024
"""What the queue holds by default; for the example alone."""
STALE_SECONDS = 300
OWN = f'service="{NAME}"'
EXPORTER = {"exporter": "otlp_http/loki"}


# -- alerts ----------------------------------------------------------------------------------------------------------


def alerts(tune: Tune) -> tuple[AlertRule, ...]:
    """Alerts about the collector and its links; that one of them is down says TargetDown."""
    return (
        alert_on_queue_filling(tune),
        alert_on_lost_lines(),
        alert_on_nothing_sent(),
        alert_on_unreadable_container(),
        alert_on_missing_file(),
        alert_on_stale_links(),
    )


def alert_on_queue_filling(tune: Tune) -> AlertRule:
    """What waits on disk for Loki, as a share of what may."""
    bound = get_limit(tune, "CollectorQueueFilling", QUEUE_SHARE)
    size, capacity = (
        build_service_series(NAME, f"otelcol_exporter_queue_{what}", data_type="logs", **EXPORTER)
        for what in ("size", "capacity")
    )
    return AlertRule(
        name="CollectorQueueFilling",
        expr=f"max by ({BY}) (otelcol_exporter_queue_size{{{OWN}}}"  # each node has one
        f" / otelcol_exporter_queue_capacity{{{OWN}}}) > {bound:g}",
        for_="5m",  # longer than any restart of Loki
        severity="critical",
        limit=Share(bound),
        summary="The queue of lines for Loki is filled to {{ $value | humanizePercentage }}",
        description=f"More than {format_percent(bound)} of the collector's queue is taken, as Loki takes no lines."
        " Nothing is lost yet; once it is full, files are read no further, and what is rotated away is lost.",
        steps=(
            "Run `make verify`: is Loki healthy? If not, its own alerts and lines say why.",
            "Read the collector's lines with `docker logs <stack>-collector` (or `kubectl logs`), as they do not reach"
            " Loki now.",
            "429 means Loki's limits, 5xx its disk or memory, no status the network between the two.",
            "If Loki will be away for long, give the queue more room: `collector: {queue: 512MiB}`.",
        ),
        example=build_gauge_example(size, bound * QUEUE_BYTES, **{capacity: build_flat_samples(QUEUE_BYTES)}),
    )


def alert_on_lost_lines() -> AlertRule:
    """What Loki refused for good."""
    series = build_service_series(NAME, "otelcol_exporter_send_failed_log_records", **EXPORTER)
    failed = f"otelcol_exporter_send_failed_log_records{{{OWN}}}"
    up = build_service_series(NAME, "up")
    return AlertRule(
        name="CollectorLinesLost",
        expr=f"{count_new(BY, failed)} > 0",
        for_="1m",  # a single loss is seen for five minutes; a restart of Prometheus makes none
        keep_firing_for="10m",  # it is over soon, and somebody should read of it
        severity="warning",
        summary="Loki refused requests with {{ $value | humanize }} lines in 5 minutes",
        description="Loki refused what the collector sent, for good. Lines of the same request that are right are"
        " stored, so fewer may be lost.",
        steps=(
            "Read why: `{service=\"collector\"} | json` in Grafana's Explore; the message has Loki's answer.",
            "If LokiDiscardsLines fires too, follow its steps: it is the same limit seen from the other end.",
            "If lines are too far behind, look at the clock of the host and at programs that write old times.",
        ),
        example=Example(
            fires={series: "_x58 3+0x10", up: build_flat_samples(1)},  # it appears with the first loss
            silent={series: "_x58 3+0x10", up: "_x58 1+0x10"},  # Prometheus was away until then
        ),
    )


def alert_on_nothing_sent() -> AlertRule:
    """A stack whose own containers write nothing does not run."""
    sent = build_service_series(NAME, "otelcol_exporter_sent_log_records", **EXPORTER)
    return AlertRule(
        name="CollectorSendsNothing",
        expr=f"sum by ({BY}) (increase(otelcol_exporter_sent_log_records{{{OWN}}}[15m])) == 0",  # one line is enough
        for_="15m",  # with those of the condition half an hour: the stack's own parts write a line every few minutes
        severity="warning",
        summary="The collector has sent no line for half an hour",
        description="The collector is up, and not one line reached Loki: it finds no file, or may not read them."
        " Searches in the logs find nothing that is new.",
        steps=(
            "Are there links to containers? `container_links` in Explore; where there are none, read"
            " `docker logs <stack>-collector-links` (or `kubectl logs`).",
            "Read the collector's lines with `docker logs <stack>-collector`: `permission denied` names a file.",
            "Is `docker.dataRoot` the engine's? `docker info -f '{{.DockerRootDir}}'` shows it.",
            "Is Loki refusing? Then CollectorQueueFilling or CollectorLinesLost fire too: follow their steps.",
        ),
        example=Example(fires={sent: "0+5x10 50+0x110"}, silent={sent: "0+5x50 250+0x70"}),
    )


def alert_on_unreadable_container() -> AlertRule:
    """A container that writes by another log driver."""
    series = build_service_series(LINKS, "container_links_unreadable", container="api", driver="local")
    return AlertRule(
        name="CollectorContainerUnreadable",
        expr=f"max by ({BY}, container, driver) (container_links_unreadable) > 0",
        for_="5m",  # a container that is tried and removed is no matter
        severity="warning",
        summary="Lines of the container {{ $labels.container }} are not read: its log driver is {{ $labels.driver }}",
        description="The collector reads the files that the driver json-file writes; the lines of this container are"
        " in none, so they are missing in Loki.",
        steps=(
            "Which driver is the engine's usual one? `docker info -f '{{.LoggingDriver}}'`.",
            "Make the container anew with `--log-driver json-file`, or set `log-driver` in the engine's daemon.json.",
            "Or let Promtail read, which asks the engine for the lines: `logs: {agent: promtail}`.",
        ),
        example=Example(fires={series: build_flat_samples(1)}, silent={series: build_flat_samples(0)}),
    )


def alert_on_missing_file() -> AlertRule:
    """A container that runs and whose file is not where it was looked for."""
    path = "/var/lib/docker/containers/0a1b"
    series = build_service_series(LINKS, "container_links_missing", container="api", path=path)
    return AlertRule(
        name="CollectorFileMissing",
        expr=f"max by ({BY}, container, path) (container_links_missing) > 0",
        for_="10m",  # a container that has just started may have no file yet
        severity="warning",
        summary="The file with the lines of {{ $labels.container }} cannot be read: {{ $labels.path }}",
        description="The container runs, and its file is not where the collector reads, or may not be read: its lines"
        " are missing in Loki, and lost when they are rotated away.",
        steps=(
            "Look for the file: `ls -l <path>` on the host or node.",
            "On an engine, is `docker.dataRoot` the folder that `docker info -f '{{.DockerRootDir}}'` shows?",
            "On a node whose runtime is Docker, files of pods are links: `collector: {dockerFolder: ...}` names where"
            " they lead to.",
            "If the file was removed while the container writes to it, restart the container.",
        ),
        example=Example(fires={series: build_flat_samples(1)}, silent={series: build_flat_samples(0)}),
    )


def alert_on_stale_links() -> AlertRule:
    """The engine, or the API server of one node's program, does not say what runs."""
    series = build_service_series(LINKS, "container_links_listed_timestamp_seconds")
    return AlertRule(
        name="CollectorLinksStale",
        expr=f"time() - min by ({BY}) (container_links_listed_timestamp_seconds) > {STALE_SECONDS}",
        for_="5m",  # a restart of the engine is over by then
        severity="warning",
        summary="Containers have not been listed for {{ $value | humanizeDuration }}",
        description="New containers are not seen: their lines are missing until the engine is asked again, and lost"
        " where a container is removed before that.",
        steps=(
            "Run `make verify`: on an engine, does the socket proxy answer, through which it asks for containers?",
            "Read `docker logs <stack>-collector-links` (or `kubectl logs`): it says who does not answer, or refuses.",
        ),
        example=Example(fires={series: build_flat_samples(0)}, silent={series: "0+60x120"}),
    )


# -- panels ----------------------------------------------------------------------------------------------------------


@cache
def panels() -> tuple[Panel, ...]:
    """What the collector reads, sends and loses."""
    nothing_yet = fill_zero_if_up(NAME)
    rate = {
        name: f"sum({take_rate(f'otelcol_{name}_log_records', OWN)}){nothing_yet}"
        for name in ("receiver_accepted", "exporter_sent", "exporter_send_failed")
    }
    size, capacity = (select(f"otelcol_exporter_queue_{what}", OWN) for what in ("size", "capacity"))
    files = {
        "open files": f"sum({select('otelcol_fileconsumer_open_files', OWN)}){nothing_yet}",
        "containers": f"sum({select('container_links')})",
    }
    return (
        build_panel(
            "Lines read and sent",
            {"read": rate["receiver_accepted"], "sent": rate["exporter_sent"]},
            "cps",
            "Sent falls behind read while Loki refuses lines.",
            width=6,
        ),
        build_panel("Lines refused", {"lines": rate["exporter_send_failed"]}, "cps", "By Loki, for good.", width=6,
                    thresholds=RED_ABOVE_ZERO),
        build_panel("Queue", {"queue": f"{size} / {capacity}"}, "percentunit",
                    f"What waits on disk. A warning is sent above {format_percent(QUEUE_SHARE)}.", width=6,
                    thresholds=build_thresholds((QUEUE_SHARE, "red"))),
        build_panel("Files followed", files, "short", "Files that grow, and containers with a link.", width=6),
    )  # fmt: skip
