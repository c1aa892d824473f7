"""Receivers and routes that are wrong, and secrets of theirs that are missing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from stack.assemble import ConfigValue
from tests.support.refusals.case import Case, of_settings

SECRET = ConfigValue("", secret=True)
MAIL = {"to": "a@example.com", "from": "b@example.com", "smarthost": "mail.example.com:587"}
HOOK = {"name": "hook", "webhook": {"url": "http://x/"}}


def of_receivers(name: str, section: Mapping[str, Any], at: str, says: str) -> Case:
    """A section of Alertmanager that is wrong."""
    return of_settings(name, {"alertmanager": json.dumps(section)}, f"alertmanager{at}", says)


RECEIVER_CASES = (
    of_receivers(
        "old name of continue",
        {"receivers": [HOOK], "routes": [{"severity": "critical", "receiver": "hook", "andOn": True}]},
        ".routes[0].andOn",
        "unknown key 'andOn'; it is called continue now",
    ),
    of_receivers(
        "unknown interval",
        {"receivers": [HOOK], "routes": [{"severity": "critical", "muteTimeIntervals": ["night"]}]},
        ".routes[0].muteTimeIntervals[0]",
        "names the unknown interval 'night'; none is defined",
    ),
    of_receivers(
        "unused interval",
        {"timeIntervals": [{"name": "night", "timeIntervals": [{"weekdays": ["sunday"]}]}]},
        ".timeIntervals[0]",
        "'night' is used by no route",
    ),
    of_receivers(
        "unknown zone",
        {"timeIntervals": [{"name": "night", "timeIntervals": [{"location": "Berlin"}]}]},
        ".timeIntervals[0].timeIntervals[0].location",
        "'Berlin' is no time zone",
    ),
    of_receivers(
        "mute for ever",
        {
            "receivers": [HOOK],
            "routes": [{"severity": "critical", "muteTimeIntervals": ["always"]}],
            "timeIntervals": [{"name": "always", "timeIntervals": [{}]}],
        },
        ".routes[0].muteTimeIntervals",
        "leave no time in which this route notifies anybody",
    ),
    of_receivers(
        "telegram chat in words",
        {"receivers": [{"name": "a", "telegram": {"botTokenSecret": "b", "chatId": "ops"}}]},
        ".receivers[0].telegram.chatId",
        "must be a whole number",
    ),
    of_receivers(
        "slack without a credential",
        {"receivers": [{"name": "a", "slack": {"channel": "#a"}}]},
        ".receivers[0].slack",
        "give either urlSecret (a webhook) or appTokenSecret (a bot token)",
    ),
    of_receivers(
        "unknown receiver",
        {"receivers": [HOOK], "routes": [{"severity": "critical", "receiver": "hok"}]},
        ".routes[0].receiver",
        "names the unknown receiver 'hok'; did you mean 'hook'?",
    ),
    of_receivers(
        "receiver twice", {"receivers": [HOOK, HOOK]}, ".receivers[1].name", "receiver 'hook' is declared twice"
    ),
    of_receivers("receiver without a way", {"receivers": [{"name": "a"}]}, ".receivers[0]", "'a' tells nobody: give"),
    of_receivers(
        "mail password without user",
        {"receivers": [{"name": "a", "email": {**MAIL, "passwordSecret": "mail"}}]},
        ".receivers[0].email.username",
        "is required to log in with passwordSecret",
    ),
    of_receivers(
        "mail user without password",
        {"receivers": [{"name": "a", "email": {**MAIL, "username": "u"}}]},
        ".receivers[0].email.passwordSecret",
        "is required to log in as 'u'",
    ),
    of_receivers(
        "webhook without address",
        {"receivers": [{"name": "a", "webhook": {}}]},
        ".receivers[0].webhook",
        "url or urlSec",
    ),
    of_receivers(
        "webhook address",
        {"receivers": [{"name": "a", "webhook": {"url": "x"}}]},
        ".receivers[0].webhook.url",
        "for example http://hooks.example.com/alerts",
    ),
    of_receivers(
        "slack channel",
        {"receivers": [{"name": "a", "slack": {"channel": "alerts", "urlSecret": "s"}}]},
        ".receivers[0].slack.channel",
        "for example #alerts",
    ),
    of_receivers(
        "severity of a route",
        {"receivers": [HOOK], "routes": [{"severity": "critcal", "receiver": "hook"}]},
        ".routes[0].severity",
        "did you mean 'critical'?",
    ),
    of_settings(
        "secret of a receiver missing",
        {"alertmanager": '{"receivers": [{"name": "a", "pagerduty": {"routingKeySecret": "pager"}}]}'},
        "pager",
        "is required, as the PagerDuty key of receiver a; set it with: make secret STACK=dev NAME=pager",
    ),
    Case(
        name="host port clash",
        settings={"alertmanager": '{"port": 9090}'},
        at="Pulumi.dev.yaml: alertmanager.port",
        says="host port 9090 is wanted by alertmanager and prometheus: give each a port of its own",
    ),
)
