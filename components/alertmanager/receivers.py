"""Receivers in Alertmanager's notation; every credential is read from a file.

Format: https://prometheus.io/docs/alerting/latest/configuration/#receiver. What they say: `notifications.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

from components.alertmanager.notifications import reference_template
from model.base import parse_duration
from model.integrations import (
    Address,
    Discord,
    MsTeamsV2,
    Ntfy,
    Opsgenie,
    PagerDuty,
    Pushover,
    Slack,
    Telegram,
    TlsConfig,
)
from model.mail import Email
from model.receivers import Receiver
from model.workload import SECRETS_DIR

Entry = dict[str, Any]


def build_receiver(item: Receiver) -> Entry:
    """One entry of `receivers`."""
    entry: Entry = {"name": item.name}
    for key, integration in item.list_integrations():
        name, write = WRITERS[key]
        fields = {**write(cast(Any, integration)), "send_resolved": integration.send_resolved}
        entry[name] = [*entry.get(name, ()), fields]
    return entry


def choose_by_severity(critical: str, info: str, otherwise: str) -> str:
    """A field's text that depends on the severity of all alerts of a group."""
    is_critical, is_info = (f'eq .CommonLabels.severity "{value}"' for value in ("critical", "info"))
    return (
        f"{{{{ if {is_critical} }}}}{critical}{{{{ else if {is_info} }}}}{info}{{{{ else }}}}{otherwise}{{{{ end }}}}"
    )


def choose_by_status(firing: str, otherwise: str) -> str:
    """A field's text that depends on whether any alert of a group fires."""
    return f'{{{{ if eq .Status "firing" }}}}{firing}{{{{ else }}}}{otherwise}{{{{ end }}}}'


def build_secret_path(secret: str | None) -> str:
    """Where Alertmanager reads a secret."""
    return f"{SECRETS_DIR}/{secret}"


def format_timeout(duration: str) -> str:
    """A time-out in seconds: it is read as Go's duration, which has no days."""
    return f"{parse_duration(duration):.12g}s"


def drop_empty_fields(**fields: Any) -> Entry:
    """The fields that have a value."""
    return {name: value for name, value in fields.items() if value is not None}


def build_webhook(item: Address) -> Entry:
    """One entry of `webhook_configs`: https://prometheus.io/docs/alerting/latest/configuration/#webhook_config."""
    client = drop_empty_fields(tls_config=_build_tls(item.tls_config))
    return {**_build_address(item), **({"http_config": client} if client else {})}


def _build_address(item: Address) -> Entry:
    where = {"url": item.url} if item.url else {"url_file": build_secret_path(item.url_secret)}
    return {**where, "timeout": format_timeout(item.timeout)}


def build_slack(item: Slack) -> Entry:
    """One entry of `slack_configs`: https://prometheus.io/docs/alerting/latest/configuration/#slack_config."""
    token = item.app_token_secret
    credential = (
        {"app_token_file": build_secret_path(token)} if token else {"api_url_file": build_secret_path(item.url_secret)}
    )
    return {
        **credential,
        **drop_empty_fields(app_url=item.app_url),
        "channel": item.channel,
        "color": choose_by_status(choose_by_severity("danger", "#439FE0", "warning"), "good"),
        "title": reference_template("title"),
        "title_link": reference_template("url"),
        "fallback": reference_template("title"),
        "text": reference_template("slack"),
        "timeout": format_timeout(item.timeout),
    }


def build_email(item: Email) -> Entry:
    """One entry of `email_configs`: https://prometheus.io/docs/alerting/latest/configuration/#email_config."""
    password = item.password_secret and build_secret_path(item.password_secret)
    return {
        "to": item.to,
        "from": item.sender,
        "smarthost": item.smarthost,
        "require_tls": item.require_tls,
        **drop_empty_fields(
            hello=item.hello,
            auth_username=item.username,
            auth_password_file=password,
            force_implicit_tls=item.force_implicit_tls,
            tls_config=_build_tls(item.tls_config),
        ),
        "headers": {"Subject": reference_template("title")},
        "text": reference_template("mail"),
        "html": f"<html><body><h3>{reference_template('title')}</h3>\n{reference_template('html')}</body></html>",
    }


def _build_tls(item: TlsConfig | None) -> Entry | None:
    return None if item is None else drop_empty_fields(ca=item.ca, server_name=item.server_name)


def build_pagerduty(item: PagerDuty) -> Entry:
    """One entry of `pagerduty_configs`: https://prometheus.io/docs/alerting/latest/configuration/#pagerduty_config."""
    return {
        "routing_key_file": build_secret_path(item.routing_key_secret),
        **drop_empty_fields(url=item.url),
        "description": reference_template("title"),
        "severity": choose_by_severity("critical", "info", "warning"),
        "source": _SOURCE,
        "class": "{{ .CommonLabels.alertname }}",
        "component": "{{ .CommonLabels.service }}",
        "group": "{{ .CommonLabels.system }}",
        "client_url": reference_template("url"),
        "details": {"alerts": reference_template("text"), **_COUNTS},
        "links": [_build_pagerduty_link(name) for name in ("runbook", "dashboard")],
        "timeout": format_timeout(item.timeout),
    }


_COUNTS = {"firing": "{{ len .Alerts.Firing }}", "resolved": "{{ len .Alerts.Resolved }}"}
"""In the place of all labels and annotations as JSON, which make Alertmanager drop all details beyond 512 kB."""
_SOURCE = "{{ or .CommonLabels.instance .CommonLabels.service .CommonLabels.alertname `several` }}"
"""What has the problem; an event without it is refused."""


def _build_pagerduty_link(name: str) -> dict[str, str]:
    """A link that all alerts of a group have in common; one without an address is left out."""
    path = f".CommonAnnotations.{name}_url"
    return {"href": f"{{{{ if match `^https?://` {path} }}}}{{{{ {path} }}}}{{{{ end }}}}", "text": name.title()}


def build_opsgenie(item: Opsgenie) -> Entry:
    """One entry of `opsgenie_configs`: https://prometheus.io/docs/alerting/latest/configuration/#opsgenie_config."""
    responders = [responder.model_dump(exclude_none=True) for responder in item.responders]
    return {
        "api_key_file": build_secret_path(item.api_key_secret),
        **drop_empty_fields(api_url=item.api_url, responders=responders or None, tags=item.tags),
        "message": reference_template("title"),
        "description": reference_template("text"),
        "source": "Alertmanager",  # 100 characters at most, so no address
        "details": {"link": reference_template("url")},
        "entity": "{{ .CommonLabels.service }}",
        "priority": choose_by_severity("P1", "P5", "P3"),
    }


def build_msteamsv2(item: MsTeamsV2) -> Entry:
    """One entry of `msteamsv2_configs`: https://prometheus.io/docs/alerting/latest/configuration/#msteamsv2_config."""
    return {
        "webhook_url_file": build_secret_path(item.webhook_url_secret),
        "title": reference_template("title"),
        "text": reference_template("teams"),
    }


def build_discord(item: Discord) -> Entry:
    """One entry of `discord_configs`: https://prometheus.io/docs/alerting/latest/configuration/#discord_config."""
    return {
        "webhook_url_file": build_secret_path(item.webhook_url_secret),
        "title": reference_template("title"),
        "message": reference_template("markdown"),
    }


def build_telegram(item: Telegram) -> Entry:
    """One entry of `telegram_configs`: https://prometheus.io/docs/alerting/latest/configuration/#telegram_config."""
    title, text, address = (reference_template(name) for name in ("title", "telegram", "url"))
    return {
        "bot_token_file": build_secret_path(item.bot_token_secret),
        "chat_id": item.chat_id,
        **drop_empty_fields(api_url=item.api_url, message_thread_id=item.message_thread_id),
        "disable_notifications": item.disable_notifications,
        "parse_mode": "HTML",
        "message": f'<b>{title}</b>\n{text}<a href="{address}">Alertmanager</a>',
    }


def build_pushover(item: Pushover) -> Entry:
    """One entry of `pushover_configs`: https://prometheus.io/docs/alerting/latest/configuration/#pushover_config."""
    return {
        "token_file": build_secret_path(item.token_secret),
        "user_key_file": build_secret_path(item.user_key_secret),
        "title": reference_template("title"),
        "message": reference_template("short"),
        "url": reference_template("url"),
        "url_title": "Alertmanager",
        "priority": choose_by_status(str(item.priority), str(min(item.priority, 0))),
        "retry": format_timeout(item.retry),
        "expire": format_timeout(item.expire),
    }


NTFY_ALERTS = 3
"""So many alerts make a message of less than 4096 bytes, which is what ntfy takes; the number of others is said."""


def build_ntfy(item: Ntfy) -> Entry:
    """One entry of `webhook_configs`: the JSON becomes a message by templates in headers.

    Alertmanager's own templates do not reach a webhook's body. Source: https://docs.ntfy.sh/publish/#message-templating.
    """
    headers = {
        "X-Template": "yes",
        "X-Title": _NTFY_TITLE,
        "X-Message": _NTFY_MESSAGE,
        "X-Priority": str(item.priority),
    }
    login = {"type": "Bearer", "credentials_file": build_secret_path(item.token_secret)} if item.token_secret else None
    values = {name: {"values": [value]} for name, value in headers.items()}
    return {
        **_build_address(item),
        "max_alerts": NTFY_ALERTS,
        "http_config": {
            **drop_empty_fields(authorization=login, tls_config=_build_tls(item.tls_config)),
            "http_headers": values,
        },
    }


def _render_ntfy_label(name: str) -> str:
    return f"{{{{ with .labels.{name} }}}} {name} {{{{ . }}}}{{{{ end }}}}"


def _render_ntfy_link(name: str) -> str:
    return f"{{{{ with .annotations.{name}_url }}}}{name.title()}: {{{{ . }}}}\\n{{{{ end }}}}"


_NTFY_TITLE = (
    '{{ if eq .status "firing" }}FIRING{{ else }}RESOLVED{{ end }}{{ with .commonLabels.severity }} {{ . }}{{ end }}:'
    "{{ with .commonLabels.alertname }} {{ . }}{{ end }}{{ with .commonLabels.service }} {{ . }}{{ end }}"
)
_NTFY_MESSAGE = (
    '{{ range .alerts }}{{ .status }}: {{ with .annotations.summary }}{{ printf "%.200s" . }}{{ end }}\\n'
    '{{ with .annotations.description }}{{ printf "%.300s" . }}\\n{{ end }}Where:'
    + "".join(map(_render_ntfy_label, ("service", "instance", "system", "environment")))
    + "\\nSince: {{ .startsAt }}\\n"
    + "".join(map(_render_ntfy_link, ("runbook", "dashboard")))
    + "\\n{{ end }}{{ if .truncatedAlerts }}{{ .truncatedAlerts }} more alerts: {{ .externalURL }}{{ end }}"
)

Writer = Callable[[Any], Entry]
WRITERS: Mapping[str, tuple[str, Writer]] = {
    "webhook": ("webhook_configs", build_webhook),
    "slack": ("slack_configs", build_slack),
    "email": ("email_configs", build_email),
    "pagerduty": ("pagerduty_configs", build_pagerduty),
    "opsgenie": ("opsgenie_configs", build_opsgenie),
    "msteamsv2": ("msteamsv2_configs", build_msteamsv2),
    "discord": ("discord_configs", build_discord),
    "telegram": ("telegram_configs", build_telegram),
    "pushover": ("pushover_configs", build_pushover),
    "ntfy": ("webhook_configs", build_ntfy),
}
"""By the key of a receiver: the list that an entry stands in, and what writes it."""
