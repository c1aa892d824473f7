"""Environments and a system in which every key could have an effect, and values where a type tells too little."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.support.keys import CERTIFICATE, Values, With
from tests.support.validating import RECEIVERS, ROUTES, SECRET_WEBHOOK

S3: Mapping[str, Any] = {"endpoint": "s3.example.com:9000", "bucket": "lines", "accessKeyId": "KEY"}
DATABASE: Mapping[str, Any] = {"type": "postgres", "host": "db.example.com:5432"}
HIDDEN = {"severity": "info", "receiver": "hidden"}
TEAM = {"labels": {"team": "a"}, "receiver": "night", "continue": True, "activeTimeIntervals": ["night"]}
EARLY = {"times": [{"startTime": "00:00", "endTime": "08:00"}]}
BACKUP: Mapping[str, Any] = {
    "enabled": True,
    "destination": {"s3": {"endpoint": "https://s3.example.com", "bucket": "backups"}},
}
S3_BUCKET = {"endpoint": "https://s3.example.com", "bucket": "other"}
DIRECTORY = {"directory": {"path": "/srv/backups"}}
SFTP = {
    "sftp": {"host": "backup.example.com", "user": "monitoring", "path": "/srv", "hostKey": "ssh-ed25519 AAAAC3Nza"},
}
BASE: Mapping[str, Any] = {
    "system": "shop",
    "jaeger": {"enabled": True},
    "mcp": {"enabled": True},
    "otel": {"enabled": True, "browser": {"origins": ["https://shop.example.com"]}},
    "alertmanager": {
        "receivers": [*RECEIVERS, SECRET_WEBHOOK],
        "routes": [TEAM, *ROUTES, HIDDEN],
        "timeIntervals": [{"name": "night", "timeIntervals": [EARLY]}],
    },
    "traefik": {"routes": [{"name": "a", "prefix": "/a", "url": "http://api:4000"}]},
    "backup": BACKUP,
}
ACME: Mapping[str, Any] = {
    "email": "ops@example.com",
    "directory": "https://ca.example.com/directory",
    "challenge": "dns",
    "dns": {"provider": "cloudflare", "credentials": {"CF_DNS_API_TOKEN": "dns-token"}, "resolvers": ["1.1.1.1:53"]},
    "profile": "classic",
    "lifetime": "30d",
    "caCertificate": CERTIFICATE,
}
ACCESS: Mapping[str, Any] = {
    "users": [{"name": "ada", "passwordSecret": "ada-key"}],
    "machines": [{"name": "shipper", "passwordSecret": "shipper-key", "may": ["push"]}],
    "trustedProxies": ["10.0.0.0/8"],
    "ports": ["prometheus"],
}
OPEN: Mapping[str, Any] = {
    **BASE, "baseUrl": "https://monitoring.example.com", "docker": {"bindAddress": "10.0.0.5"},
}  # fmt: skip
OIDC = {
    "login": "oidc",
    "oidc": {
        "issuer": "https://login.example.com", "clientId": "monitoring", "groups": ["ops"],
        "emailDomains": ["example.com"], "caCertificate": CERTIFICATE,
    },
}  # fmt: skip
OAUTH = {
    "clientId": "grafana",
    "authUrl": "https://login.example.com/a",
    "tokenUrl": "https://login.example.com/t",
    "apiUrl": "https://login.example.com/u",
    "adminGroups": ["ops"],
    "editorGroups": ["dev"],
    "allowedDomains": ["example.com"],
}
FILES = {"certificateSecret": "certificate", "keySecret": "certificate-key"}
CLUSTER: Mapping[str, Any] = {**BASE, "target": "kubernetes"}

ENVIRONMENTS: Mapping[str, Mapping[str, Any]] = {
    "docker": BASE,
    "docker-demo": {**BASE, "demo": True, "backup": {**BACKUP, "destination": DIRECTORY}},
    "docker-collector": {**BASE, "logs": {"agent": "collector"}, "backup": {**BACKUP, "destination": SFTP}},
    "docker-acme": {**OPEN, "tls": {"mode": "acme", "acme": ACME}, "access": ACCESS},
    "docker-files": {
        **OPEN,
        "tls": {"mode": "files", "files": FILES},
        "access": OIDC,
        "grafana": {"oauth": OAUTH},
    },
    "kubernetes": {**CLUSTER, "baseUrl": "https://monitoring.example.com", "tls": {"mode": "internal"}},
    "kubernetes-large": {
        **CLUSTER,
        "baseUrl": "https://monitoring.example.com",
        "loki": {"mode": "simpleScalable", "storage": {"s3": S3}},
        "grafana": {"replicas": 2, "database": DATABASE},
        "kubernetes": {"ingressClass": "nginx", "tlsSecret": "certificate"},
    },
    "kubernetes-replicated": {**CLUSTER, "loki": {"mode": "replicated", "storage": {"s3": S3}}},
    "kubernetes-collector": {**CLUSTER, "logs": {"agent": "collector"}},
    "operator": {**CLUSTER, "prometheus": {"mode": "operator"}, "otel": {"enabled": False}},
}
"""Settings by name."""

SYSTEM: Mapping[str, Any] = {
    "name": "shop",
    "title": "Shop",
    "ports": {"prometheus": 9090},
    "services": {
        "api": {
            "port": 4000,
            "packs": ["http", "pool"],
            "address": "api:4000",
            "scrape": {"scheme": "https"},
            "health": ["/health"],
            "labels": {"team": "a"},
            "logs": {"samples": [{"level": "info", "msg": "a"}], "multiline": {"maxLines": 100}},
            "metrics": {
                "shop_requests_total": {
                    "type": "counter", "role": "requests",
                    "labels": {"method": ["GET"], "path": ["/"], "status": ["200", "500"], "code": ["200", "500"]},
                },
                "shop_duration_seconds": {
                    "type": "histogram", "unit": "seconds", "role": "duration", "buckets": [0.1, 0.5, 1.0, 2.5],
                    "labels": {"path": ["/"], "route": ["/"]},
                },
                "shop_failures_total": {"type": "counter"},
            },
            "tune": {
                "SlowRequests": {"threshold": 0.5, "quantile": 0.9, "labels": {"team": "a"}, "why": "slow"},
                "HighErrorRatio": {"minFailures": 20},
            },
        },
        "copies": {"port": 4001, "packs": ["http", "web"], "addresses": ["a:4001", "b:4001"], "instance": "host"},
        "process": {"port": 4002, "packs": ["go"], "onHost": True},
        "found": {
            "port": 4003, "packs": ["http"],
            "kubernetes": {"namespace": "shop", "selector": {"app": "found"}},
        },
    },
    "databases": {
        "orders": {"kind": "postgres", "address": "orders:5432", "passwordSecret": "orders-key"},
        "cache": {"kind": "redis", "address": "cache:6379", "passwordSecret": "cache-key"},
        "local": {"kind": "redis", "onHost": True, "port": 6380},
    },
    "hostLogs": [{"path": "/var/log/shop/*.log", "job": "files", "labels": {"team": "a"}, "writtenBy": ["api"]}],
    "dashboards": [
        {
            "uid": "shop-overview", "title": "Shop Overview", "services": ["api"],
            "rows": [
                {"pack": "http"},
                {
                    "title": "Traffic",
                    "panels": [
                        {
                            "title": "Requests", "queries": [{"expr": "up", "legend": "{{service}}"}],
                            "thresholds": [{"value": 1.0, "colour": "red"}],
                        },
                        {"title": "Others", "kind": "dashboards", "tag": "shop"},
                    ],
                },
            ],
        },
    ],
    "alerts": [
        {
            "name": "ShopDown", "expr": "up == 0", "for": "5m", "severity": "warning", "summary": "Down",
            "description": "It is down.", "steps": ["Look."], "labels": {"team": "a"},
            "example": {"fires": {"up": "0+0x120"}, "silent": {"up": "1+0x120"}},
        },
    ],
    "objectives": [
        {"service": "api", "kind": "availability", "target": 0.99, "window": "7d"},
        {"service": "api", "kind": "latency", "target": 0.9, "threshold": 0.5, "window": "7d"},
        {
            "service": "api", "kind": "ratio", "target": 0.9, "window": "7d",
            "bad": "shop_failures_total", "total": "shop_requests_total",
        },
    ],
    "tune": {
        "NodeCPUHighUsage": {"threshold": 0.5}, "SlowRequests": {"quantile": 0.9},
        "HighErrorRatio": {"minFailures": 30},
    },
}  # fmt: skip
"""A system that uses everything."""

ROUTE_VALUES: Values = {
    "alertmanager.routes[].repeatInterval": ("2h",),
    "alertmanager.routes[].groupWait": ("5s",),
    "alertmanager.routes[].groupInterval": ("2m",),
    "alertmanager.routes[].groupBy": (["alertname", "team"],),
    "alertmanager.routes[].labels": ({"team": "a", "service": "api"},),
    "alertmanager.routes[].matchers": (['service!="api"'],),
    "alertmanager.routes[].receiver": ("office",),
    "alertmanager.routes[].activeTimeIntervals": (["night"],),
    "alertmanager.routes[].muteTimeIntervals": (["night"],),
}
"""Values of keys of a route."""

SETTINGS_VALUES: Values = {
    "system": ("depot",),
    "scrapeInterval": ("30s",),
    "kubernetes.tolerations": ([{"key": "disk", "operator": "Equal", "value": "fast"}],),
    "kubernetes.tolerations[].operator": (With("Exists", {"value": None}),),
    "loki.retention": ("48h",),
    "backup.schedule": ("0 5 * * *",),
    "backup.verify": ("0 5 * * mon",),
    "backup.destination": (SFTP,),
    "backup.destination.s3": (S3_BUCKET,),
    "backup.destination.directory": ({"path": "/mnt/backups"},),
    "backup.destination.sftp": (SFTP["sftp"] | {"port": 2222},),
    "backup.destination.s3.provider": ("Minio",),
    "backup.destination.s3.caCertificate": (CERTIFICATE,),
    "backup.destination.sftp.hostKey": ("ssh-ed25519 AAAAC3Nzb",),
    "tls": ({"mode": "internal"},),
    "tls.mode": (
        With("internal", {"acme": None, "files": None}),
        With("files", {"acme": None, "files": FILES}),
    ),
    "tls.acme.directory": ("https://ca.example.com/other",),
    "tls.acme.caCertificate": (CERTIFICATE.replace("MIIB", "MIIC"),),
    "tls.acme.challenge": (With("tls-alpn", {"dns": None}),),
    "tls.acme.lifetime": ("20d",),
    "access.machines[].may": (["federate"],),
    "access.ports": (["loki"],),
    "access.login": ("none",),
    "access.oidc.caCertificate": (CERTIFICATE.replace("MIIB", "MIIC"),),
    "access.oidc.emailDomains": (["anew.example.com"],),
    "grafana.oauth": (OAUTH,),
    "access.trustedProxies": (["10.1.0.0/16"],),
    "prometheus.retention": ("40d",),
    "prometheus.evaluationInterval": ("30s",),
    "alertmanager.groupWait": ("7s",),
    "alertmanager.groupInterval": ("2m",),
    "alertmanager.repeatInterval": ("8h",),
    "alertmanager.retention": ("240h",),
    "alertmanager.groupBy": (["alertname"], ["team"]),
    **ROUTE_VALUES,
    "alertmanager.routes[].routes": ([{"labels": {"service": "api"}, "receiver": "hidden"}],),
    **{key.replace("[]", "[].routes[]", 1): value for key, value in ROUTE_VALUES.items()},
    "alertmanager.timeIntervals[].name": (
        With("day", elsewhere={("alertmanager", "routes", 0, "activeTimeIntervals"): ["day"]}),
    ),
    "alertmanager.timeIntervals[].timeIntervals[].times[].startTime": ("07:00",),
    "alertmanager.timeIntervals[].timeIntervals[].times[].endTime": ("09:00",),
    "alertmanager.timeIntervals[].timeIntervals[].weekdays": (["sunday"],),
    "alertmanager.timeIntervals[].timeIntervals[].daysOfMonth": (["2"],),
    "alertmanager.timeIntervals[].timeIntervals[].months": (["may"],),
    "alertmanager.timeIntervals[].timeIntervals[].years": (["2031"],),
    "alertmanager.timeIntervals[].timeIntervals[].location": ("Asia/Tokyo",),
    "alertmanager.receivers[].slack": ({"channel": "#a", "urlSecret": "slack-url"},),
    "alertmanager.receivers[].slack.urlSecret": (With("hook-url", {"appTokenSecret": None, "appUrl": None}),),
    "alertmanager.receivers[].slack.appTokenSecret": (With("hook-url", {"urlSecret": None}),),
    "alertmanager.receivers[].slack.appUrl": (
        With("https://slack.example.com/", {"urlSecret": None, "appTokenSecret": "hook-url"}),
    ),
    "alertmanager.receivers[].slack.timeout": ("7s",),
    "alertmanager.receivers[].webhook.timeout": ("7s",),
    "alertmanager.receivers[].webhook.tlsConfig": ({"serverName": "hook.example.com"},),
    "alertmanager.receivers[].webhook.urlSecret": (With("hook-url", {"url": None}),),
    "alertmanager.receivers[].webhook.url": (With("http://other.example.com", {"urlSecret": None}),),
    "alertmanager.receivers[].pagerduty.timeout": ("7s",),
    "alertmanager.receivers[].email.username": (With("u", {"passwordSecret": "mail"}),),
    "alertmanager.receivers[].email.passwordSecret": (With("hook-url", {"username": "u"}),),
    "alertmanager.receivers[].email.requireTls": (With(False, {"username": None, "passwordSecret": None}),),
    "alertmanager.receivers[].email.smarthost": ("mail.example.com:2525",),
    "alertmanager.receivers[].opsgenie.responders": ([{"type": "team", "name": "a"}],),
    "alertmanager.receivers[].opsgenie.responders[].type": ("schedule",),
    "alertmanager.receivers[].opsgenie.responders[].username": (With("ann", {"type": "user", "name": None}),),
    "alertmanager.receivers[].opsgenie.responders[].id": (With("1-2", {"name": None}),),
    "alertmanager.receivers[].pushover.retry": (With("2m", {"priority": 2}),),
    "alertmanager.receivers[].pushover.expire": (With("2h", {"priority": 2}),),
    "alertmanager.receivers[].ntfy": ({"url": "https://ntfy.example.com/a"},),
    "alertmanager.receivers[].ntfy.urlSecret": (With("hook-url", {"url": None}),),
    "alertmanager.receivers[].ntfy.timeout": ("7s",),
    "alertmanager.deadMansSwitch.timeout": ("7s",),
    "alertmanager.deadMansSwitch": ({"url": "https://dead.example.com/"},),
    "alertmanager.deadMansSwitch.urlSecret": (With("hook-url", {"url": None}),),
    "grafana.minRefresh": ("20s",),
    "versions": ({"loki": "3.7.7"},),
    "versions.*": ("3.7.6",),
    "grafana.database": (DATABASE,),
    "grafana.database.sslMode": ("disable",),
    "loki.storage.s3": (S3,),
    "alertmanager.receivers[].webhook": ({"url": "http://hook.example.com/"},),
}
"""Values of settings."""

SYSTEM_VALUES: Values = {
    "dashboardFiles": (["own/board.json"],),
    "ruleFiles": (["own/rules.yaml"],),
    "name": ("depot",),
    "services.*.otlp": (With(False, elsewhere={("services", "copies"): {"otlp": True, "packs": ["http", "web"]}}),),
    "services.*.logs.compose": ("shop/anew",),
    "services.*.logs.selector": ({"namespace": "shop", "labels": {"app": "lines"}},),
    "services.*.logs.file": ("files",),
    "ports": ({"prometheus": 9191}, {"loki": 3111}),
    "hostLogs[].writtenBy": (["copies"],),
    "hostLogs[].expression": (With("(?P<status>[0-9]+)", {"format": "text"}),),
    "services.*.logs.expression": (With("(?P<status>[0-9]+)", {"format": "text", "samples": []}),),
    "hostLogs[].time.layout": (With("2006-01-02 15:04:05", {"zone": "UTC"}),),
    "hostLogs[].time.zone": (With("Asia/Tokyo", {"layout": "2006-01-02 15:04:05"}),),
    "hostLogs[].multiline": ({"maxLines": 50},),
    "alerts[].expr": ("up < 1",),
    "dashboards[].rows[].panels[].queries[].expr": ("up > 0",),
    "objectives[].bad": ('shop_requests_total{status="500"}',),
    "objectives[].total": ('shop_requests_total{method="GET"}',),
    "objectives[].kind": (With("latency", {"threshold": 1.0, "name": "quick"}),),
    "objectives[].threshold": (1.0,),
    "objectives[].window": ("10d",),
    "services.*.scrapeInterval": ("30s",),
    "services.*.metrics.*.unit": (With("milliseconds", {"buckets": [100.0, 500.0, 1000.0, 2500.0]}), "bytes"),
    "services.*.statusLabel": ("code",),
    "services.*.probe.validStatusCodes": ([204],),
    "probe.validStatusCodes": ([204],),
    "services.*.pathLabel": ("route",),
    "objectives[].service": ("copies",),
    "dashboards[].services": (["copies"], ["api", "copies"]),
}
"""Values of keys of a system."""
