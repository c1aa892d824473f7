"""A stack that uses everything, documents on disk, and the programs that judge them."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from components.discovery import TOKENS
from components.entry.routing import USERS
from model.plan import Plan
from model.workload import SECRETS_DIR
from stack.assemble import ConfigValue
from tests.support.planned import workload
from tests.support.systems import plan_cluster, plan_shop
from toolchain import validators
from toolchain.context import build_default_context

SECONDS = 60
"""After which a program that judges a document has hung."""

MAIL = {
    "to": "team@example.com",
    "from": "stack@example.com",
    "smarthost": "mail.example.com:587",
    "username": "stack",
    "passwordSecret": "mail",
}
RECEIVERS: list[dict[str, Any]] = [
    {"name": "team", "slack": {"channel": "#alerts", "urlSecret": "slack-url"}},
    {"name": "night", "pagerduty": {"routingKeySecret": "pager-key"}},
    {"name": "office", "webhook": {"url": "http://hooks.example.com/alerts"}, "email": MAIL},
]
"""Every way to notify, but for a webhook with a secret address: Alertmanager before 0.26 knows none."""
VENDORS: list[dict[str, Any]] = [
    {
        "name": "bot", "slack": {"channel": "#alerts", "appTokenSecret": "slack-url"},
        "ntfy": {"url": "https://ntfy.example.com/shop", "tokenSecret": "slack-url"},
    },
    {
        "name": "vendors",
        "opsgenie": {
            "apiKeySecret": "pager-key", "apiUrl": "https://api.eu.opsgenie.com/", "tags": "shop",
            "responders": [{"type": "team", "name": "shop"}],
        },
        "msteamsv2": {"webhookUrlSecret": "slack-url"},
        "discord": {"webhookUrlSecret": "slack-url"},
        "telegram": {"botTokenSecret": "pager-key", "chatId": -100, "messageThreadId": 7},
        "pushover": {"tokenSecret": "pager-key", "userKeySecret": "mail"},
    },
]  # fmt: skip
"""The others; the first one is for an Alertmanager of our own."""
INTERVALS: list[dict[str, Any]] = [
    {
        "name": "night",
        "timeIntervals": [
            {
                "times": [{"startTime": "00:00", "endTime": "08:00"}], "weekdays": ["monday:friday"],
                "daysOfMonth": ["1:7", "-1"], "months": ["january:march", "12"], "years": ["2026:2030"],
            },
        ],
    },
]  # fmt: skip
SECRET_WEBHOOK: dict[str, Any] = {"name": "hidden", "webhook": {"urlSecret": "hook-url"}}
ROUTES = [
    {"severity": "critical", "receiver": "night", "repeatInterval": "1h"},
    {"severity": "warning", "receiver": "office"},
]
PROVIDER = {"issuer": "https://login.example.com", "clientId": "monitoring", "emailDomains": ["example.com"]}
BUCKET = {"endpoint": "https://s3.example.com", "bucket": "backups"}
BACKUP_SECRETS = ("backup-passphrase", "backup-access-key-id", "backup-secret-access-key")
SECRETS = ("slack-url", "pager-key", "hook-url", "mail")


def everything(folder: Path, *more: Mapping[str, Any], agent: str = "promtail") -> Plan:
    """A shop with all kinds of receivers (and `more`), several databases of each kind, log files that `agent` reads,
    routes, backups and a provider at which people sign in.
    """
    databases = {
        f"{kind}-{number}": {"kind": kind, "address": f"{kind}{number}:1234", "passwordSecret": "mail"}
        for kind in ("postgres", "redis")
        for number in (1, 2)
    }
    logs = [{"path": "/var/log/shop/*.log", "job": "shop", "labels": {"team": "a"}}]
    routes = [*ROUTES, *({"severity": "info", "receiver": item["name"]} for item in more)]
    alertmanager = {"receivers": [*RECEIVERS, *more], "routes": routes}
    used = {name for name in SECRETS if name in json.dumps(alertmanager)}
    settings = {
        "alertmanager": ConfigValue(json.dumps(alertmanager)),
        "traefik": ConfigValue(
            '{"accessLog": true, "routes": [{"name": "a", "prefix": "/a", "url": "http://api:4000", "strip": true}]}'
        ),
        "logs": ConfigValue(json.dumps({"agent": agent})),
        "jaeger": ConfigValue('{"enabled": true}'),
        "mcp": ConfigValue('{"enabled": true}'),
        "otel": ConfigValue('{"enabled": true}'),
        "backup": ConfigValue(json.dumps({"enabled": True, "destination": {"s3": BUCKET}})),
        **{name: ConfigValue("", secret=True) for name in BACKUP_SECRETS},
        "access": ConfigValue(json.dumps({"login": "oidc", "oidc": PROVIDER})),
        "oidc-client-secret": ConfigValue("", secret=True),
        **{name: ConfigValue("", secret=True) for name in used},
    }
    return plan_shop(folder, {"databases": databases, "hostLogs": logs}, settings)


def grown(folder: Path) -> Plan:
    """A shop on a cluster with all that is shared or elsewhere: a bucket, a database, an ingress; several of each."""
    bucket = {"endpoint": "minio.internal:9000", "bucket": "lines", "accessKeyId": "KEY", "insecure": True}
    settings: dict[str, str | ConfigValue] = {
        "baseUrl": "https://monitoring.example.com",
        "loki": json.dumps({"mode": "simpleScalable", "storage": {"s3": bucket}}),
        "grafana": json.dumps({"replicas": 2, "database": {"type": "mysql", "host": "db.internal:3306"}}),
        "kubernetes": json.dumps({"ingressClass": "nginx", "ingressNamespace": "ingress", "tlsSecret": "certificate"}),
        **{name: ConfigValue("", secret=True) for name in ("loki-s3-secret-key", "grafana-database-password")},
    }
    return plan_cluster(folder, settings=settings)


def written(plan: Plan, name: str, folder: Path) -> Path:
    """The configuration directory of a workload, written below `folder`."""
    config = workload(plan, name).config
    assert config is not None
    for path, text in config.files.items():
        file = folder / name / path
        file.parent.mkdir(parents=True, exist_ok=True)
        here = text.replace(TOKENS, str(_tokens(folder))).replace(f"{SECRETS_DIR}/{USERS}", str(_users(folder)))
        file.write_text(here, encoding="utf-8")
    return folder / name


def _users(folder: Path) -> Path:
    """A file of users, which Traefik reads while it builds its routes."""
    made = folder / "users"
    made.write_text("admin:$2b$04$aaaaaaaaaaaaaaaaaaaaaeaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n")
    return made


def _tokens(folder: Path) -> Path:
    """What the platform puts into a pod, for validators that look whether files are there."""
    made = folder / "tokens"
    made.mkdir(exist_ok=True)
    for name in ("token", "ca.crt"):
        (made / name).touch()
    return made


def judged(*command: str | Path, seconds: float = SECONDS) -> subprocess.CompletedProcess[str]:
    """A program that ran to its end; both of its streams are in `stdout`."""
    return subprocess.run(
        [str(word) for word in command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=seconds,
        check=False,
    )


def accepts(*command: str | Path) -> str:
    """What a program says while it accepts a document; fails the test with its words when it does not."""
    done = judged(*command)
    assert done.returncode == 0, done.stdout
    return done.stdout


def tool(name: str) -> Path:
    """A validator, of the version that is deployed; an error when it is not there.

    A unit test may use what `make test` gets: on a machine that has everything, it would pass with another one too.
    """
    running = os.environ.get("PYTEST_CURRENT_TEST", "")
    assert name in validators.UNIT_TESTS or running.startswith("tests/e2e/"), f"make test does not get {name}"
    return validators.require_validator(build_default_context(), name, pinned=True)
