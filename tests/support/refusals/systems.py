"""Systems that are wrong in one place."""

from __future__ import annotations

from tests.support.refusals.case import of_system
from tests.support.systems import ABSENT, SYSTEM

API = "services.api"
PANEL = "dashboards.0.rows.0.panels.0"

SYSTEM_CASES = (
    # unknown keys, at every level
    of_system("key", {"servces": {}}, "servces", "unknown key 'servces'; did you mean 'services'?"),
    of_system("service key", {f"{API}.metricPath": "/m"}, f"{API}.metricPath", "did you mean 'metricsPath'?"),
    of_system(
        "metric key",
        {f"{API}.metrics.shop_requests_total.typ": "x"},
        f"{API}.metrics.shop_requests_total.typ",
        "did you mean 'type'?",
    ),
    of_system("logs key", {f"{API}.logs.label": []}, f"{API}.logs.label", "did you mean 'labels'?"),
    of_system("dashboard key", {"dashboards.0.row": []}, "dashboards[0].row", "did you mean 'rows'?"),
    of_system("row key", {"dashboards.0.rows.0.panel": []}, "dashboards[0].rows[0].panel", "did you mean 'panels'?"),
    of_system("panel key", {f"{PANEL}.query": []}, "dashboards[0].rows[0].panels[0].query", "did you mean 'queries'?"),
    of_system("alert key", {"alerts.0.severty": "x"}, "alerts[0].severty", "did you mean 'severity'?"),
    of_system("python name of a key", {"alerts.0.hold": "5m"}, "alerts[0].hold", "unknown key"),
    of_system("objective key", {"objectives.0.goal": 1}, "objectives[0].goal", "unknown key"),
    of_system("snake case", {"host_logs": []}, "host_logs", "did you mean 'hostLogs'?"),
    of_system("unknown component", {"ports.promethus": 9}, "ports.promethus", "did you mean 'prometheus'?"),
    # how a service is scraped
    of_system(
        "certificate of plain http",
        {f"{API}.scrape": {"tls": {"serverName": "a.b"}}},
        f"{API}.scrape.tls",
        "say scheme: https",
    ),
    of_system("certificates of nobody", {"scrape": {"tls": {"serverName": "a.b"}}}, "scrape.tls", "say scheme: https"),
    of_system(
        "two logins",
        {f"{API}.scrape": {"bearerTokenSecret": "t", "basicAuth": {"username": "u", "passwordSecret": "p"}}},
        f"{API}.scrape.bearerTokenSecret",
        "a request has one login",
    ),
    # missing
    of_system("no services", {"services": ABSENT}, "services", "is required: Its services, by short name."),
    of_system("empty services", {"services": {}}, "services", "must have at least 1 entry"),
    of_system("no port", {f"{API}.port": ABSENT}, f"{API}.port", "is required: the port of its metrics, or otlp: true"),
    of_system("no title", {"title": ABSENT}, "title", "is required: Name for people."),
    of_system("panel without query", {f"{PANEL}.queries": []}, "dashboards[0].rows[0].panels[0].queries", "at least 1"),
    of_system("alert without expression", {"alerts.0.expr": ABSENT}, "alerts[0].expr", "is required: PromQL"),
    # types
    of_system("port as text", {f"{API}.port": "4000"}, f"{API}.port", '"4000": must be a whole number'),
    of_system("port with fraction", {f"{API}.port": 4000.5}, f"{API}.port", "4000.5: must be a whole number"),
    of_system("services as list", {"services": ["api"]}, "services", "must be a mapping of keys to values"),
    of_system("service as text", {"services.web": "web:80"}, "services.web", '"web:80": must be a mapping'),
    of_system("health as text", {f"{API}.health": "/health"}, f"{API}.health", '"/health": must be a list'),
    of_system("null service", {"services.web": None}, "services.web", "null: must be a mapping"),
    of_system("label as number", {f"{API}.labels": {"version": 1.1}}, f"{API}.labels.version", 'put it in "quotes"'),
    of_system("folded as text", {"dashboards.0.rows.0.collapsed": "no"}, "dashboards[0].rows[0].collapsed", "true or"),
    # ranges
    of_system("port too high", {f"{API}.port": 65536}, f"{API}.port", "65536: must be less than or equal to 65535"),
    of_system("port zero", {f"{API}.port": 0}, f"{API}.port", "0: must be greater than or equal to 1"),
    of_system("host port negative", {"ports.prometheus": -1}, "ports.prometheus", "-1: must be greater than"),
    of_system("sample limit 0", {f"{API}.sampleLimit": 0}, f"{API}.sampleLimit", "must be greater than or equal to 1"),
    of_system("objective of 100%", {"objectives.0.target": 1.0}, "objectives[0].target", "must be less than 1"),
    of_system("objective in percent", {"objectives.0.target": 99.9}, "objectives[0].target", "must be less than 1"),
    of_system(
        "unknown alert tuned",
        {f"{API}.tune": {"SlowRequest": {"threshold": 1.0}}},
        f"{API}.tune.SlowRequest",
        "did you mean 'SlowRequests'?",
    ),
    of_system(
        "threshold where there is none",
        {"tune": {"TargetDown": {"threshold": 1.0}}},
        "tune.TargetDown.threshold",
        "no threshold",
    ),
    of_system(
        "unknown alert tuned for all",
        {"tune": {"NodeMemoryHigh": {"enabled": False}}},
        "tune.NodeMemoryHigh",
        "did you mean 'NodeMemoryHighUtilization'?",
    ),
    of_system(
        "panel too wide", {f"{PANEL}.width": 25}, "dashboards[0].rows[0].panels[0].width", "less than or equal to 24"
    ),
    # durations
    of_system("duration without unit", {f"{API}.scrapeInterval": "30"}, f"{API}.scrapeInterval", "for example 30s"),
    of_system("duration zero", {f"{API}.scrapeInterval": "0s"}, f"{API}.scrapeInterval", "longer than zero"),
    of_system("duration in words", {"alerts.0.for": "5 minutes"}, "alerts[0].for", '"5 minutes": must be a number and'),
    of_system("duration backwards", {"alerts.0.for": "1s1h"}, "alerts[0].for", "the longest unit first"),
    of_system("duration too long", {"objectives.0.window": "999y"}, "objectives[0].window", "shorter than 293 years"),
    # names
    of_system("service name", {"services.Web_App": {"port": 1}}, "services.Web_App", "must be lower-case words"),
    of_system("long name", {"services": {"a" * 41: {"port": 1}}}, f"services.{'a' * 41}", "at most 40 characters"),
    of_system("system name", {"name": "store"}, "name", "'store' must equal the file's name, 'shop'"),
    of_system(
        "metric name", {f"{API}.metrics": {"shop-total": {"type": "gauge"}}}, f"{API}.metrics.shop-total", "underscores"
    ),
    of_system("label name", {f"{API}.labels": {"a-b": "c"}}, f"{API}.labels.a-b", "must be letters, digits and under"),
    of_system("reserved label", {f"{API}.labels": {"__name__": "c"}}, f"{API}.labels.__name__", "two underscores"),
    of_system("alert name", {"alerts.0.name": "shop slow"}, "alerts[0].name", '"shop slow": must'),
    of_system("dashboard uid", {"dashboards.0.uid": "shop overview"}, "dashboards[0].uid", '"shop overview": must'),
    of_system("relative path", {f"{API}.health": ["health"]}, f"{API}.health[0]", '"health": must'),
    of_system("address without port", {f"{API}.address": "api"}, f"{API}.address", "must be a host and a port"),
    of_system(
        "address with scheme", {f"{API}.address": "http://api:80"}, f"{API}.address", "must be a host and a port"
    ),
    of_system("address port", {f"{API}.address": "api:99999"}, f"{API}.address", "the port must be a number from"),
    # choices
    of_system(
        "metric type", {f"{API}.metrics.x": {"type": "timer"}}, f"{API}.metrics.x.type", '"timer" is not known; '
    ),
    of_system("severity", {"alerts.0.severity": "warn"}, "alerts[0].severity", "did you mean 'warning'?"),
    of_system(
        "rate of a gauge",
        {"services.worker.metrics": {"depth": {"type": "gauge"}}, "alerts.0.expr": "rate(depth[5m]) > 1"},
        "alerts[0].expr",
        "rate() of the gauge depth",
    ),
    of_system(
        "quantile without le",
        {"alerts.0.expr": "histogram_quantile(0.9, sum by (service) (rate(shop_duration_seconds_bucket[5m]))) > 1"},
        "alerts[0].expr",
        "without `le`",
    ),
    of_system(
        "unknown metric in an alert",
        {"alerts.0.expr": "rate(shop_request_total[5m]) > 1"},
        "alerts[0].expr",
        "did you mean 'shop_requests_total'?",
    ),
    of_system(
        "label that the metric does not have",
        {"alerts.0.expr": 'rate(shop_requests_total{code="500"}[5m]) > 1'},
        "alerts[0].expr",
        "'code' is no label of shop_requests_total",
    ),
    of_system(
        "unknown metric in a panel",
        {"dashboards.0.rows.0.panels.0.queries.0.expr": "sum(shop_carts)"},
        "dashboards[0].rows[0].panels[0].queries[0].expr",
        "'shop_carts' is no metric",
    ),
    of_system("alert that is no PromQL", {"alerts.0.expr": "sum(up"}, "alerts[0].expr", "is no PromQL"),
    of_system(
        "objective without a metric",
        {"objectives.0.service": "worker"},
        "objectives[0].service",
        "declares no metric of the role 'requests'",
    ),
    of_system(
        "latency objective between buckets",
        {
            "services/api/metrics/shop_duration_seconds/buckets": [0.1, 0.25, 0.5, 1.0, 2.5],
            "objectives/0": {"service": "api", "kind": "latency", "target": 0.9, "threshold": 0.3, "window": "7d"},
        },
        "objectives[0].threshold",
        "no bucket of shop_duration_seconds ends at 0.3 s; choose 0.25 or 0.5",
    ),
    of_system(
        "objective longer than metrics are kept",
        {"objectives.0.window": "90d"},
        "objectives[0].window",
        "longer than Prometheus keeps samples (15d)",
    ),
    of_system(
        "ratio objective of a gauge",
        {
            "services.worker.metrics": {"depth": {"type": "gauge"}},
            "objectives.0": {
                "service": "api",
                "kind": "ratio",
                "target": 0.9,
                "bad": "depth",
                "total": "shop_requests_total",
                "window": "7d",
            },
        },
        "objectives[0].bad",
        "rate() of the gauge depth",
    ),
    of_system(
        "two metrics of one role",
        {"services.api.metrics.other_total": {"type": "counter", "role": "requests", "labels": {"status": ["200"]}}},
        "services.api.metrics",
        "only one metric of a service can have it",
    ),
    of_system(
        "host log with a label of many values",
        {"hostLogs": [{"path": "/var/log/a.log", "job": "a", "labelFields": ["request_id"]}]},
        "hostLogs[0].labelFields",
        "too many distinct values",
    ),
    of_system(
        "host log written by nobody known",
        {"hostLogs": [{"path": "/var/log/a.log", "job": "a", "writtenBy": ["apj"]}]},
        "hostLogs[0].writtenBy",
        "did you mean 'api'?",
    ),
    of_system(
        "dashboard about an unknown service",
        {"dashboards.0.services": ["apj"]},
        "dashboards[0].services",
        "did you mean 'api'?",
    ),
    of_system(
        "row of a pack that nobody uses",
        {"dashboards.0.rows": [{"pack": "milvus"}]},
        "dashboards[0].rows[0].pack",
        "no service of this dashboard uses the pack 'milvus'",
    ),
    of_system(
        "row that shows nothing", {"dashboards.0.rows": [{"title": "A"}]}, "dashboards[0].rows[0].panels", "pack"
    ),
    of_system("alert without an example", {"alerts.0.example": ABSENT}, "alerts[0].example", "is required"),
    of_system(
        "service in two places",
        {"services.api.onHost": True, "services.api.address": "10.0.0.1:80"},
        "services.api",
        "give one of",
    ),
    of_system("unknown pack", {f"{API}.packs": ["htp"]}, f"{API}.packs[0]", "did you mean 'http'?"),
    of_system("panel kind", {f"{PANEL}.kind": "graph"}, "dashboards[0].rows[0].panels[0].kind", "valid are: bargauge"),
    of_system(
        "database kind",
        {"databases": {"db": {"kind": "mysql", "address": "db:1"}}},
        "databases.db.kind",
        "postgres, redis",
    ),
    of_system(
        "database nowhere",
        {"databases": {"db": {"kind": "redis"}}},
        "databases.db.address",
        "either address (host:port)",
    ),
    of_system(
        "database in two places",
        {"databases": {"db": {"kind": "redis", "address": "db:1", "onHost": True}}},
        "databases.db.address",
        "or onHost: true",
    ),
    of_system(
        "port of a database elsewhere",
        {"databases": {"db": {"kind": "redis", "address": "db:1", "port": 2}}},
        "databases.db.port",
        "is that of a database on the host",
    ),
    of_system("refresh", {"dashboards.0.refresh": "15s"}, "dashboards[0].refresh", '"15s" is not known'),
    # contradictions
    of_system(
        "two dashboards of one uid",
        {"dashboards.1": SYSTEM["dashboards"][0]},
        "dashboards[1].uid",
        "'shop-overview' is already used by dashboards[0]",
    ),
    of_system(
        "two alerts of one name", {"alerts.1": SYSTEM["alerts"][0]}, "alerts[1].name", "already used by alerts[0]"
    ),
    of_system(
        "objective of unknown service",
        {"objectives.0.service": "apii"},
        "objectives[0].service",
        "'apii' is no service; did you mean 'api'?",
    ),
    of_system(
        "log label of high cardinality",
        {f"{API}.logs.labels": ["level", "request_id"]},
        f"{API}.logs.labels",
        "request_id has too many distinct values",
    ),
    of_system(
        "buckets of a gauge",
        {f"{API}.metrics.x": {"type": "gauge", "buckets": [1.0]}},
        f"{API}.metrics.x.buckets",
        "only a histogram has buckets, this is a gauge",
    ),
    of_system(
        "buckets out of order",
        {f"{API}.metrics.x": {"type": "histogram", "buckets": [1.0, 0.5]}},
        f"{API}.metrics.x.buckets",
        "each bound must be greater than the one before",
    ),
    of_system(
        "latency objective without threshold",
        {"objectives.0.kind": "latency"},
        "objectives[0].threshold",
        "is required for kind latency",
    ),
    of_system(
        "availability objective with threshold",
        {"objectives.0.threshold": 0.5},
        "objectives[0].threshold",
        "belongs to kind latency only",
    ),
)
