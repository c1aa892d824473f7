"""Alerts that once had another name, so that a configuration that still has it is answered with the new one.

Where a public mixin has the same condition the new name is the mixin's; CHANGELOG.md says which.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from model.errors import suggest_name

SINCE = "0.2"
"""The version in which the names changed."""

RENAMED: Mapping[str, str] = {
    "AlertmanagerConfigReloadFailed": "AlertmanagerFailedReload",
    "AlertmanagerNotificationsFailing": "AlertmanagerClusterFailedToSendAlerts",
    "ClickHouseInsertsRejected": "ClickHouseRejectedInserts",
    "ContainerCpuThrottled": "CPUThrottlingHigh",
    "ContainerOomKilled": "KubeContainerOOMKilled",
    "ContainerWaiting": "KubeContainerWaiting",
    "CronJobNotStarted": "KubeCronJobNotStarted",
    "GrafanaErrors": "GrafanaRequestsFailing",
    "HostClockSkew": "NodeClockSkewDetected",
    "HostCpuHigh": "NodeCPUHighUsage",
    "HostCpuSteal": "NodeCPUSteal",
    "HostDiskAlmostFull": "NodeFilesystemAlmostOutOfSpace",
    "HostDiskFilling": "NodeFilesystemSpaceFillingUp",
    "HostDiskLow": "NodeFilesystemSpaceLow",
    "HostFilesystemDeviceError": "NodeFilesystemDeviceError",
    "HostMemoryHigh": "NodeMemoryHighUtilization",
    "HostOomKill": "NodeOOMKill",
    "HostThrashing": "NodeMemoryThrashing",
    "HpaWithoutMetrics": "KubeHpaWithoutMetrics",
    "JaegerDropsSpans": "JaegerCollectorDroppingSpans",
    "JaegerQueryErrors": "JaegerQueryReqsFailing",
    "JobFailed": "KubeJobFailed",
    "NodeCordoned": "KubeNodeCordoned",
    "NodeNotReady": "KubeNodeNotReady",
    "NodePressure": "KubeNodePressure",
    "ObjectiveWithoutData": "SLOWithoutData",
    "PodCrashLooping": "KubePodCrashLooping",
    "PodNotReady": "KubePodNotReady",
    "PostgresCacheHitLow": "PostgreSQLCacheHitRatio",
    "PostgresConnectionsExhausted": "PostgreSQLMaxConnectionsReached",
    "PostgresConnectionsHigh": "PostgreSQLHighConnections",
    "PostgresDeadlocks": "PostgresHasHighDeadLocks",
    "PostgresDown": "PostgreSQLDown",
    "PostgresExporterQueryFailing": "PostgresHasExporterErrors",
    "PostgresIdleInTransaction": "PostgreSQLIdleInTransaction",
    "PostgresLongTransactions": "PostgreSQLLongTransactions",
    "PostgresReplicationLag": "PostgreSQLReplicationLag",
    "PostgresReplicationSlotInactive": "PostgreSQLReplicationSlotInactive",
    "PostgresVacuumBehind": "PostgreSQLVacuumBehind",
    "PostgresWraparoundNear": "PostgreSQLWraparoundNear",
    "ProbeCertificateExpiring": "BlackboxSslCertificateWillExpireSoon",
    "ProbeCertificateLastDays": "BlackboxSslCertificateLastDays",
    "ProbeFailed": "BlackboxProbeFailed",
    "ProbeFlapping": "BlackboxProbeFlapping",
    "ProbeNotAsked": "BlackboxProbeNotRun",
    "ProbeSlow": "BlackboxProbeSlow",
    "PrometheusConfigReloadFailed": "PrometheusBadConfig",
    "PrometheusSampleLimitHit": "PrometheusScrapeSampleLimitHit",
    "PromtailFileNotRead": "PromtailFileMissing",
    "PromtailRequestErrors": "PromtailRequestsErrors",
    "RedisConnectionsHigh": "RedisTooManyConnections",
    "RedisMachineMemoryHigh": "RedisOutOfMemory",
    "ReplicasGone": "KubeReplicasGone",
    "ReplicasMissing": "KubeReplicasMissing",
    "TraefikCertificateEnding": "TraefikTLSCertificatesExpiring",
    "TraefikCertificateNotRenewed": "TraefikTLSCertificatesExpiringSoon",
    "VolumeFilling": "KubePersistentVolumeSpaceLow",
    "VolumeFillsSoon": "KubePersistentVolumeFillsSoon",
}
"""Former names, each with the present one."""


def suggest_present_name(name: str, valid: Iterable[str]) -> str:
    """What ends a message about an unknown alert: its present name, or the nearest of the valid ones."""
    return describe_renaming(name) if name in RENAMED else suggest_name(name, valid)


def describe_renaming(name: str) -> str:
    """A former name and the present one, in words.

    Raises:
        KeyError: it is no former name.
    """
    return f"{name} is called {RENAMED[name]} since {SINCE}"
