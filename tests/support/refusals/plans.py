"""Configurations whose every part is right by itself, and that could not work, or not as they say."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tests.support.refusals.case import Case, of_settings, of_system

API = "services.api"
REQUESTS = f"{API}.metrics.shop_requests_total"
OFF: Mapping[str, Any] = {"enabled": False}
HOOKS = [{"name": name, "webhook": {"url": f"http://{name}/"}} for name in ("a", "b")]
LOGS_ROW = {"dashboards.0.rows": [{"pack": "logs"}]}


def section(name: str, key: str, value: Mapping[str, Any], at: str, says: str, **more: Any) -> Case:
    """A section of the settings that cannot be as it is; `more` are other settings."""
    return of_settings(name, {key: json.dumps(value), **more}, f"{key}{at}", says)


EQUAL_CASES = (
    of_system(
        "two ports of one host",
        {f"{API}.addresses": ["h:9100", "h:9101"], f"{API}.instance": "host", f"{API}.port": 9100},
        f"{API}.instance",
        "'host' gives h:9100 and h:9101 one label instance",
    ),
    of_system(
        "one address twice",
        {f"{API}.addresses": ["h:1", "g:1", "h:1"], f"{API}.port": 1},
        f"{API}.addresses[2]",
        "'h:1' stands twice; leave one out",
    ),
    of_system("one endpoint twice", {f"{API}.health": ["/a", "/a"]}, f"{API}.health[1]", "'/a' stands twice"),
)

TAKEN_CASES = (
    of_system(
        "metric that Prometheus makes", {f"{API}.metrics.up": {"type": "gauge"}}, f"{API}.metrics.up", "rename it"
    ),
    of_system(
        "metric about scrapes",
        {f"{API}.metrics.scrape_errors": {"type": "gauge"}},
        f"{API}.metrics.scrape_errors",
        "'scrape_errors' is a series that Prometheus makes itself",
    ),
    of_system("metric of alerts", {f"{API}.metrics.ALERTS": {"type": "gauge"}}, f"{API}.metrics.ALERTS", "rename it"),
    of_system(
        "metric like a recorded one",
        {f"{API}.metrics": {"service:requests:rate5m": {"type": "gauge"}}},
        f"{API}.metrics.service:requests:rate5m",
        "a colon marks series that rules record",
    ),
    of_system(
        "label of a metric that is the target's",
        {f"{REQUESTS}.labels.service": ["a"]},
        f"{REQUESTS}.labels.service",
        "stored as exported_service; declare it under that name, or keep it with scrape: {honorLabels: true}",
    ),
    of_system(
        "label of a metric that takes the target's place",
        {f"{REQUESTS}.labels.service": ["a"], "scrape": {"honorLabels": True}},
        f"{REQUESTS}.labels.service",
        "no rule about the service sees it; leave honorLabels out, or the role 'requests'",
    ),
    of_system(
        "label of a metric that is the service's",
        {f"{REQUESTS}.labels.team": ["a"], f"{API}.labels": {"team": "b"}},
        f"{REQUESTS}.labels.team",
        "is one of the service's own labels",
    ),
    of_system(
        "bound of a bucket as a label",
        {f"{API}.metrics.shop_duration_seconds.labels": {"le": ["1"]}},
        f"{API}.metrics.shop_duration_seconds.labels.le",
        "holds the bound of a bucket",
    ),
    *(
        of_system(f"label {label} of a service", {f"{API}.labels": {label: "x"}}, f"{API}.labels.{label}", "is taken")
        for label in (
            "service",
            "system",
            "environment",
            "job",
            "instance",
            "stack",
            "replica",
            "severity",
            "alertname",
            "le",
            "quantile",
            "metric",
            "slo",
        )
    ),
    of_system(
        "label of a pod",
        {f"{API}.labels": {"pod": "x"}, f"{API}.kubernetes": {"namespace": "shop", "selector": {"app": "api"}}},
        f"{API}.labels.pod",
        "it holds what the cluster says of each pod; use another name",
    ),
    of_system("label of an alert", {"alerts.0.labels": {"severity": "info"}}, "alerts[0].labels.severity", "is taken"),
    of_system(
        "label of a tuned alert",
        {"tune": {"TargetDown": {"labels": {"service": "x"}}}},
        "tune.TargetDown.labels.service",
        "it holds the service's key",
    ),
    *(
        of_system(
            f"label {label} of a tuned alert",
            {"tune": {"TargetDown": {"labels": {label: "x"}}}},
            f"tune.TargetDown.labels.{label}",
            "is taken",
        )
        for label in ("instance", "metric", "slo")
    ),
    of_system(
        "label of log lines",
        {"hostLogs": [{"path": "/var/log/a.log", "job": "a", "labels": {"environment": "x"}}]},
        "hostLogs[0].labels.environment",
        "is taken",
    ),
    *(
        of_system(f"service {name}", {f"services.{name}": {"port": 1}}, f"services.{name}", f"such as own-{name}")
        for name in ("traefik", "node-exporter", "cadvisor", "kube-state-metrics", "services", "services-https")
    ),
    of_system("service blackbox", {"services.blackbox": {"port": 1}}, "services.blackbox", "a part of the stack"),
    of_system("service slo", {"services.slo": {"port": 1, "packs": ["http"]}}, "services.slo", "called shop-slo"),
    of_system(
        "dashboard of the stack",
        {"dashboards.0.uid": "host"},
        "dashboards[0].uid",
        "'host' is a dashboard of the stack",
    ),
    of_system(
        "alert of the stack",
        {"alerts.0.name": "TargetDown"},
        "alerts[0].name",
        "'TargetDown' is an alert that the stack brings",
    ),
    of_system(
        "alert of a pack", {"alerts.0.name": "HighErrorRatio"}, "alerts[0].name", "is an alert that the stack brings"
    ),
    of_system(
        "quantile where there is none",
        {"tune": {"TargetDown": {"quantile": 0.9}}},
        "tune.TargetDown.quantile",
        "looks at no quantile",
    ),
    section(
        "label of the stack's objects",
        "kubernetes",
        {"labels": {"io.observability.stack": "x"}},
        ".labels.io.observability.stack",
        "finds and governs its objects by it",
        target="kubernetes",
    ),
    section(
        "label that no cluster takes",
        "kubernetes",
        {"nodeSelector": {"disk": "very fast"}},
        ".nodeSelector.disk",
        "'very fast': a cluster takes",
        target="kubernetes",
    ),
)

HOST_CASES = (
    of_system("localhost", {f"{API}.address": "localhost:80"}, f"{API}.address", "host.docker.internal"),
    of_system("loopback", {f"{API}.addresses": ["127.0.0.1:80"]}, f"{API}.addresses[0]", "onHost: true"),
    of_system("loopback, second address", {f"{API}.address": "127.1.2.3:80"}, f"{API}.address", "container that asks"),
    of_system("any address", {f"{API}.address": "0.0.0.0:80"}, f"{API}.address", "container that asks"),
    of_system("loopback in IPv6", {f"{API}.address": "[::1]:80"}, f"{API}.address", "container that asks"),
    of_system("any address in IPv6", {f"{API}.address": "[::]:80"}, f"{API}.address", "container that asks"),
    of_system(
        "database on localhost",
        {"databases": {"db": {"kind": "redis", "address": "localhost:6379"}}},
        "databases.db.address",
        '"localhost:6379": is the container that asks',
    ),
    section("traces on localhost", "grafana", {"tracing": {"kind": "tempo", "url": "http://localhost:3200/x"}},
            ".tracing.url", "container that asks"),
    section("users on localhost", "grafana", {"database": {"type": "mysql", "host": "127.0.0.1:3306"}},
            ".database.host", "container that asks"),
    section("bucket on localhost", "loki", {"storage": {"s3": {"bucket": "lines", "endpoint": "localhost:9000"}}},
            ".storage.s3.endpoint", "container that asks"),
    section("route with a prefix of the stack", "traefik", {"routes": [
            {"name": "a", "prefix": "/prometheus", "url": "http://api:1"}]}, ".routes[0].prefix",
            "'/prometheus' is that of the route prometheus already; choose another"),
    section("route with a name of the stack", "traefik", {"routes": [
            {"name": "loki", "prefix": "/a", "url": "http://api:1"}]}, ".routes[0].name",
            "'loki' is that of the route loki already; choose another"),
    section("two routes of one prefix", "traefik", {"routes": [
            {"name": name, "prefix": "/a", "url": "http://api:1"} for name in "ab"]}, ".routes[1].prefix",
            "'/a' is that of the route a already"),
    section("route to localhost", "traefik", {"routes": [{"name": "a", "prefix": "/a", "url": "http://127.0.0.1:1"}]},
            ".routes[0].url", "container that asks"),
    section("webhook on localhost", "alertmanager",
            {"receivers": [{"name": "a", "webhook": {"url": "http://me@localhost/x"}}]},
            ".receivers[0].webhook.url", "container that asks"),
)  # fmt: skip

TIME_CASES = (
    of_settings("interval beyond rules", {"scrapeInterval": "10m"}, "scrapeInterval", "use 2m30s at most"),
    of_settings("interval of nothing", {"scrapeInterval": "100ms"}, "scrapeInterval", "use 1s at least"),
    of_system(
        "interval of a service",
        {f"{API}.scrapeInterval": "3m"},
        f"{API}.scrapeInterval",
        "3m is too long: rules look back 5m and need 2 samples in it",
    ),
    section("current for too short", "prometheus", {"lookbackDelta": "5s", "evaluationInterval": "1s"},
            ".lookbackDelta", "shorter than the 5m after which some rules are evaluated", scrapeInterval="2s"),
    section("rules too seldom", "prometheus", {"evaluationInterval": "5m"}, ".evaluationInterval", "would come and go"),
    Case(
        name="kept for less than rules ask",
        system={"objectives": []},
        settings={"prometheus": '{"retention": "10m"}'},
        at="Pulumi.dev.yaml: prometheus.retention",
        says="looks back; raise it",
    ),
    section("queries logged nowhere", "prometheus", {"queryLogFile": "/nonexistent/q.log"}, ".queryLogFile",
            "/prometheus/queries.log"),
    section("queries logged over data", "prometheus", {"queryLogFile": "/prometheus/wal"}, ".queryLogFile", "ends in"),
    of_system(
        "alert longer than metrics are kept",
        {"alerts.0.expr": "max_over_time(up[30d]) == 0"},
        "alerts[0].expr",
        "[30d] looks back further than samples are kept (15d)",
    ),
    section("first notification last", "alertmanager", {"groupWait": "5m"}, ".groupWait", "longer than groupInterval"),
    section("repeated between looks", "alertmanager", {"repeatInterval": "30s"}, ".repeatInterval", "at which alone"),
    section("repeated after it is forgotten", "alertmanager", {"repeatInterval": "30d"}, ".repeatInterval",
            "longer than it is known what was sent (retention: 120h)"),
    section("route repeated after it is forgotten", "alertmanager",
            {"receivers": HOOKS[:1], "routes": [{"severity": "info", "receiver": "a", "repeatInterval": "30d"}]},
            ".routes[0].repeatInterval", "shorten it, or raise retention"),
    section("receiver without a route", "alertmanager", {"receivers": HOOKS}, ".receivers[1]", "no route names it"),
    section("route behind another", "alertmanager",
            {"receivers": HOOKS, "routes": [{"severity": "info", "receiver": name} for name in ("a", "b")]},
            ".routes[1]", "is never reached: routes[0] takes all its alerts; give that `continue: true`"),
    section("route by a label in vain", "alertmanager", {"receivers": HOOKS[:1], "routes": [
                {"labels": {"tema": "a"}, "receiver": "a"}]}, ".routes[0].labels.tema", "no alert carries a label"),
    section("groups by a label in vain", "alertmanager", {"groupBy": ["servise"]}, ".groupBy[0]",
            "'servise'; did you mean 'service'?"),
    section("inner route repeated between looks", "alertmanager", {"receivers": HOOKS[:1], "routes": [
                {"severity": "info", "groupInterval": "5m", "repeatInterval": "1h", "routes": [
                    {"labels": {"service": "api"}, "repeatInterval": "2m"}]}]},
            ".routes[0].routes[0].repeatInterval", "shorter than groupInterval (5m)"),
    section("call without a second try", "alertmanager",
            {"receivers": [{"name": "a", "webhook": {"url": "http://a/", "timeout": "2m"}}]},
            ".receivers[0].webhook.timeout", "leaves no time for a second try: all of them end after 1m"),
    section("lines of hours", "loki", {"retention": "12h"}, ".retention", "the least that Loki supports is 24h"),
    section("burst below the rate", "loki", {"ingestionBurstSizeMb": 4}, ".ingestionBurstSizeMb",
            "less than ingestionRateMb (8)"),
    Case(name="dashboard quicker than Grafana", settings={"grafana": '{"minRefresh": "1m"}'},
         at="configs/systems/shop.yaml: dashboards[0].refresh", says="30s is shorter than grafana.minRefresh (1m)"),
    section("part of a second", "grafana", {"queryTimeout": "500ms"}, ".queryTimeout", "whole seconds"),
    section("memory below Docker's least", "prometheus", {"memory": "1MiB"}, ".memory", "must be 6MiB at least"),
    section("cpus that count as none", "prometheus", {"cpus": 0.001}, ".cpus", "greater than or equal to 0.01"),
    section("log files of nothing", "docker", {"logMaxSize": "0m"}, ".logMaxSize", '"0m": must be a whole number'),
)  # fmt: skip

NEED_CASES = (
    section("no Prometheus", "prometheus", OFF, ".enabled", "scrape jobs and"),
    section("no Alertmanager", "alertmanager", OFF, ".enabled", "false, but nobody would be notified of"),
    section("no Loki", "loki", OFF, ".enabled", "false, but promtail sends its lines to it; leave it out"),
    section("no socket proxy", "socketProxy", OFF, ".enabled",
            "false, but promtail finds containers and reads their lines through it and cadvisor asks it"),
    section("no stand-ins", "demoWorkload", OFF, ".enabled", "demo is true, so that everything asks them", demo="true"),
    Case(
        name="log panels without Loki",
        system=LOGS_ROW,
        settings={"loki": json.dumps(OFF), "promtail": json.dumps(OFF)},
        at="Pulumi.dev.yaml: loki.enabled",
        says="the dashboards shop-overview ask it",
    ),
    Case(
        name="row without its exporter",
        system={"dashboards.0.rows": [{"pack": "host"}]},
        settings={"nodeExporter": json.dumps(OFF)},
        at="Pulumi.dev.yaml: nodeExporter.enabled",
        says="dashboards[0].rows[0].pack of shop draws 'host'",
    ),
    of_system(
        "row of databases that there are none of",
        {"dashboards.0.rows": [{"pack": "redis"}]},
        "dashboards[0].rows[0].pack",
        "nothing here offers the series that the row 'redis' draws",
    ),
    section("ingress to nobody", "traefik", OFF, ".enabled", "kubernetes.ingressClass leads people to it",
            target="kubernetes", kubernetes='{"ingressClass": "nginx"}', baseUrl="http://m.example.com"),
    section("settings of what is off", "traefik", {**OFF, "accessLog": True}, ".accessLog", "traefik.enabled is false"),
    section("settings of Jaeger, which is off", "jaeger", {"retention": "3d"}, ".retention", "jaeger.enabled is false"),
)  # fmt: skip

NETWORK_CASES = (
    section("taint's value that nothing compares", "kubernetes", {"tolerations": [{"key": "a", "value": "b"}]},
            ".tolerations[0].value", "compared with operator Equal only", target="kubernetes"),
    section("taint without a key", "kubernetes", {"tolerations": [{"operator": "Equal", "value": "b"}]},
            ".tolerations[0].key", "is required with operator Equal", target="kubernetes"),
    section("own network", "docker", {"externalNetworks": ["dev-monitoring"]}, ".externalNetworks[0]", "own network"),
    section("network twice", "docker", {"externalNetworks": ["a", "b", "a"]}, ".externalNetworks[2]", "stands twice"),
    section("network of the host", "docker", {"externalNetworks": ["host"]}, ".externalNetworks[0]", "beside another"),
    section("network's name", "docker", {"externalNetworks": ["a b"]}, ".externalNetworks[0]", "letters, digits, dots"),
    of_system("query of a path", {f"{API}.metricsPath": "/m?format=prometheus"}, f"{API}.metricsPath",
              "belongs to scrape: {params: ...}"),
    of_system("address of an endpoint", {f"{API}.health": ["ftp://a/b"]}, f"{API}.health[0]", "begins with http://"),
    of_system("probe of nothing", {f"{API}.health": [], f"{API}.probe": {"port": 81}}, f"{API}.probe", "give health"),
    of_system("port of a whole address", {f"{API}.health": ["https://a.b/c"], f"{API}.probe": {"port": 81}},
              f"{API}.probe.port", "has no effect on whole addresses"),
    of_system("certificate of a plain probe", {f"{API}.probe": {"tls": {"serverName": "a.b"}}}, f"{API}.probe.tls",
              "say scheme: https"),
    of_system("body's pattern", {f"{API}.probe": {"failIfBodyNotMatchesRegexp": ["("]}},
              f"{API}.probe.failIfBodyNotMatchesRegexp[0]", "must be a regular expression"),
    Case(
        name="stand-in called like a service",
        system={"databases": {"db": {"kind": "redis", "address": "api:6379"}}},
        settings={"demo": "true"},
        at="configs/systems/shop.yaml: databases.db.address",
        says="'api' is what the service api is called",
    ),
)  # fmt: skip

PLAN_CASES = EQUAL_CASES + TAKEN_CASES + HOST_CASES + TIME_CASES + NEED_CASES + NETWORK_CASES
