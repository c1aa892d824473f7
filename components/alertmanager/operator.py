"""Notifications as an AlertmanagerConfig, from the very document that our own Alertmanager would be given.

Format: https://prometheus-operator.dev/docs/api-reference/api/#monitoring.coreos.com/v1alpha1.AlertmanagerConfig
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic.alias_generators import to_camel

from components.alertmanager.notifications import inline_templates
from model.extra_objects import SECRETS, ExtraObject
from model.operator import GROUP, Operator
from model.routes import Matcher

_SECRET_FIELDS = {"url_file": "urlSecret", "api_url_file": "apiURL", "webhook_url_file": "webhookURL"}
"""Settings that name a file with a secret, where the object's field is not called alike."""
_FIELDS = {
    "require_tls": "requireTLS",
    "api_url": "apiURL",
    "client_url": "clientURL",
    "chat_id": "chatID",
    "message_thread_id": "messageThreadID",
    "links": "pagerDutyLinkConfigs",
}
_SUFFIX = "_file"
_UNKNOWN = {"slack_configs": ("timeout",), "pagerduty_configs": ("timeout",)}
"""What we say by ourselves and the object has no field for; what people say and it has none for is refused before."""


def build_alertmanager_config(
    name: str, stack: str, operator: Operator, document: Mapping[str, Any], secrets: tuple[str, ...]
) -> ExtraObject:
    """The AlertmanagerConfig of a stack: its routes touch only alerts of that stack.

    Args:
        name: what the object is called.
        stack: the stack's name, which each of its alerts carries as a label.
        operator: how the operator finds the object.
        document: alertmanager.yml as a dict; secrets in it are files called like them.
        secrets: the names of these secrets.
    """
    ours = f'stack="{stack}"'
    top = build_route({"matchers": [ours], **document["route"]})
    receivers = [
        {
            to_camel(key): [build_integration(part, key) for part in value] if key != "name" else value
            for key, value in r.items()
        }
        for r in document["receivers"]
    ]
    intervals = [build_interval(item) for item in document.get("time_intervals", ())]
    return ExtraObject(
        api=f"{GROUP}/v1alpha1",
        kind="AlertmanagerConfig",
        name=name,
        labels=operator.labels,
        body={
            "spec": {"route": top, "receivers": receivers, **({"muteTimeIntervals": intervals} if intervals else {})}
        },
        secrets=secrets,
    )


def build_route(item: Mapping[str, Any]) -> dict[str, Any]:
    """A route and those below it."""
    entry = {to_camel(key): value for key, value in item.items() if key not in ("matchers", "routes")}
    if item.get("matchers"):
        entry["matchers"] = [build_matcher(text) for text in item["matchers"]]
    if item.get("routes"):
        entry["routes"] = [build_route(below) for below in item["routes"]]
    return entry


def build_matcher(text: str) -> dict[str, str]:
    """A matcher such as `severity="critical"`, taken apart.

    Raises:
        ValueError: it is none.
    """
    parsed = Matcher.parse(text)
    return {"name": parsed.name, "matchType": parsed.operator, "value": parsed.value}


def build_interval(item: Mapping[str, Any]) -> dict[str, Any]:
    """A named time interval; days of the month are numbers here, and times have other names."""
    return {"name": item["name"], "timeIntervals": [_build_period(period) for period in item["time_intervals"]]}


def _build_period(item: Mapping[str, Any]) -> dict[str, Any]:
    period = {to_camel(key): value for key, value in item.items() if key in ("weekdays", "months", "years")}
    if "times" in item:
        period["times"] = [{to_camel(key): value for key, value in time.items()} for time in item["times"]]
    if "days_of_month" in item:
        period["daysOfMonth"] = [_build_days(text) for text in item["days_of_month"]]
    return period


def _build_days(text: str) -> dict[str, int]:
    first, _, last = text.partition(":")
    return {"start": int(first), "end": int(last or first)}


def build_integration(entry: Mapping[str, Any], kind: str = "") -> dict[str, Any]:
    """One way to notify; a file with a secret becomes a key of the Secret that holds all of them.

    The operator's Alertmanager does not have our templates, so each text has those that it uses in it.
    """
    fields: dict[str, Any] = {}
    for key, value in entry.items():
        if key in _UNKNOWN.get(kind, ()):
            continue
        if key.endswith(_SUFFIX):
            field = _SECRET_FIELDS.get(key) or to_camel(key.removesuffix(_SUFFIX))
            if kind == "discord_configs":
                field = "apiURL"
            fields[field] = {"name": SECRETS, "key": str(value).rpartition("/")[2]}
        else:
            fields[_FIELDS.get(key) or to_camel(key)] = _build_value(key, value)
    return fields


def _build_value(key: str, value: Any) -> Any:
    if key in ("details", "headers"):
        return [{"key": name, "value": inline_templates(text)} for name, text in value.items()]
    if key == "links":
        return [{"href": item["href"], "alt": item["text"]} for item in value]
    return inline_templates(value) if isinstance(value, str) else value
