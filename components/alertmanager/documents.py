"""Alertmanager's document: whom it notifies of what.

Format: https://prometheus.io/docs/alerting/latest/configuration/. Every credential is read from a file. Nothing is
inhibited here: see `model.inhibition`.
"""

from __future__ import annotations

from typing import Any

from components.alertmanager import routes as notation
from components.alertmanager.mixin import SWITCH
from components.alertmanager.notifications import FILE
from components.alertmanager.receivers import build_receiver, build_webhook
from components.alertmanager.routes import NOBODY
from components.alertmanager.settings import Settings
from model.component import Planning
from model.integrations import Webhook
from model.receivers import Receiver


def list_receivers(own: Settings, context: Planning) -> tuple[Receiver, ...]:
    """The declared receivers; the demo's own webhook where none is declared, so that alerts can be seen arriving."""
    if own.receivers or not context.settings.demo:
        return own.receivers
    address = context.address("demo-webhook", 8080)
    hook = Webhook.model_construct(url=f"http://{address}/demo/webhook")
    return (Receiver.model_construct(name="default", webhook=hook),)


def build_config(own: Settings, context: Planning) -> dict[str, Any]:
    """alertmanager.yml as a dict. Without any receiver alerts are shown in Alertmanager and sent nowhere."""
    known = list_receivers(own, context)
    names = [item.name for item in known]
    default = names[0] if names else NOBODY
    below = [
        *notation.build_test_routes(names),
        *build_watchdog_routes(own),
        *(notation.build_routes(own.routes) if own.receivers else []),
    ]
    nobody = [{"name": NOBODY}] if own.receivers or not names else []
    return {
        "route": {
            "receiver": default,
            "group_by": list(own.group_by),
            "group_wait": own.group_wait,
            "group_interval": own.group_interval,
            "repeat_interval": own.repeat_interval,
            "routes": below,
        },
        "receivers": [*map(build_receiver, known), *build_switch_receivers(own), *nobody],
        **({"time_intervals": notation.build_time_intervals(own.time_intervals)} if own.time_intervals else {}),
        "templates": [FILE],
    }


def build_watchdog_routes(own: Settings) -> list[dict[str, Any]]:
    """The route of Watchdog to the dead man's switch; without one it is information like any other."""
    if own.dead_mans_switch is None:
        return []
    every = own.dead_mans_switch.interval
    # an unchanged group is looked at after each group_interval; it is sent then only if repeat_interval is over
    times = {"group_wait": "0s", "group_interval": every, "repeat_interval": "1s"}
    return [{"receiver": SWITCH, "matchers": ['alertname="Watchdog"'], **times}]


def build_switch_receivers(own: Settings) -> list[dict[str, Any]]:
    """The receiver of Watchdog, where there is one; that it ends is no message to it."""
    if own.dead_mans_switch is None:
        return []
    return [{"name": SWITCH, "webhook_configs": [{**build_webhook(own.dead_mans_switch), "send_resolved": False}]}]
