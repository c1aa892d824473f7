"""Systems and settings whose every part is right by itself, and of which something would not be watched as it says."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from stack.assemble import ConfigValue
from tests.support.refusals.case import Case, of_settings, of_system

FILE, STACK = "configs/systems/shop.yaml", "Pulumi.dev.yaml"
OFF = json.dumps({"enabled": False})
API = "services.api"
SECRET = ConfigValue("", secret=True)
REDIS = {"kind": "redis", "address": "cache:6379"}
POSTGRES = {"kind": "postgres", "address": "orders:5432", "passwordSecret": "orders-key"}


def unwatched(name: str, system: Mapping[str, Any], settings: Mapping[str, Any], at: str, says: str) -> Case:
    """A part that is switched off, and a system that describes what it watches."""
    return Case(name=f"needs: {name}", system=system, settings=settings, at=f"{STACK}: {at}", says=says)


def tuned(alert: str, key: str, value: float | str, says: str, where: str = "tune") -> Case:
    """An alert that is tuned so that it would always fire, or never."""
    name = f"{key} {value} in {where} of {alert}"
    return of_system(name, {where: {alert: {key: value}}}, f"{where}.{alert}.{key}", says)


OFF_CASES = (
    unwatched("redis exporter", {"databases": {"cache": REDIS}}, {"redisExporter": OFF}, "redisExporter.enabled",
              "false, but shop has databases.cache, which it watches; leave it out"),
    unwatched("postgres exporter", {"databases": {"orders": POSTGRES}}, {"postgresExporter": OFF},
              "postgresExporter.enabled", "false, but shop has databases.orders, which it watches"),
    unwatched("blackbox exporter", {}, {"blackboxExporter": OFF}, "blackboxExporter.enabled",
              "false, but shop has services.api.health, which it asks"),
    unwatched("readers of log files", {"hostLogs": [{"path": "/var/log/a.log", "job": "a"}]},
              {"promtail": OFF, "loki": OFF}, "promtail.enabled", "shop has hostLogs (/var/log/a.log), which it reads"),
)  # fmt: skip

ROLE_CASES = (
    of_system("requests in a gauge", {f"{API}.metrics": {"http_requests_total": {"type": "gauge", "role": "requests"}}},
              f"{API}.metrics.http_requests_total.type", "'gauge': a metric of the role 'requests' is a counter"),
    of_system("queue in a counter", {"services.worker.metrics": {"waiting": {"type": "counter", "role": "queue"}}},
              "services.worker.metrics.waiting.type", "'counter': a metric of the role 'queue' is a gauge"),
    of_system("duration in a counter", {f"{API}.metrics.shop_duration_seconds.type": "counter"},
              f"{API}.metrics.shop_duration_seconds.type", "is a histogram or a summary; declare it so"),
    of_system("queries in a summary",
              {f"{API}.metrics.took": {"type": "summary", "unit": "seconds", "role": "query_duration"}},
              f"{API}.metrics.took.type", "'summary': a metric of the role 'query_duration' is a histogram"),
    of_system("metric that a pack reads by name", {"services.worker": {"port": 1, "packs": ["llm"], "metrics": {
        "rag_queries_total": {"type": "gauge"}}}}, "services.worker.metrics.rag_queries_total.type",
              "'gauge', but the pack llm reads rag_queries_total as a counter"),
    of_system("metric without the role that its pack looks for", {"services.worker": {"port": 1, "packs": ["http"],
        "metrics": {"http_requests_total": {"type": "counter", "labels": {"status": ["200", "500"]}}}}},
              "services.worker.metrics.http_requests_total.role", "say role: requests, or rename it"),
)  # fmt: skip

A_LOG = {"path": "/var/log/a.log", "job": "a"}
PODS = {"namespace": "shop", "selector": {"app": "api"}}
TWICE_CASES = (
    of_system("one target of two services", {f"{API}.address": "h:4000", "services.worker": {
        "port": 4000, "address": "h:4000"}}, "services.worker.address",
              "'h:4000' with the path /metrics is scraped as services.api already"),
    of_system("one target among addresses", {"services.worker": {"port": 4000, "addresses": ["a:4000", "API:4000"]}},
              "services.worker.addresses[1]", "'API:4000' with the path /metrics is scraped as services.api already"),
    of_system("one port of the host of two services", {f"{API}.onHost": True, "services.worker": {
        "port": 4000, "onHost": True}}, "services.worker.port", "is scraped as services.api already"),
    of_system("one pod of two services", {f"{API}.kubernetes": PODS, "services.worker": {
        "port": 4000, "kubernetes": PODS}}, "services.worker.kubernetes.selector", "of services.api; give that"),
    of_system("port beside an address", {f"{API}.address": "orders:9999"}, f"{API}.port",
              "4000, but it is scraped at orders:9999; give the port that its address has"),
    Case(name="system: one server of two databases", at=f"{FILE}: databases.b.address",
         system={"databases": {"a": POSTGRES, "b": {**POSTGRES, "user": "u"}}}, settings={"orders-key": SECRET},
         says="'orders:5432' is watched as databases.a already"),
    of_system("one Redis of two databases", {"databases": {"a": REDIS, "b": REDIS}}, "databases.b.address",
              "leave one out"),
    of_system("one server on the host", {"databases": {name: {"kind": "redis", "onHost": True} for name in "ab"}},
              "databases.b.onHost", "'host.docker.internal:6379' is watched as databases.a already"),
    of_system("one container of two services", {f"{API}.logs.container": "app", "services.worker.logs": {
        "container": "App"}}, "services.worker.logs.container", "'App' is the container of services.api"),
    of_system("container of another service", {f"{API}.logs.container": "worker"}, f"{API}.logs.container",
              "'worker' is the container of services.worker"),
    of_system("compose service of another service", {f"{API}.logs.compose": "worker"}, f"{API}.logs.compose",
              "'worker' is the compose service of services.worker, and a line has one service; leave it out"),
    of_system("two sources of lines", {f"{API}.logs": {"compose": "shop/api", "container": "api"}}, f"{API}.logs",
              "container and compose: say once where its lines come from; leave the rest out"),
    of_system("compose service with a path", {f"{API}.logs.compose": "a/b/c"}, f"{API}.logs.compose",
              "must be the name of a compose service, or project/service"),
    of_system("pods of lines on an engine", {f"{API}.logs.selector": {"namespace": "a", "labels": {"app": "b"}}},
              f"{API}.logs.selector", "has an effect on the target kubernetes only, and this stack's is docker"),
    of_system("lines of a file that is not read", {f"{API}.logs.file": "nginx"}, f"{API}.logs.file",
              "'nginx' is the job of no entry of hostLogs; none is defined"),
    of_system("lines of a file with two names", {f"{API}.logs.file": "a", "hostLogs": [
        {**A_LOG, "labels": {"service": "x"}}]}, "hostLogs[0].labels.service",
        "services.api.logs.file gives its lines this label; leave one of the two out"),
    of_system("fields of lines of text", {f"{API}.logs": {"file": "a", "format": "text"}, "hostLogs": [
        {**A_LOG, "labelFields": ["zone"]}]}, "hostLogs[0].labelFields", "has no effect on lines of format text"),
    of_system("one file of two services", {f"{API}.logs.file": "a", "services.worker.logs": {"file": "a"},
              "hostLogs": [A_LOG]}, "services.worker.logs.file", "'a' is the log file of services.api"),
    of_system("label that no pod has", {f"{API}.kubernetes": {"namespace": "a", "selector": {"app": "a,b"}}},
              f"{API}.kubernetes.selector.app", "'a,b': a cluster takes keys and values of 63 letters, digits, dots"),
    of_system("one log file of two jobs", {"hostLogs": [A_LOG, {**A_LOG, "job": "b"}]}, "hostLogs[1].path",
              "'/var/log/a.log' is read by hostLogs[0] (/var/log/a.log) already"),
    of_system("job of log files that is taken", {"hostLogs": [{**A_LOG, "job": "containerlogs"}]}, "hostLogs[0].job",
              "'containerlogs' is the job of all lines that containers write; choose another"),
    of_system("log file within a pattern", {"hostLogs": [{"path": "/var/**/*.log", "job": "b"}, A_LOG]},
              "hostLogs[1].path", "is read by hostLogs[0] (/var/**/*.log) already"),
)  # fmt: skip

SHARE = "must be a share, greater than 0 and less than 1, such as 0.05 for 5%"
LIMIT_CASES = (
    tuned("HighErrorRatio", "threshold", 5.0, f"5: {SHARE}"),
    tuned("HighErrorRatio", "threshold", 1.0, f"1: {SHARE}", f"{API}.tune"),
    tuned("NodeCPUHighUsage", "threshold", -0.5, f"-0.5: {SHARE}"),
    tuned("NodeFilesystemSpaceLow", "threshold", 0.0, f"0: {SHARE}"),
    tuned("SlowRequests", "threshold", 0.0, "0: must be greater than 0"),
    tuned("GrafanaDatasourceErrors", "threshold", -1.0, "-1: must be 0 or more"),
    tuned("TargetDown", "for", "2y", "2y is longer than Prometheus keeps samples (15d); shorten it, or raise"),
    tuned("HighErrorRatio", "for", "16d", "16d is longer than", f"{API}.tune"),
    of_system("alert that waits for years", {"alerts.0.for": "1y"}, "alerts[0].for", "1y is longer than"),
)

PORT = "the port must be a number from 1 to 65535"


def addressed(key: str, value: Mapping[str, Any], at: str, says: str = PORT) -> Case:
    """A setting with an address that no host can have."""
    return of_settings(f"address {key}{at}", {key: json.dumps(value)}, f"{key}{at}", says)


URL = "http://h:99999/x"
HOOK = {"name": "a", "webhook": {"url": URL}}
ADDRESS_CASES = (
    addressed("alertmanager", {"receivers": [HOOK]}, ".receivers[0].webhook.url", f'"{URL}": {PORT}'),
    addressed("alertmanager", {"receivers": [{"name": "a", "ntfy": {"url": "http://h:0"}}]}, ".receivers[0].ntfy.url"),
    addressed("alertmanager", {"deadMansSwitch": {"url": URL}}, ".deadMansSwitch.url"),
    addressed("traefik", {"routes": [{"name": "a", "prefix": "/a", "url": "http://orders:0"}]}, ".routes[0].url"),
    addressed("grafana", {"tracing": {"kind": "tempo", "url": URL}}, ".tracing.url"),
    addressed("docker", {"host": "tcp://10.0.0.5:99999"}, ".host"),
    addressed("docker", {"registryMirror": "mirror.example.com:65536"}, ".registryMirror"),
    addressed("access", {"login": "oidc", "oidc": {"issuer": "https://h:99999", "clientId": "a"}}, ".oidc.issuer"),
    of_settings("address baseUrl", {"baseUrl": "http://monitoring:99999"}, "baseUrl", PORT),
)

IDLE_CASES = (
    *(
        of_system(f"{key} of Redis", {"databases": {"cache": {**REDIS, key: value}}}, f"databases.cache.{key}",
                  "has an effect for kind postgres only, and this is redis")
        for key, value in (("user", "a"), ("database", "a"), ("sslMode", "require"))
    ),
    of_system("alert of all services tuned for one", {f"{API}.tune": {"TargetDown": {"for": "5m"}}},
              f"{API}.tune.TargetDown", "is one alert for all services; tune it in `tune` at the top of the file"),
    *(
        of_system(f"{value} twice", {where: [value, value]}, f"{where}[1]", f"{value!r} stands twice; leave one out")
        for where, value in ((f"{API}.packs", "http"), (f"{API}.logs.labels", "zone"), (f"{API}.logs.fields", "msg"))
    ),
    of_system("service of a dashboard twice", {"dashboards.0.services": ["api", "api"]}, "dashboards[0].services[1]",
              "'api' stands twice; leave one out"),
    of_system("writer of a file twice", {"hostLogs": [{**A_LOG, "writtenBy": ["api", "api"]}]},
              "hostLogs[0].writtenBy[1]", "'api' stands twice; leave one out"),
    addressed("docker", {"host": "tcp://h:2376", "sshOptions": ["-v"]}, ".sshOptions",
              "has an effect for a host of ssh:// only, and docker.host is tcp://h:2376"),
    addressed("docker", {"host": "ssh://h", "certPath": "/certs"}, ".certPath", "for a host of tcp:// only"),
    addressed("prometheus", {"retentionSize": "1KiB"}, ".retentionSize", '"1KiB": must be 128MiB at least: a segment'),
    addressed("prometheus", {"queryTimeout": "10d"}, ".queryTimeout", '"10d": must be 1h at most: nobody waits longer'),
    addressed("grafana", {"queryTimeout": "2h"}, ".queryTimeout", '"2h": must be 1h at most'),
    addressed("loki", {"memory": "999TiB"}, ".memory", '"999TiB": must be 64TiB at most: no host has more'),
    of_settings("runbooks without a scheme", {"runbooks": "git.example.com/x"}, "runbooks",
                '"git.example.com/x": must be an address that begins with http:// or https:// and a host'),
    of_settings("runbooks at a port that no host has", {"runbooks": "https://h:0/x"}, "runbooks", PORT),
    addressed("alertmanager", {"groupBy": ["alertname", "alertname"]}, ".groupBy", "names 'alertname' twice"),
)  # fmt: skip

WATCHING_CASES = OFF_CASES + ROLE_CASES + TWICE_CASES + LIMIT_CASES + ADDRESS_CASES + IDLE_CASES
