"""What goes wrong in a stack for each pair of alerts of which one follows from the other, as its targets expose it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from packs.clickhouse import FREE, TOTAL
from tests.support.alerting import (
    Counters,
)

Labels = dict[str, str]


Pair = tuple[str, str]


@dataclass(frozen=True)
class Seen:
    """Labels of the worse alert, of the one that follows from it, and of one that does not."""

    worse: Labels
    follows: Labels
    other: Labels


def _of(service: str, **labels: str) -> Labels:
    return {"service": service, **labels}


def _database(kind: str, name: str) -> Labels:
    return _of(f"{kind}-exporter-{kind}-{name}", database=f"{kind}-{name}")


ROOT_DISK = _of("node-exporter", instance="node-exporter-0:9100", mountpoint="/")


OTHER_DISK = _of("node-exporter", instance="node-exporter-0:9100", mountpoint="/data")


PAIRS = {
    ("NodeFilesystemAlmostOutOfSpace", "NodeFilesystemSpaceLow"): Seen(ROOT_DISK, ROOT_DISK, OTHER_DISK),
    ("NodeFilesystemAlmostOutOfSpace", "NodeFilesystemSpaceFillingUp"): Seen(
        ROOT_DISK, ROOT_DISK, {**ROOT_DISK, "instance": "node-exporter-1:9100"}
    ),
    **{
        ("PostgreSQLDown", name): Seen(*(_database("postgres", key) for key in ("main", "main", "other")))
        for name in ("PostgreSQLHighConnections", "PostgreSQLLongTransactions", "PostgreSQLCacheHitRatio")
    },
    ("PostgreSQLMaxConnectionsReached", "PostgreSQLHighConnections"): Seen(
        *(_database("postgres", key) for key in ("third", "third", "other"))
    ),
    **{
        ("RedisDown", name): Seen(*(_database("redis", key) for key in ("main", "main", "other")))
        for name in ("RedisMemoryHigh", "RedisClientsBlocked")
    },
    ("BlackboxProbeFailed", "BlackboxProbeSlow"): Seen(
        _of("api", instance="http://api:4000/health"),
        _of("api", instance="http://api:4000/health"),
        _of("api", instance="http://api:4000/slow"),
    ),
    ("BlackboxSslCertificateLastDays", "BlackboxSslCertificateWillExpireSoon"): Seen(
        _of("api", instance="http://api:4000/slow"),
        _of("api", instance="http://api:4000/slow"),
        _of("api", instance="http://api:4000/health"),
    ),
    ("TargetDown", "BlackboxProbeFailed"): Seen(_of("cart"), _of("cart"), _of("desk")),
    ("TargetDown", "BlackboxProbeSlow"): Seen(
        _of("cart"), _of("cart", instance="http://cart-0:80/slow"), _of("desk", instance="http://desk-0:80/slow")
    ),
    ("PrometheusAllTargetsMissing", "DiscoveredTargetDown"): Seen(_of("web"), _of("web"), _of("mail")),
    ("PrometheusAllTargetsMissing", "BlackboxProbeFailed"): Seen(_of("web"), _of("web"), _of("mail")),
    ("PrometheusAllTargetsMissing", "BlackboxProbeSlow"): Seen(
        _of("web"), _of("web", instance="http://web-0:80/slow"), _of("mail", instance="http://mail-0:80/slow")
    ),
    ("ClickHouseDiskAlmostFull", "ClickHouseDiskHigh"): Seen(
        *(_of("clickhouse", instance=f"clickhouse-{n}:80") for n in (0, 0, 1))
    ),
    **{
        ("KubePersistentVolumeFillingUp", name): Seen(
            *(_of("kubelet", namespace="shop", persistentvolumeclaim=claim) for claim in ("a", "a", "b"))
        )
        for name in ("KubePersistentVolumeSpaceLow", "KubePersistentVolumeFillsSoon")
    },
    ("QueueBacklog", "QueueFilling"): Seen(
        _of("worker", queue="a"), _of("worker", queue="a"), _of("worker", queue="b")
    ),
    ("ErrorBudgetBurnFast", "ErrorBudgetBurnSlow"): Seen(_of("api"), _of("api"), _of("desk")),
    ("AlertmanagerClusterFailedToSendAlerts", "AlertmanagerFailedToSendAlerts"): Seen(
        _of("alertmanager", integration="slack"),
        _of("alertmanager", integration="slack"),
        _of("alertmanager", integration="email"),
    ),
    (
        "PrometheusErrorSendingAlertsToAnyAlertmanager",
        "PrometheusErrorSendingAlertsToSomeAlertmanagers",
    ): Seen(
        _of("prometheus", instance="prometheus-0:9090"),
        _of("prometheus", instance="prometheus-0:9090"),
        _of("prometheus", instance="prometheus-1:9090"),
    ),
}  # fmt: skip
"""The labels by which both are told apart at the receiver."""


CONTAINER = 'container_last_seen{pod="a",container="b",namespace="shop"} 1\n'
"""So that somebody is seen by whoever looks at containers."""


@dataclass
class World:
    """What everything exposes: `worse` is wrong, or what follows from it (`lesser`), or something else (`other`)."""

    worse: bool = False
    lesser: bool = False
    other: bool = False
    counters: Counters = field(default_factory=Counters)
    began: float = field(default_factory=time.time)

    def page(self, host: str, probed: str) -> str | None:
        """What a target answers; None where it is down."""
        name = host.partition(":")[0].partition(".")[0]
        if probed:
            return self.probe(probed)
        if name in self.down():
            return None
        kind = name.rstrip("0123456789").rstrip("-")
        pages = {
            "node-exporter": self.disks,
            **dict.fromkeys((f"postgres-exporter-postgres-{key}" for key in ("main", "other", "third")), self.postgres),
            **dict.fromkeys((f"redis-exporter-redis-{key}" for key in ("main", "other", "third")), self.redis),
            "cadvisor": lambda _: CONTAINER, "clickhouse": self.clickhouse, "kubelet": self.volumes,
            "worker": self.queues, "api": self.requests, "desk": self.requests,
            "alertmanager": self.notifications, "prometheus": self.sending,
        }  # fmt: skip
        return pages[kind](name) if kind in pages else ""

    def down(self) -> set[str]:
        """All targets of cart and web, or one of the two of desk and mail."""
        everything = {"cart-0", "cart-1", "web-0", "web-1"} if self.worse else {"web-0"} if self.lesser else set()
        return everything | ({"desk-0", "mail-0"} if self.other else set())

    def _bad(self, name: str) -> bool:
        """Whether the lesser condition of the one (main, cart, web) or the other is there."""
        return self.other if name in ("other", "desk", "mail") else self.lesser

    def probe(self, address: str) -> str:
        """Endpoints that fail or are slow, and certificates."""
        service, slow = address.split("//")[1].partition(":")[0].partition("-")[0], address.endswith("/slow")
        bad = self._bad(service)
        if service == "api":
            failed, late = self.worse and not slow, self.other if slow else self.lesser
        else:
            failed, late = bad and not slow, bad
        # a certificate that ends in 2 days where it is worse, in 5 where it should have been renewed
        soon = (self.worse and slow, self.lesser if slow else self.other)
        days = 2 if soon[0] else 5 if soon[1] else 60
        ends = 0 if service != "api" else int(self.began + days * 86400)
        certificate = f"probe_ssl_earliest_cert_expiry {ends}\n" if ends else ""
        return f"probe_success {int(not failed)}\nprobe_duration_seconds {4 if late else 0.1}\n{certificate}"

    def disks(self, name: str) -> str:
        """`/` of the first host is nearly full; it, /data there, or `/` of the second one is low and fills."""
        first = name.endswith("-0")
        lines = []
        for mount in ("/", "/data"):
            ids = f'device="/dev/{mount.strip("/") or "root"}",fstype="ext4",mountpoint="{mount}"'
            low = self.lesser if first and mount == "/" else self.other
            share = 0.02 if self.worse and first and mount == "/" else 0.12 if low else 0.8
            left = share * 1e6 - (5 * (time.time() - self.began) if low else 0)
            lines += [f"node_filesystem_avail_bytes{{{ids}}} {left}", f"node_filesystem_size_bytes{{{ids}}} 1e6"]
            lines.append(f"node_filesystem_readonly{{{ids}}} 0")
        return "\n".join(lines) + "\n"

    def clickhouse(self, name: str) -> str:
        """The first instance's disk is nearly full, or it or the second one's is high."""
        first = name.endswith("-0")
        used = 0.97 if self.worse and first else 0.9 if (self.lesser if first else self.other) else 0.1
        return f"{FREE} {1000 * (1 - used)}\n{TOTAL} 1000\n"

    def volumes(self, name: str) -> str:
        """Volume a is nearly full; a or b is low and fills. The first node's kubelet tells of both."""
        if not name.endswith("-0"):
            return ""
        lines = []
        for claim, low in (("a", self.lesser), ("b", self.other)):
            ids = f'namespace="shop",persistentvolumeclaim="{claim}"'
            share = 0.01 if self.worse and claim == "a" else 0.1 if low else 0.8
            left = share * 1e6 - (5 * (time.time() - self.began) if low else 0)
            lines += [f"kubelet_volume_stats_available_bytes{{{ids}}} {left}"]
            lines += [f"kubelet_volume_stats_capacity_bytes{{{ids}}} 1e6"]
        return "\n".join(lines) + "\n"

    def postgres(self, name: str) -> str:
        """Too many connections, a long transaction, and reads from the disk; `main` also does not answer."""
        key = name.rpartition("-")[2]
        bad = self._bad(key)
        used = 99 if self.worse and key == "third" else 85 if bad else 1
        ids = 'datname="app",state="active",backend_type="client backend",application_name="app"'
        return (
            f"pg_up {int(not (self.worse and key == 'main'))}\npg_settings_max_connections 100\n"
            f"pg_stat_activity_count{{{ids}}} {used}\n"
            f"pg_settings_superuser_reserved_connections 3\npg_settings_reserved_connections 0\n"
            f"pg_stat_activity_max_tx_duration{{{ids}}} {9000 if bad else 1}\n"
            + self.counters.grown(f'pg_stat_database_blks_hit{{datname="app",i="{key}"}}', 10)
            + self.counters.grown(f'pg_stat_database_blks_read{{datname="app",i="{key}"}}', 9000 if bad else 0)
        )

    def redis(self, name: str) -> str:
        """Full memory and waiting clients; `main` also does not answer."""
        key = name.rpartition("-")[2]
        bad = self._bad(key)
        return (
            f"redis_up {int(not (self.worse and key == 'main'))}\nredis_memory_max_bytes 100\n"
            f"redis_memory_used_bytes {99 if bad else 1}\nredis_blocked_clients {99 if bad else 0}\n"
        )

    def queues(self, name: str) -> str:
        """Queue a is long, or too long; b is long."""
        depths = {"a": 20_000 if self.worse else 7_000 * self.lesser, "b": 7_000 * self.other}
        return "".join(f'worker_queue_depth{{queue="{queue}"}} {depth}\n' for queue, depth in depths.items())

    def requests(self, name: str) -> str:
        """Requests of api, half of which fail; of desk, few do."""
        share = (0.5 if self.worse else 0.005 if self.lesser else 0) if name == "api" else 0.005 * self.other
        metric = "shop_requests_total" if name == "api" else "desk_requests_total"
        return "".join(
            self.counters.grown(f'{metric}{{status="{status}",i="{name}"}}', 1000 * part)
            for status, part in (("200", 1 - share), ("500", share))
        )

    def notifications(self, name: str) -> str:
        """No instance reaches Slack; or the first one does not, or does not send mail."""
        first = name.endswith("-0")
        bad = {"slack": self.worse or (self.lesser and first), "email": self.other and first}
        return "".join(
            self.counters.grown(f'alertmanager_notifications_total{{integration="{to}",i="{name}"}}', 10)
            + self.counters.grown(
                f'alertmanager_notifications_failed_total{{integration="{to}",i="{name}",reason="other"}}', 10 * fails
            )
            for to, fails in bad.items()
        )

    def sending(self, name: str) -> str:
        """The first instance reaches no Alertmanager, or not one of them; the second one not one of them."""
        lost = self.other if name.endswith("-1") else self.lesser
        text = ""
        for to in ("a", "b"):
            fails = (self.worse and name.endswith("-0")) or (lost and to == "a")
            ids = f'{{alertmanager="{to}",i="{name}"}}'
            text += self.counters.grown(f"prometheus_notifications_errors_total{ids}", 10 * fails)
            text += self.counters.grown(f"prometheus_notifications_sent_total{ids}", 10 * (not fails))
        return text
