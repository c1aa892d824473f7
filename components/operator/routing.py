"""Notifications as an AlertmanagerConfig, from the very document that our own Alertmanager would be given.

Format: https://prometheus-operator.dev/docs/api-reference/api/#monitoring.coreos.com/v1alpha1.AlertmanagerConfig
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pydantic.alias_generators import to_camel

from model.declared import SECRETS, Declared
from model.operator import GROUP, Operator

_MATCHER = re.compile(r'(?P<name>[^=!~]+)(?P<type>=~|!~|!=|=)"(?P<value>.*)"')
_SECRET_FIELDS = {"url_file": "urlSecret", "api_url_file": "apiURL"}
"""Settings that name a file with a secret, where the object's field is not called alike."""
_FIELDS = {"require_tls": "requireTLS"}
_SUFFIX = "_file"


def alertmanager_config(
    name: str, stack: str, operator: Operator, document: Mapping[str, Any], secrets: tuple[str, ...]
) -> Declared:
    """The AlertmanagerConfig of a stack: its routes touch only alerts of that stack.

    Args:
        name: what the object is called.
        stack: the stack's name, which each of its alerts carries as a label.
        operator: how the operator finds the object.
        document: alertmanager.yml as a dict; secrets in it are files called like them.
        secrets: the names of these secrets.
    """
    ours = f'stack="{stack}"'
    top = route({"matchers": [ours], **document["route"]})
    receivers = [
        {to_camel(key): [integration(part) for part in value] if key != "name" else value for key, value in r.items()}
        for r in document["receivers"]
    ]
    return Declared(
        api=f"{GROUP}/v1alpha1",
        kind="AlertmanagerConfig",
        name=name,
        labels=operator.labels,
        body={"spec": {"route": top, "receivers": receivers}},
        secrets=secrets,
    )


def route(item: Mapping[str, Any]) -> dict[str, Any]:
    """A route and those below it."""
    made = {to_camel(key): value for key, value in item.items() if key not in ("matchers", "routes")}
    if item.get("matchers"):
        made["matchers"] = [matcher(text) for text in item["matchers"]]
    if item.get("routes"):
        made["routes"] = [route(below) for below in item["routes"]]
    return made


def matcher(text: str) -> dict[str, str]:
    """A matcher such as `severity="critical"`, taken apart.

    Raises:
        ValueError: it is none.
    """
    found = _MATCHER.fullmatch(text)
    if not found:
        raise ValueError(f"{text!r} is no matcher")
    return {"name": found["name"], "matchType": found["type"], "value": found["value"]}


def integration(entry: Mapping[str, Any]) -> dict[str, Any]:
    """One way to notify; a file with a secret becomes a key of the Secret that holds all of them."""
    made: dict[str, Any] = {}
    for key, value in entry.items():
        if key.endswith(_SUFFIX):
            field = _SECRET_FIELDS.get(key) or to_camel(key.removesuffix(_SUFFIX))
            made[field] = {"name": SECRETS, "key": str(value).rpartition("/")[2]}
        else:
            made[_FIELDS.get(key) or to_camel(key)] = value
    return made
