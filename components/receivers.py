"""Receivers in Alertmanager's notation; every credential is read from a file.

Format: https://prometheus.io/docs/alerting/latest/configuration/#receiver.
"""

from __future__ import annotations

from typing import Any

from model.receivers import Email, Receiver, Webhook

SECRETS_DIR = "/run/secrets"


def receiver(item: Receiver) -> dict[str, Any]:
    """One entry of `receivers`."""
    entry: dict[str, Any] = {"name": item.name}
    if item.webhook:
        entry["webhook_configs"] = [webhook(item.webhook)]
    if item.slack:
        entry["slack_configs"] = [
            {
                "api_url_file": secret_file(item.slack.url_secret),
                "channel": item.slack.channel,
                "send_resolved": True,
                "title": "{{ .Status | toUpper }}: {{ .CommonLabels.alertname }} {{ .CommonLabels.service }}",
                "text": "{{ range .Alerts }}{{ .Annotations.summary }}\n{{ end }}",
            }
        ]
    if item.email:
        entry["email_configs"] = [email(item.email)]
    if item.pagerduty:
        entry["pagerduty_configs"] = [
            {"routing_key_file": secret_file(item.pagerduty.routing_key_secret), "send_resolved": True}
        ]
    return entry


def webhook(item: Webhook, *, resolved: bool = True) -> dict[str, Any]:
    """One entry of `webhook_configs`. Without a time-out one call that hangs takes the time of all further tries."""
    address = {"url": item.url} if item.url else {"url_file": secret_file(item.url_secret)}
    return {**address, "send_resolved": resolved, "timeout": "10s"}


def email(item: Email) -> dict[str, Any]:
    """One entry of `email_configs`."""
    entry: dict[str, Any] = {"to": item.to, "from": item.sender, "smarthost": item.smarthost}
    entry |= {"require_tls": item.require_tls, "send_resolved": True}
    if item.username:
        entry["auth_username"] = item.username
    if item.password_secret:
        entry["auth_password_file"] = secret_file(item.password_secret)
    return entry


def secret_file(secret: str | None) -> str:
    """Where Alertmanager reads a secret."""
    return f"{SECRETS_DIR}/{secret}"
