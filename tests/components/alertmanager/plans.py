"""What tests of Alertmanager share."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from model.plan import Plan
from stack.assemble import ConfigValue
from tests.support.systems import plan_shop

RECEIVERS = [
    {"name": "team", "slack": {"channel": "#alerts", "urlSecret": "slack-url"}},
    {
        "name": "night",
        "pagerduty": {"routingKeySecret": "pager-key"},
        "email": {
            "to": "a@example.com",
            "from": "b@example.com",
            "smarthost": "m:25",
            "username": "b",
            "passwordSecret": "mail",
        },
        "webhook": {"urlSecret": "hook-url"},
    },
]


ROUTES = [{"severity": "critical", "receiver": "night", "repeatInterval": "1h"}]


SECRETS = {name: ConfigValue("", secret=True) for name in ("slack-url", "pager-key", "mail", "hook-url")}


SWITCH = {"switch-url": ConfigValue("", secret=True)}


def planned(folder: Path, **own: Any) -> Plan:
    """The shop with Alertmanager's settings."""
    given = {"alertmanager": ConfigValue(json.dumps(own)), **(SECRETS if own.get("receivers") else {})}
    given |= SWITCH if own.get("deadMansSwitch") else {}
    return plan_shop(folder, settings=given)
