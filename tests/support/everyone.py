"""A shop that notifies in every way there is, and everyone whom it notifies, on loopback."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from model.intervals import WEEKDAYS
from model.plan import Plan
from stack.assemble import ConfigValue
from tests.support.alerting import RECEIVER
from tests.support.mailbox import MAIL_HOST, USER, Inbox, contexts, mail_server
from tests.support.notified import SECRETS, Alertmanager, Receivers, notified
from tests.support.systems import plan_shop

STARTTLS, IMPLICIT = "mailserver:587", "mailserver:465"
"""Where the plan says that mail goes; on this machine it is some ports of loopback."""
ZONE = "Australia/Sydney"
APP = f"{RECEIVER}/slackapp/api/chat.postMessage"
VENDORS: dict[str, dict[str, Any]] = {
    "slack": {"slack": {"channel": "#alerts", "urlSecret": "slack"}},
    "slackapp": {
        "slack": {"channel": "#alerts", "appTokenSecret": "slackapp", "appUrl": APP}
    },
    "pagerduty": {"pagerduty": {"routingKeySecret": "pagerduty", "url": f"{RECEIVER}/pagerduty/v2/enqueue"}},
    "opsgenie": {
        "opsgenie": {
            "apiKeySecret": "opsgenie", "apiUrl": f"{RECEIVER}/opsgenie/", "tags": "shop,test",
            "responders": [{"type": "team", "name": "shop"}],
        }
    },
    "teams": {"msteamsv2": {"webhookUrlSecret": "teams"}},
    "discord": {"discord": {"webhookUrlSecret": "discord"}},
    "telegram": {"telegram": {"botTokenSecret": "telegram", "chatId": -100, "apiUrl": f"{RECEIVER}/telegram"}},
    "pushover": {"pushover": {"tokenSecret": "pushover-token", "userKeySecret": "pushover-user"}},
    "ntfy": {"ntfy": {"urlSecret": "ntfy", "tokenSecret": "ntfy-token"}},
    "webhook": {"webhook": {"urlSecret": "webhook", "timeout": "2s"}},
}  # fmt: skip
"""One receiver for each kind."""
TO = 'ops@example.com, "Doe, Ann" <ann@example.com>, Shop <shop@example.com>'


def settings(authority: str) -> dict[str, Any]:
    """All receivers get what is critical; a night receiver is mute today, and a team has its own."""
    trusted = {"ca": authority, "serverName": MAIL_HOST}
    mail = {
        "to": TO, "from": "Monitoring <stack@example.com>", "username": USER, "passwordSecret": "mail",
        "tlsConfig": trusted,
    }  # fmt: skip
    today = WEEKDAYS[(datetime.now(ZoneInfo(ZONE)).weekday() + 1) % 7]
    receivers = [{"name": name, **way} for name, way in VENDORS.items() if name != "ntfy"]
    receivers.append({"name": "ntfy", "ntfy": {**VENDORS["ntfy"]["ntfy"], "tlsConfig": trusted}})
    receivers.append({"name": "starttls", "email": {**mail, "smarthost": STARTTLS}})
    receivers.append({"name": "implicit", "email": {**mail, "smarthost": IMPLICIT}})
    every = [
        {"matchers": ['severity="critical"', 'team=~"|shop"'], "receiver": item["name"], "continue": True}
        for item in receivers
    ]
    quiet = {"labels": {"team": "night"}, "receiver": "webhook", "muteTimeIntervals": ["today"]}
    return {
        "receivers": receivers,
        "routes": [*every, quiet],
        "timeIntervals": [{"name": "today", "timeIntervals": [{"weekdays": [today], "location": ZONE}]}],
        "deadMansSwitch": {"urlSecret": "switch", "interval": "1s"},
        "groupWait": "1s",
        "groupInterval": "1s",
        "repeatInterval": "1h",
    }


class Stack:
    """A running Alertmanager and everyone whom it notifies."""

    def __init__(self, plan: Plan, running: tuple[Alertmanager, Receivers], mail: dict[str, Inbox]) -> None:
        self.plan, self.mail = plan, mail
        self.alertmanager, self.receivers = running


@contextmanager
def everyone(folder: Path) -> Iterator[Stack]:
    """The shop's Alertmanager, whose alerts may be of any team."""
    tls = contexts(folder)
    with ExitStack() as opened:
        boxes = {
            STARTTLS: opened.enter_context(mail_server(tls[0], implicit=False)),
            IMPLICIT: opened.enter_context(mail_server(tls[0], implicit=True)),
        }
        own = settings(tls[1])
        for item in own["receivers"]:  # the port is another one here, so it does not say by itself how TLS begins
            if item["name"] == "implicit":
                item["email"]["forceImplicitTls"] = True
        given = {"alertmanager": ConfigValue(json.dumps(own)), **{n: ConfigValue("", secret=True) for n in SECRETS}}
        labels = {
            "services.api.labels": {"team": "shop"},
            "services.api.tune": {"SlowRequests": {"labels": {"team": "night"}}},
        }
        plan = plan_shop(folder, labels, given)
        ports = {host: port for host, (_, port) in boxes.items()}
        running = opened.enter_context(notified(plan, folder / "run", ports, tls))
        yield Stack(plan, running, {host: inbox for host, (inbox, _) in boxes.items()})
