"""Secrets in clear, in every form that is known, and text that only resembles one.

No value is real; each is put together of parts, so that scanners of repositories do not take it for one.
"""

from __future__ import annotations

import json

from tests.support.refusals.case import FILE, STACK, Case

CANARY = "c4naryC4naryc4naryC4narycanaryC4n4ry"
"""Part of each secret that no message may repeat."""
SLACK = f"https://hooks.slack.com/services/T000/B000/{CANARY}"
DSN = f"postgres://shop:{CANARY}@db.internal:5432/shop"
TOKEN = f"xoxb-123456789012-{CANARY}"
KEY = f"-----BEGIN PRIVATE KEY-----\n{CANARY}\n-----END PRIVATE KEY-----"

PLAIN = {
    "Slack webhook": (SLACK, "a Slack webhook address"),
    "Slack webhook without scheme": (SLACK.removeprefix("https://"), "a Slack webhook address"),
    "Slack workflow": (f"https://hooks.slack.com/workflows/T0/A0/1/{CANARY}", "a Slack webhook address"),
    "Slack bot token": (TOKEN, "a Slack token"),
    "Slack user token": (f"xoxp-1-2-{CANARY}", "a Slack token"),
    "Slack app token": (f"xapp-1-A0-{CANARY}", "a Slack token"),
    "token inside of a sentence": (f"ask with ({TOKEN}) in the header", "a Slack token"),
    "Discord webhook": (f"https://discord.com/api/webhooks/1234567890/{CANARY}", "a Discord webhook address"),
    "Teams webhook": (f"https://a.webhook.office.com/webhookb2/{CANARY}", "a Teams webhook address"),
    "Power Automate": (f"https://prod-1.westeurope.logic.azure.com:443/workflows/1?sp=a&sig={CANARY}", "with a key"),
    "Google Chat": (f"https://chat.googleapis.com/v1/spaces/A/messages?key=a&token={CANARY}", "a Google Chat webhook"),
    "Telegram bot": (f"https://api.telegram.org/bot123456789:{CANARY[:35]}/sendMessage", "a Telegram bot token"),
    "GitHub token": (f"ghp_{CANARY}", "a GitHub token"),
    "GitHub fine-grained token": (f"github_pat_{CANARY}", "a GitHub token"),
    "GitLab token": (f"glpat-{CANARY}", "a GitLab token"),
    "Grafana token": (f"glsa_{CANARY[:32]}_0a1b2c3d", "a Grafana token"),
    "Google key": (f"AIza{CANARY[:35]}", "a Google API key"),
    "SendGrid key": (f"SG.{CANARY[:22]}.{CANARY}", "a SendGrid key"),
    "payment key": ("sk_" + f"live_{CANARY}", "an API key"),
    "address with a password": (DSN, "an address with a password"),
    "address with a password alone": (f"redis://:{CANARY}@cache:6379/0", "an address with a password"),
    "address with a slash in the password": (f"amqp://u:a/{CANARY}@mq:5672", "an address with a password"),
    "address with a numeric password": ("https://u:12345678@host/", "an address with a password"),
    "address with a short numeric password": ("https://u:1234@host/", "an address with a password"),
    "Go's MySQL address": (f"shop:{CANARY}@tcp(db:3306)/shop", "an address with a password"),
    "libpq": (f"host=db user=shop password={CANARY} dbname=shop", "a connection string with a password"),
    "ADO": (f"Server=db;Database=shop;User Id=a;Password={CANARY};", "a connection string with a password"),
    "token in a query": (f"https://push.example.com/in?token={CANARY}", "an address with a key"),
    "private key": (KEY, "a private key"),
    "RSA key": (KEY.replace("PRIVATE", "RSA PRIVATE"), "a private key"),
    "OpenSSH key": (KEY.replace("PRIVATE", "OPENSSH PRIVATE"), "a private key"),
    "JSON Web Token": (f"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0.{CANARY}", "a JSON Web Token"),
    "bearer token": (f"Authorization: Bearer {CANARY}", "a bearer token"),
    "basic credentials": ("Authorization: Basic dXNlcjpwYXNzd29yZA==", "basic credentials"),
    "AWS pair": ("AKIA" + f"IOSFODNN7EXAMPLE:{(CANARY + 'a/+Z')[:40]}", "an AWS secret access key"),
}
"""Text with a secret in it, and what it is called."""

LOOKALIKES = (
    "postgres://shop@db.internal:5432/shop",
    "https://prometheus:9090/api/v1/query?query=up",
    "http://user@host:8080/path:with@signs",
    "http://host:8080/a@b",
    "https://example.com/in?token=short",
    "https://example.com/?sigma=0123456789abcdef",
    "https://api.slack.com/apps",
    "https://hooks.slack.com",
    "create a token that begins with xoxb- and store it",
    "xoxb-<token>",
    "mailto:ops@example.com",
    "Bearer tokens are refused here",
    "Authorization: basic authentication",
    "password=hunter2 is no connection string",
    'rate(http_requests_total{path="/login?password=x"}[5m])',
    "user:group@(a)",
    "AKIA" + "IOSFODNN7EXAMPLE",
    "a94a8fe5ccb19ba61c4c0873d391e987982fbbd3",
    "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
    "-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----",
    "12:34:56",
    "2001:db8::1",
    "{{ $labels.instance }}: {{ $value }} of user:$password@",
    "deadbeefdeadbeefdeadbeefdeadbeef",
)
"""Text that resembles a secret and is none."""

PAGERDUTY = "0123456789abcdef0123456789abcdef"


def _receiver(**how: object) -> dict[str, str]:
    return {"alertmanager": json.dumps({"receivers": [{"name": "team", **how}]})}


PLAIN_SECRET_CASES = (
    Case(
        name="plain: description of a system",
        at=f"{FILE}: description",
        says="private key",
        system={"description": KEY},
    ),
    Case(
        name="plain: key of a mapping",
        at=f"{FILE}: services.hidden",
        says="a key with a Slack token",
        system={f"services.{TOKEN}": {"port": 80, "packs": ["http"]}},
    ),
    Case(
        name="plain: value of a wrong type",
        at=f"{FILE}: services.api.port",
        says="a Slack token in clear",
        system={"services.api.port": TOKEN},
    ),
    Case(
        name="plain: step of an alert",
        at=f"{FILE}: alerts[0].steps[0]",
        says="an address with a password in clear",
        system={"alerts.0.steps.0": f"psql {DSN}"},
    ),
    Case(name="plain: text setting", at=f"{STACK}: baseUrl", says="a password", settings={"baseUrl": DSN}),
    Case(
        name="plain: name of a secret",
        at=f"{STACK}: alertmanager.receivers[0].slack.urlSecret",
        says="make secret NAME=",
        settings=_receiver(slack={"channel": "#a", "urlSecret": SLACK}),
    ),
    Case(
        name="plain: address of a webhook",
        at=f"{STACK}: alertmanager.receivers[0].webhook.url",
        says="an address with a key in clear",
        settings=_receiver(webhook={"url": f"https://a.example.com/in?token={CANARY}"}),
    ),
    Case(
        name="plain: integration key",
        at=f"{STACK}: alertmanager.receivers[0].pagerduty.routingKeySecret",
        says="an integration key in clear",
        settings=_receiver(pagerduty={"routingKeySecret": PAGERDUTY}),
    ),
    Case(
        name="plain: secret's value that is no name",
        at=f"{STACK}: alertmanager.receivers[0].slack.urlSecret",
        says="the name of a secret, not its value",
        settings=_receiver(slack={"channel": "#a", "urlSecret": f"Hunter2!{CANARY}"}),
    ),
)
