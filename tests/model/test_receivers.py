"""Receivers of notifications as settings."""

from __future__ import annotations

import pytest

from model.errors import ConfigError
from model.load import parse_model
from model.receivers import Receiver


def test_secrets_are_named_with_their_purpose() -> None:
    """A receiver lists its secrets and what each of them is."""
    data = {"name": "night", "pagerduty": {"routingKeySecret": "key"}, "webhook": {"urlSecret": "hook"}}
    result = parse_model(Receiver, data, "receiver").list_secrets()
    assert set(result) == {"key", "hook"}
    assert "night" in result["key"]


def test_a_receiver_notifies_somehow() -> None:
    """A receiver that reaches nobody would swallow alerts."""
    with pytest.raises(
        ConfigError, match=r"receiver 'night' tells nobody: give one or more of webhook, slack, email, .*, ntfy$"
    ):
        parse_model(Receiver, {"name": "night"}, "receiver")


def test_it_may_notify_in_several_ways() -> None:
    """Each way that is declared is there, by its key."""
    ways = {"discord": {"webhookUrlSecret": "d"}, "telegram": {"botTokenSecret": "t", "chatId": -100}}
    item = parse_model(Receiver, {"name": "a", **ways}, "receiver")
    assert [key for key, _ in item.list_integrations()] == ["discord", "telegram"]
    assert item.list_secrets() == {
        "d": "the Discord webhook address of receiver a",
        "t": "the Telegram bot token of receiver a",
    }
