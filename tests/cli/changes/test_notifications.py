"""Who is notified of what, before and after."""

from __future__ import annotations

from typing import Any

from cli.changes.notifications import DOCUMENT, compare_notifications
from cli.changes.values import Detail
from tests.support.yaml_files import write_yaml

TEST = {"receiver": "team", "matchers": ['alertname="NotificationTest"', 'receiver="team"']}
CRITICAL = {"receiver": "night", "matchers": ['severity="critical"'], "repeat_interval": "1h"}
API = {"receiver": "team", "matchers": ['service="api"']}


def document(*routes: dict[str, Any], receivers: Any = (), receiver: str = "team") -> dict[str, str]:
    """Alertmanager's document with these routes below the top one."""
    text = write_yaml({"route": {"receiver": receiver, "routes": list(routes)}, "receivers": list(receivers)})
    return {DOCUMENT: text}


def test_routes_say_who_is_notified() -> None:
    """A route is named by its matchers; those by which receivers are tested are ours."""
    (new,) = compare_notifications(document(), document(TEST, CRITICAL))
    assert new.subject == 'route of severity="critical"'
    assert set(new.details) == {Detail("notifies", None, "night"), Detail("repeat_interval", None, "1h")}
    (other,) = compare_notifications(document(), document(receiver="night"))
    assert other.subject == "route of all that no other route takes"
    assert other.details == (Detail("notifies", "team", "night"),)


def test_the_order_of_routes_is_a_change() -> None:
    """The first one that matches takes an alert."""
    (change,) = compare_notifications(document(API, CRITICAL), document(CRITICAL, API))
    assert change.details[0].name == "order" and change.note


def test_two_routes_of_equal_matchers_notify_both() -> None:
    """One that goes on to the next is no route of its own to readers."""
    (change,) = compare_notifications(document(API), document({**API, "continue": True}, {**API, "receiver": "night"}))
    assert Detail("notifies", "team", "team, night") in change.details


def test_receivers_and_all_else_are_compared() -> None:
    """Another channel, and another inhibition."""
    one = [{"name": "team", "slack_configs": [{"channel": "#a", "api_url_file": "/run/secrets/x"}]}]
    other = [{"name": "team", "slack_configs": [{"channel": "#b", "api_url_file": "/run/secrets/x"}]}]
    (change,) = compare_notifications(document(receivers=one), document(receivers=other))
    assert change.subject == "receiver team" and "#a" in str(change.details[0].before)
    more = {DOCUMENT: document()[DOCUMENT] + "inhibit_rules: [{equal: [a]}]\n"}
    (change,) = compare_notifications(document(), more)
    assert change.subject == "alertmanager.yml"


def test_an_operators_object_is_read() -> None:
    """An AlertmanagerConfig has the same routes in another notation."""

    def text(receiver: str) -> dict[str, str]:
        spec = {"route": {"receiver": receiver, "groupWait": "1s"}, "receivers": []}
        return {"kubernetes/alertmanagerconfig/x.yaml": write_yaml({"kind": "AlertmanagerConfig", "spec": spec})}

    (change,) = compare_notifications(text("a"), text("b"))
    assert change.details == (Detail("notifies", "a", "b"),)
