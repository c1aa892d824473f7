"""What goes wrong in the five systems on purpose, and the alerts that each of it must raise."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

from cli.render import plan_file
from tests.support import database_troubles, troubles
from tests.support.running import RunningStack
from tests.support.yaml_files import read_yaml

SYSTEMS = ("plue", "pluggedin", "agenttrace", "devops-mcp", "execora")
Trouble = Callable[[RunningStack], AbstractContextManager[troubles.Poke]]


@dataclass(frozen=True)
class Cause:
    """Something wrong with a system, and the alerts that it must raise, as (name, service).

    It ends when the receiver was notified of them. A `brief` one, which stops Alertmanager or the receiver, ends
    when they have fired: no message arrives meanwhile.
    """

    system: str
    alerts: tuple[tuple[str, str], ...]
    trouble: Trouble
    brief: bool = False


def _of(system: str, service: str, name: str, parameters: dict[str, Any], *alerts: str) -> Cause:
    """A fault of the stand-in of a service."""

    @contextmanager
    def trouble(stack: RunningStack) -> Iterator[troubles.Poke]:
        port = plan_file(stack.stack_file, stack.name).system.services[service].port
        stack.fault(service, port, name, **parameters)
        try:
            yield troubles.nothing
        finally:
            stack.heal(service, port, name)

    return Cause(system, tuple((alert, service) for alert in alerts), trouble)


def _at(system: str, service: str, alerts: Sequence[str], trouble: Trouble, *, brief: bool = False) -> Cause:
    """A real trouble, and the alerts about one service that it raises."""
    return Cause(system, tuple((alert, service) for alert in alerts), trouble, brief)


def _broken(system: dict[str, Any]) -> None:
    """A rule that only fails when it is evaluated, and a limit that is too low."""
    both = {'up{service="api"}': "1+0x120"}
    system["services"]["mcp-server"]["sampleLimit"] = 5
    system.setdefault("alerts", []).append(
        {
            "name": "Broken", "expr": "sum by (service) (up) * on () up > 1e9", "severity": "info",
            "summary": "never", "description": "never", "example": {"fires": both, "silent": both},
        }
    )  # fmt: skip


CAUSES = (
    # of each system those come first that take the longest
    _at(
        "plue", "cadvisor",
        ["ContainerMemoryNearLimit", "ContainerRestarting", "CPUThrottlingHigh", "ContainerUnhealthy"],
        troubles.bad_containers,
    ),
    _at(
        "plue", "api", ["PlueApiRestarts"],
        lambda stack: troubles.restarted(stack, "api", "plue_uptime_seconds"),
    ),
    _at(
        "plue", "postgres-exporter", ["PostgreSQLMaxConnectionsReached"],
        lambda stack: database_troubles.crowded_postgres(stack, "plue"),
    ),
    _of("plue", "api", "auth_failures", {"ratio": 0.95}, "PlueAuthFailures"),
    _of(
        "plue", "api", "rate", {"plue_db_query_errors_total": 20, "plue_http_requests_total": 0},
        "PlueDatabaseQueryErrors",
    ),
    _of("plue", "web", "rate", {"browser_exceptions_total": 40}, "BrowserErrorsHigh"),
    _of("plue", "web", "observe", {"browser_web_vital_seconds": 8}, "BrowserPagesSlow"),
    _of("pluggedin", "rag-api", "jobs_failed", {"ratio": 0.9}, "RagQueriesFailing", "LlmCallsFailing"),
    _of("pluggedin", "rag-api", "latency", {"seconds": 3}, "SlowRequests", "BlackboxProbeSlow"),
    _of("pluggedin", "milvus", "jobs_failed", {"ratio": 0.9}, "MilvusRequestsFailing"),
    _of("pluggedin", "milvus", "observe", {"milvus_proxy_sq_latency": 1900}, "MilvusSearchSlow"),
    _of("pluggedin", "pluggedin-app", "lag", {"seconds": 2}, "EventLoopLag"),
    _of("pluggedin", "registry-proxy", "down", {}, "TargetDown"),
    _at("pluggedin", "promtail", ["PromtailRequestsErrors"], lambda stack: troubles.stopped(stack, "loki")),
    _of("agenttrace", "worker", "backlog", {"depth": 30000}, "QueueBacklog"),
    _of("agenttrace", "worker", "jobs_failed", {"ratio": 0.9}, "JobsFailing"),
    _of("agenttrace", "worker", "leak", {"bytes_per_second": 3000000}, "MemoryLeak", "GoroutineLeak"),
    _of("agenttrace", "api", "pool", {"ratio": 0.98}, "ConnectionPoolExhausted"),
    _of(
        "agenttrace", "api", "observe", {"db_query_duration_seconds": 4, "clickhouse_query_duration_seconds": 25},
        "SlowQueries", "ClickHouseSlowQueries",
    ),
    _of("agenttrace", "api", "rate", {"traces_ingested_total": 10}, "IngestionLow"),
    _of("agenttrace", "api", "value", {"process_open_fds": 1000}, "OpenFilesHigh"),
    _of(
        "agenttrace", "clickhouse", "value",
        {"ClickHouseAsyncMetrics_DiskAvailable_default": 1e11, "ClickHouseAsyncMetrics_MaxPartCountForPartition": 900},
        "ClickHouseDiskHigh", "ClickHouseTooManyParts",
    ),
    _of(
        "agenttrace", "clickhouse", "rate", {"ClickHouseProfileEvents_RejectedInserts": 5}, "ClickHouseRejectedInserts"
    ),
    _at("agenttrace", "cadvisor", ["ContainerMetricsMissing"], troubles.blind_cadvisor),
    Cause(
        "agenttrace", (("RedisDown", "redis-exporter"), ("PostgreSQLDown", "postgres-exporter")),
        lambda stack: troubles.stopped(stack, "redis", "postgres"),
    ),
    _at(
        "agenttrace", "prometheus", ["PrometheusBadConfig"],
        lambda stack: troubles.spoiled(
            stack, "prometheus", "/etc/prometheus", "prometheus.yml", troubles.hang_up(stack, "prometheus")
        ),
    ),
    _at(
        "agenttrace", "alertmanager", ["AlertmanagerFailedReload"],
        lambda stack: troubles.spoiled(
            stack, "alertmanager", "/etc/alertmanager", "alertmanager.yml", troubles.hang_up(stack, "alertmanager")
        ),
    ),
    _at(
        "agenttrace", "blackbox-exporter", ["BlackboxConfigReloadFailed"],
        lambda stack: troubles.spoiled(
            stack, "blackbox-exporter", "/etc/blackbox_exporter", "blackbox.yml",
            troubles.hang_up(stack, "blackbox-exporter"),
        ),
    ),
    _at(
        "agenttrace", "loki", ["LokiRuntimeConfigRefused"],
        lambda stack: troubles.spoiled(stack, "loki", "/etc/loki", "runtime.yaml"),
    ),
    _at(
        "agenttrace", "grafana", ["GrafanaRequestsFailing"],
        lambda stack: troubles.spoiled(
            stack, "grafana", "/etc/grafana/provisioning", "dashboards/dashboards.yaml", troubles.reload_grafana(stack)
        ),
    ),
    _of("devops-mcp", "rest-api", "errors", {"ratio": 0.9}, "HighErrorRatio", "ErrorBudgetBurnFast"),
    Cause(
        "devops-mcp", (("PrometheusRuleFailures", "prometheus"), ("PrometheusScrapeSampleLimitHit", "prometheus")),
        lambda stack: troubles.edited(stack, _broken),
    ),
    _of("devops-mcp", "worker", "leak", {"bytes_per_second": 3000000}, "MemoryLeak", "GoroutineLeak"),
    _at(
        "devops-mcp", "redis-exporter",
        [
            "RedisClientsBlocked", "RedisMemoryHigh", "RedisRejectedConnections", "RedisSlowLog", "RedisSavingFails",
            "RedisTooManyConnections", "RedisMasterLinkDown",
        ],
        database_troubles.busy_redis,
    ),
    _at(
        "devops-mcp", "postgres-exporter",
        [
            "PostgreSQLReplicationSlotInactive", "PostgreSQLIdleInTransaction", "PostgreSQLVacuumBehind",
            "PostgresHasExporterErrors",
        ],
        lambda stack: database_troubles.neglected_postgres(stack, "devops"),
    ),
    _at(
        "devops-mcp", "promtail", ["PromtailFileMissing"],
        lambda stack: troubles.closed_file(stack, "mcp-server", "/var/log/demo"),
    ),
    _at(
        "devops-mcp", "postgres-exporter",
        [
            "PostgreSQLHighConnections",
            "PostgreSQLLongTransactions",
            "PostgresHasHighDeadLocks",
            "PostgreSQLCacheHitRatio",
        ],
        lambda stack: database_troubles.busy_postgres(stack, "devops"),
    ),
    _at(
        "devops-mcp", "alertmanager", ["AlertmanagerClusterFailedToSendAlerts"],
        lambda stack: troubles.paused(stack, "demo-webhook"), brief=True,
    ),
    _of("execora", "app", "disconnect", {"ratio": 0.95}, "WebSocketDisconnections"),
    _of("execora", "app", "lag", {"seconds": 2}, "EventLoopLag"),
    _of("execora", "app", "jobs_failed", {"ratio": 0.9}, "VoiceCommandsFailing"),
    _of("execora", "app", "value", {"task_queue_pending": 900}, "TasksPending"),
    Cause(
        "execora", (("PromtailDropsLines", "promtail"), ("LokiDiscardsLines", "loki")),
        lambda stack: troubles.long_lines(stack, "app", 9091),
    ),
    _at("execora", "loki", ["LokiRequestErrors"], troubles.never_ready),
    _at(
        "execora", "traefik", ["TraefikServiceErrors"],
        lambda stack: troubles.unanswered(stack, "grafana", "/grafana/login"),
    ),
    _at(
        "execora", "prometheus", ["PrometheusErrorSendingAlertsToAnyAlertmanager"],
        lambda stack: troubles.stopped(stack, "alertmanager"), brief=True,
    ),
    _at(
        "plue", "node-exporter",
        ["NodeOOMKill", "NodeCPUHighUsage", "NodeMemoryHighUtilization", "NodeFilesystemAlmostOutOfSpace"],
        lambda stack: troubles.busy_host(
            stack.state.parent,
            memory_from=_threshold(stack, "NodeMemoryHighUtilization"),
            disk_below=_threshold(stack, "NodeFilesystemAlmostOutOfSpace"),
        ),
    ),
)  # fmt: skip
ALWAYS_FIRES = "Watchdog"
FIRED_ELSEWHERE = {
    "OtelQueueFilling": "stores of shipped stacks stay up; tests/e2e/test_otel.py stops one",
    "OtelReceiverRefusing": "as above, until the queue is full: tests/e2e/test_otel.py",
    "OtelSenderUndeclared": "no stand-in sends metrics; tests/e2e/test_otel.py has a stranger send some",
    "DeadMansSwitchNotReached": "no shipped stack has a switch; tests/e2e/test_notifications.py fails its calls",
}
"""Alerts that no trouble here raises, and where another test fires the very same one."""
NOT_FIRED = {
    "NodeClockSkewDetected": "its clock is left alone; a gauge beyond its bound fires as NodeMemoryHighUtilization",
    "NodeFilesystemSpaceFillingUp": "it wants three hours of history; a forecast fires as MemoryLeak",
    "NodeCPUSteal": "nothing here runs other guests; a busy share of the cores fires as NodeCPUHighUsage",
    "NodeMemoryThrashing": "the machine would stand still; a growing counter fires as LokiDiscardsLines",
    "NodeFilesystemDeviceError": "no disk is broken; a state that the exporter tells fires as RedisSavingFails",
    "NodeBondingDegraded": "there is no bond; a difference fires as PromtailFileMissing",
    "NodeClockNotSynchronising": "the clock is left alone; a state that is told fires as RedisSavingFails",
    "NodeDiskIOSaturation": "others use the disk; a growing counter fires as CPUThrottlingHigh",
    "NodeFilesystemAlmostOutOfFiles": "others use the disk; a small share left fires as NodeFilesystemAlmostOutOfSpace",
    "NodeRAIDDegraded": "there is no array; a difference fires as PromtailFileMissing",
    "ClickHouseDiskAlmostFull": "it silences the warning of the same share, which fires as ClickHouseDiskHigh",
    "LokiRequestPanics": "no request is known that crashes it; a growing counter fires as LokiDiscardsLines",
    "LokiRetentionNeverApplied": "it wants three hours; a state that is told fires as RedisSavingFails",
    "PostgreSQLReplicationLag": "there is no standby; a number of seconds fires as PostgreSQLLongTransactions",
    "PostgreSQLWraparoundNear": "it wants a thousand million transactions; a number fires as PostgreSQLVacuumBehind",
    "PromtailSendsNothing": "it wants half an hour without a line; a rate that is too low fires as IngestionLow",
    "RedisOutOfMemory": "it wants all of the machine's memory; a full share fires as RedisMemoryHigh",
    "GrafanaDatasourceErrors": "the dashboard viewer counts none; a growing counter fires as LokiDiscardsLines",
    "JaegerCollectorDroppingSpans": "it refuses from 10,000 waiting ones; a growing counter fires as LokiDiscardsLines",
    "JaegerQueueFilling": "spans are kept in memory faster than they come; a full share fires as RedisMemoryHigh",
    "JaegerSpansNotSaved": "its memory refuses nothing; a failing share fires as JobsFailing",
    "JaegerQueryReqsFailing": "its memory answers every search; a failing share fires as LokiRequestErrors",
    "BrowserRequestsFailing": "no fault chooses how requests end; a failing share fires as JobsFailing",
    "BrowserSilent": "it compares with the week before; a rate below its bound fires as IngestionLow",
    "OtelItemsLost": "no store refuses anything for good; a growing counter fires as LokiDiscardsLines",
    "OtelSenderVolumeHigh": "no stand-in sends metrics; a rate that is too high fires as LokiDiscardsLines",
    "OtelSpanNamesTooMany": "stand-ins have few names; a series that should not be there fires as PromtailFileMissing",
    "OtelStreamsDropped": "no stand-in sends differences; a growing counter fires as LokiDiscardsLines",
    "McpSourceFailing": "nobody calls while a source is away; a failing share fires as JobsFailing",
    "McpCallsFailing": "as above; a failing share fires as LokiRequestErrors",
    "McpTokensRefused": "nobody guesses; a growing counter fires as LokiDiscardsLines",
    "McpDocumentRefused": "a delivery validates before it switches; a state fires as RedisSavingFails",
    "LokiRetentionNotApplied": "it wants three hours; an age fires as ContainerUnhealthy",
    "BlackboxSslCertificateWillExpireSoon": "no stand-in speaks TLS; a time beside now fires as ContainerUnhealthy",
    "PlueNoTraffic": "it compares with the day before; a rate below its bound fires as IngestionLow",
    "IngestionVeryLow": "it compares with the day before; a rate below its bound fires as IngestionLow",
    "SLOWithoutData": "stand-ins expose what the file says; a share beyond its bound fires as JobsFailing",
    "OutcomeUnknown": "as above, see tests/test_wrong_names.py; a share beyond its bound fires as JobsFailing",
    "ErrorBudgetBurnSlow": "the worse one silences it (tests/e2e/test_mutes.py); it fires as ErrorBudgetBurnFast",
    "NodeFilesystemSpaceLow": "the worse one silences it (tests/e2e/test_mutes.py); see NodeFilesystemAlmostOutOfSpace",
    "BlackboxProbeFailed": "a stand-in is down as a whole (tests/e2e/test_mutes.py fires it); it is told as TargetDown",
    "QueueFilling": "the worse one silences it (tests/e2e/test_mutes.py); it fires as QueueBacklog",
    "MetricMissing": "stand-ins expose what the file says; a state that is told fires as ContainerUnhealthy",
    "BlackboxSslCertificateLastDays": "no stand-in speaks TLS; a time beside now fires as ContainerUnhealthy",
    "BlackboxProbeFlapping": "it wants a quarter of an hour; an average beyond its bound fires as CPUThrottlingHigh",
    "BlackboxProbeNotRun": "no answer is refused here; a scrape that fails fires as TargetDown",
    "PrometheusDuplicateTimestamps": "no stand-in repeats itself; a growing counter fires as LokiDiscardsLines",
    "PrometheusOutOfOrderTimestamps": "no stand-in sends times; a growing counter fires as LokiDiscardsLines",
    "PrometheusSDRefreshFailure": "lists are whole here; a growing counter fires as LokiDiscardsLines",
    "PrometheusTSDBFailing": "no disk is broken; a growing counter fires as LokiDiscardsLines",
    "PrometheusTargetEmpty": "every target is known; a scrape that fails fires as TargetDown",
    "PrometheusTargetSyncFailure": "no target is refused; a growing counter fires as LokiDiscardsLines",
    "TargetFlapping": "it wants a quarter of an hour; an average beyond its bound fires as CPUThrottlingHigh",
    "TargetsFewerThanExpected": "every target is known; a scrape that fails fires as TargetDown",
    "PrometheusSlowRuleGroups": "no rule takes as long as its interval; a full share fires as RedisMemoryHigh",
    "PrometheusStorageAlmostFull": "blocks come after two hours; a share beyond its bound fires as RedisMemoryHigh",
}
"""Alerts that no trouble here raises: why, and which one of the same condition is fired instead."""
SLOW_TO_END = {
    "ErrorBudgetBurnFast": "what is lost of an error budget stays lost for the objective's window",
    "ContainerRestarting": "it counts the restarts of a quarter of an hour",
    "NodeOOMKill": "it counts what happened in ten minutes",
    "PrometheusScrapeSampleLimitHit": "it counts what happened in ten minutes",
}
"""Alerts whose end is not waited for; LokiDiscardsLines and PlueApiRestarts count events too, and are seen to end."""


def tuned(stack: RunningStack) -> dict[str, Any]:
    """Thresholds that this machine can be driven across in minutes without harm."""
    free = round(troubles.disk_free(stack.state.parent) - troubles.DISK_MARGIN, 4)
    used = round(troubles.memory_used() + troubles.MEMORY_MARGIN, 4)
    if stack.system == "plue":
        # five stacks alone can take more of a small machine's processors than the shipped bound allows
        bounds = {"NodeFilesystemAlmostOutOfSpace": free, "NodeMemoryHighUtilization": used, "NodeCPUHighUsage": 0.98}
    elif stack.system == "devops-mcp":
        bounds = {
            "PostgreSQLHighConnections": 0.2, "PostgreSQLLongTransactions": 20, "PostgreSQLIdleInTransaction": 20,
            "PostgresHasHighDeadLocks": 1, "RedisClientsBlocked": 10,
        }  # fmt: skip
    else:
        bounds = {}
    return {name: {"threshold": value} for name, value in bounds.items()}


def _threshold(stack: RunningStack, alert: str) -> float:
    """What the stack's own copy of its system says."""
    document = read_yaml((stack.root / f"configs/systems/{stack.system}.yaml").read_text())
    return float(document["tune"][alert]["threshold"])
