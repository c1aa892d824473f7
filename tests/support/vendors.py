"""What each vendor publishes of its format: a request that breaks it fails with the words of what is wrong.

Each check takes a request and gives what people would read: a title and a text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Request:
    """A call of a receiver, as it came."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> dict[str, Any]:
        """The body as JSON, said to be JSON."""
        assert self.headers["content-type"].startswith("application/json"), self.headers
        return dict(json.loads(self.body))


@dataclass(frozen=True)
class Message:
    """What people read, whether it is an end, and by what a later message belongs to an earlier one."""

    title: str
    text: str
    resolved: bool
    key: str = ""
    raw: Mapping[str, Any] = field(default_factory=dict)


def within(value: Any, most: int, name: str) -> str:
    """A text that is there and not too long."""
    assert isinstance(value, str) and value, f"{name} is {value!r}"
    assert len(value) <= most, f"{name} has {len(value)} characters, {most} at most"
    return value


def slack(request: Request) -> Message:
    """An incoming webhook: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks/.

    Attachments: https://docs.slack.dev/legacy/legacy-messaging/legacy-secondary-message-attachments/.
    """
    body = request.json()
    (attachment,) = body["attachments"]
    title = within(attachment["title"], 1024, "title")
    assert attachment["fallback"] and "text" in attachment["mrkdwn_in"]
    assert attachment["color"] in ("good", "warning", "danger") or re.fullmatch("#[0-9A-F]{6}", attachment["color"])
    assert urlsplit(attachment["title_link"]).scheme == "http"
    text = within(attachment["text"], 40_000, "text")
    assert not re.search(r"<(?![^>]*\|)|&(?!amp;|lt;|gt;)", re.sub(r"<http[^>]*>", "", text)), f"not escaped: {text}"
    return Message(title, text, attachment["color"] == "good", raw=body)


def slack_app(request: Request) -> Message:
    """chat.postMessage: https://docs.slack.dev/reference/methods/chat.postMessage/."""
    assert request.headers["authorization"] == "Bearer xoxb-token"
    assert re.fullmatch(r"#[a-z-]+|[CGD][A-Z0-9]+", request.json()["channel"])
    return slack(request)


def pagerduty(request: Request) -> Message:
    """Events API v2: https://developer.pagerduty.com/docs/send-alert-event."""
    body = request.json()
    assert request.path.endswith("/v2/enqueue") and len(request.body) <= 512_000
    assert re.fullmatch("[0-9a-f]{32}", body["routing_key"]), "an integration key has 32 characters"
    assert body["event_action"] in ("trigger", "acknowledge", "resolve")
    payload = body["payload"]
    assert payload["severity"] in ("critical", "error", "warning", "info"), payload
    within(payload["source"], 1024, "payload.source")
    for link in body.get("links", ()):
        assert urlsplit(link["href"]).netloc and link["text"]
    details = payload["custom_details"]
    return Message(
        within(payload["summary"], 1024, "payload.summary"), details["alerts"], body["event_action"] == "resolve",
        within(body["dedup_key"], 255, "dedup_key"), body,
    )  # fmt: skip


def opsgenie(request: Request) -> Message:
    """Alert API: https://docs.opsgenie.com/docs/alert-api#create-alert and #close-alert."""
    body, address = request.json(), urlsplit(request.path)
    assert request.headers["authorization"] == "GenieKey genie"
    within(body["source"], 100, "source")
    if closing := re.fullmatch(r"/v2/alerts/([^/]+)/close", address.path):
        assert parse_qs(address.query) == {"identifierType": ["alias"]}
        return Message("", "", True, closing[1], body)
    assert address.path == "/v2/alerts"
    assert body["priority"] in ("P1", "P2", "P3", "P4", "P5")
    assert all(item["type"] in ("team", "user", "escalation", "schedule") for item in body.get("responders", ()))
    assert len(body.get("tags", ())) <= 20 and all(len(tag) <= 50 for tag in body.get("tags", ()))
    assert sum(len(k) + len(v) for k, v in body["details"].items()) <= 8000
    alias = within(body["alias"], 512, "alias")
    text = within(body["description"], 15_000, "description")
    return Message(within(body["message"], 130, "message"), text, False, alias, body)


def teams(request: Request) -> Message:
    """A workflow's trigger takes a message with one adaptive card.

    Source: https://learn.microsoft.com/en-us/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using.
    """
    body = request.json()
    assert body["type"] == "message" and len(request.body) <= 28_672
    (attachment,) = body["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    card = attachment["content"]
    assert card["type"] == "AdaptiveCard" and card["$schema"] == "http://adaptivecards.io/schemas/adaptive-card.json"
    assert re.fullmatch(r"1\.[0-6]", card["version"])
    title, text = card["body"]
    assert title["type"] == text["type"] == "TextBlock" and text["wrap"]
    assert title["color"] in ("Attention", "Good", "Warning", "Default", "Accent")
    return Message(title["text"], text["text"], title["color"] == "Good", raw=body)


def discord(request: Request) -> Message:
    """Execute Webhook: https://docs.discord.com/developers/resources/webhook#execute-webhook and its embeds' limits."""
    body = request.json()
    assert len(body["content"]) <= 2000 and len(body["embeds"]) <= 10
    (embed,) = body["embeds"]
    assert 0 <= embed["color"] <= 0xFFFFFF
    title, text = within(embed["title"], 256, "title"), within(embed["description"], 4096, "description")
    assert len(title) + len(text) <= 6000
    return Message(title, text, embed["color"] == 0x2ECC71, raw=body)


class _Tags(HTMLParser):
    """The text of a message and its tags, which must be among those that Telegram knows, and closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in ("b", "i", "u", "s", "a", "code", "pre"), f"<{tag}> is unknown to Telegram"
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open.pop() == tag, f"</{tag}> closes nothing"

    def handle_data(self, data: str) -> None:
        self.text += data


def telegram(request: Request) -> Message:
    """sendMessage: https://core.telegram.org/bots/api#sendmessage, with HTML of https://core.telegram.org/bots/api#html-style."""
    assert request.path == "/bot123:abc/sendMessage"
    body = request.json()
    assert body["parse_mode"] == "HTML" and int(body["chat_id"]) == -100
    tags = _Tags()
    tags.feed(body["text"])
    tags.close()
    assert not tags.open, f"not closed: {tags.open}"
    within(tags.text, 4096, "text")
    title, _, text = body["text"].partition("\n")
    return Message(re.sub("<[^>]+>", "", title), text, "RESOLVED" in title, raw=body)


def pushover(request: Request) -> Message:
    """A message: https://pushover.net/api."""
    given = {name: values[0] for name, values in parse_qs(urlsplit(request.path).query).items()}
    assert urlsplit(request.path).path == "/1/messages.json"
    assert re.fullmatch("[A-Za-z0-9]{30}", given["token"]) and re.fullmatch("[A-Za-z0-9]{30}", given["user"])
    within(given["url"], 512, "url"), within(given["url_title"], 100, "url_title")
    assert -2 <= int(given["priority"]) <= 2
    assert int(given["retry"]) >= 30 and int(given["expire"]) <= 10_800
    title = within(given["title"], 250, "title")
    return Message(title, within(given["message"], 1024, "message"), given["priority"] == "0", raw=given)


def ntfy(request: Request) -> Message:
    """Message templating: https://docs.ntfy.sh/publish/#message-templating; the template is ntfy's own to fill in."""
    headers = request.headers
    assert re.fullmatch(r"/[-_A-Za-z0-9]{1,64}", urlsplit(request.path).path) and len(request.body) <= 32_768
    assert headers["authorization"] == "Bearer tk_token" and headers["x-template"] == "yes"
    assert headers["x-priority"] in "12345"
    for name in ("x-title", "x-message"):
        assert not re.search(r"\{\{-?\s*(call|template|define)\b", headers[name]), "ntfy takes no such functions"
    body = request.json()
    first = body["alerts"][0]
    return Message(headers["x-title"], json.dumps(first), body["status"] == "resolved", raw=body)


def webhook(request: Request) -> Message:
    """Alertmanager's own format: https://prometheus.io/docs/alerting/latest/configuration/#webhook_config."""
    body = request.json()
    assert body["version"] == "4" and body["groupKey"] and body["status"] in ("firing", "resolved")
    keys = {"receiver", "groupLabels", "commonLabels", "commonAnnotations", "externalURL", "truncatedAlerts"}
    assert keys <= body.keys()
    for alert in body["alerts"]:
        assert {"status", "labels", "annotations", "startsAt", "endsAt", "generatorURL", "fingerprint"} <= alert.keys()
    name = body["groupLabels"].get("alertname", "")
    return Message(name, json.dumps(body["alerts"]), body["status"] == "resolved", body["groupKey"], body)


CHECKS = {
    "slack": slack, "slackapp": slack_app, "pagerduty": pagerduty, "opsgenie": opsgenie, "teams": teams,
    "discord": discord, "telegram": telegram, "pushover": pushover, "ntfy": ntfy, "webhook": webhook,
}  # fmt: skip
ANSWERS: Mapping[str, tuple[int, str, str]] = {
    "slack": (200, "text/html", "ok"),
    "slackapp": (200, "application/json; charset=utf-8", '{"ok": true, "channel": "C1", "ts": "1.2"}'),
    "pagerduty": (202, "application/json", '{"status": "success", "message": "Event processed", "dedup_key": "x"}'),
    "opsgenie": (202, "application/json", '{"result": "Request will be processed", "took": 0.1, "requestId": "1"}'),
    "teams": (202, "text/plain", ""),
    "discord": (204, "text/plain", ""),
    "telegram": (
        200,
        "application/json",
        '{"ok": true, "result": {"message_id": 1, "date": 1, "chat": {"id": -100, "type": "group"}}}',
    ),
    "pushover": (200, "application/json", '{"status": 1, "request": "1"}'),
    "ntfy": (200, "application/json", '{"id": "1", "event": "message", "topic": "shop"}'),
    "webhook": (200, "text/plain", ""),
}
"""What each vendor answers when it takes a message: status, type and body."""
