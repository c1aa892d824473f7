"""Ways to notify as settings: what each of them must say, and what contradicts itself."""

from __future__ import annotations

from typing import Any

import pytest

from model.errors import ConfigError
from model.integrations import Integration, Ntfy, Opsgenie, PagerDuty, Pushover, Slack, Telegram, Webhook
from model.load import parse_model


@pytest.mark.parametrize(
    ("kind", "data", "says"),
    [
        (Webhook, {}, "either url or urlSecret"),
        (Webhook, {"url": "http://a", "urlSecret": "b"}, "either url or urlSecret"),
        (Webhook, {"url": "http://a", "tlsConfig": {"serverName": "b"}}, "tlsConfig: has no effect on 'http://a'"),
        (Ntfy, {}, "either url or urlSecret"),
        (Slack, {"channel": "#a"}, "either urlSecret .a webhook. or appTokenSecret"),
        (Slack, {"channel": "#a", "urlSecret": "a", "appTokenSecret": "b"}, "either urlSecret"),
        (Slack, {"channel": "#a", "urlSecret": "a", "appUrl": "http://a"}, "appUrl: is used with appTokenSecret only"),
        (Slack, {"channel": "alerts", "urlSecret": "a"}, "channel: .*must be a channel after #"),
        (Telegram, {"botTokenSecret": "a", "chatId": 0}, "chatId: 0 is no chat"),
        (Opsgenie, {"apiKeySecret": "a", "responders": [{"type": "team"}]}, "give one of name, username and id"),
        (Opsgenie, {"apiKeySecret": "a", "responders": [{"type": "team", "username": "x"}]}, "a team has a name"),
        (Opsgenie, {"apiKeySecret": "a", "responders": [{"type": "user", "name": "x"}]}, "a user has a username"),
        (Pushover, {"tokenSecret": "a", "userKeySecret": "b", "retry": "2m"}, "retry: has an effect with priority 2"),
        (
            Pushover,
            {"tokenSecret": "a", "userKeySecret": "b", "priority": 2, "retry": "10s"},
            "retry: 10s is less than the 30s",
        ),
        (
            Pushover,
            {"tokenSecret": "a", "userKeySecret": "b", "priority": 2, "expire": "4h"},
            "expire: 4h is more than the 3h",
        ),
    ],
)
def test_what_contradicts_itself_is_refused(kind: type[Integration], data: dict[str, Any], says: str) -> None:
    """Each kind needs one address or credential, and takes no setting that it would ignore."""
    with pytest.raises(ConfigError, match=says):
        parse_model(kind, data, "it")


def test_channels_of_slack() -> None:
    """A channel has its name or its identifier, which a bot token needs for private ones."""
    for channel in ("#alerts", "@ann", "C024BE91L"):
        assert parse_model(Slack, {"channel": channel, "appTokenSecret": "a"}, "slack").channel == channel


def test_secrets_are_named_with_what_they_are() -> None:
    """Each credential is a secret with a purpose; those that are not given are none."""
    assert [*parse_model(PagerDuty, {"routingKeySecret": "key"}, "it").list_secrets()] == [("key", "PagerDuty key")]
    both = parse_model(Ntfy, {"url": "http://ntfy/a", "tokenSecret": "token"}, "it")
    assert [*both.list_secrets()] == [("token", "ntfy access token")]
