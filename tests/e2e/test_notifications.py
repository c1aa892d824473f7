"""The real Alertmanager with our documents: what each vendor's published format asks for, without an engine.

The checks of formats and their sources: tests/support/vendors.py.
"""

from __future__ import annotations

import io
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo

import pytest
from rich.console import Console

from bench.lifecycle import compute_notification_limit
from cli.alert_test import run_alert_test
from model.intervals import WEEKDAYS
from model.plan import Plan
from stack.assemble import ConfigValue
from tests.support.alerting import Watched, exporter, prometheus_files, served
from tests.support.everyone import IMPLICIT, STARTTLS, ZONE, Stack, everyone
from tests.support.mailbox import contexts
from tests.support.notified import SECRETS, Receivers, arrived, notified
from tests.support.systems import plan_shop
from tests.support.vendors import CHECKS
from tests.support.waiting import eventually
from toolchain import validators
from toolchain.context import build_default_context


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    """The shop's Alertmanager, and everyone whom it notifies."""
    with everyone(tmp_path) as made:
        yield made


def said(text: str) -> None:
    """Asserts that a text says what, where, how bad and since when, and leads on."""
    for part in ("Broken", "service api", "instance a:1", "system shop", "environment test", "critical", "UTC"):
        assert part in text, f"{part!r} is missing in {text}"


def test_every_vendor_is_told_in_its_own_format(stack: Stack) -> None:
    """Firing and resolved, with title, places, severity, time and links; two alerts of a group in one message."""
    for instance in ("a:1", "b:2"):
        stack.alertmanager.alert("Broken", service="api", instance=instance)
    for vendor in CHECKS:
        message = arrived(stack.receivers, vendor, resolved=False)
        if vendor not in ("ntfy", "webhook"):
            assert message.title == "FIRING critical: Broken api (2)", vendor
            said(message.text)
            assert "b:2" in message.text, f"{vendor}: both alerts are in one message"
        if vendor in ("slack", "slackapp", "pagerduty", "opsgenie", "teams", "discord", "telegram"):
            assert "runbooks.example.com/Broken.md" in message.text and "grafana.example.com" in message.text
            silence = unquote(message.text.partition("#/silences/new?filter=")[2].split(")")[0])
            assert silence.startswith('{alertname="Broken", environment="test", instance="a:1", service="api"'), vendor
    for instance in ("a:1", "b:2"):
        stack.alertmanager.alert("Broken", service="api", instance=instance, ended=True)
    for vendor in CHECKS:
        message = arrived(stack.receivers, vendor, resolved=True)
        assert not message.title or "RESOLVED" in message.title or vendor in ("ntfy", "webhook"), (
            vendor,
            message.title,
        )
        assert len(stack.receivers.of(vendor)) == 2, f"{vendor} is notified twice: {stack.receivers.of(vendor)}"
        first = stack.receivers.of(vendor)[0]
        assert message.key == first.key, f"{vendor}: the end belongs to the beginning"
    assert not stack.receivers.broken


@pytest.mark.parametrize(("length", "refused"), [(900, set()), (6000, {"ntfy"})])
def test_a_large_group_stays_within_every_limit(stack: Stack, length: int, refused: set[str]) -> None:
    """Sixty alerts with long texts, all of which are escaped: each vendor takes its message.

    But for ntfy, which gets Alertmanager's JSON and takes 32 KiB of it: three alerts of 900 such characters are less.
    """
    for number in range(60):
        stack.alertmanager.alert("Broken", text="<&>" * (length // 3), service="api", instance=f"{number}:1")
    for vendor in CHECKS.keys() - refused:
        arrived(stack.receivers, vendor, resolved=False)
    assert {words.partition(":")[0] for words in stack.receivers.broken} == refused
    assert "of 60 alerts" in stack.receivers.of("slack")[-1].text
    eventually(lambda: stack.mail[STARTTLS].of("(60)"), timeout=30, what="a mail arrives")


@pytest.mark.parametrize("host", [STARTTLS, IMPLICIT])
def test_mail_arrives_by_tls(stack: Stack, host: str) -> None:
    """By STARTTLS and by TLS from the beginning, with a login, to all addressees; beginning and end, text and HTML."""
    stack.alertmanager.alert("Broken", service="api", instance="a:1")
    inbox = stack.mail[host]
    eventually(lambda: inbox.of("FIRING"), timeout=30, what="a mail arrives")
    stack.alertmanager.alert("Broken", service="api", instance="a:1", ended=True)
    eventually(lambda: inbox.of("RESOLVED"), timeout=30, what="the end arrives")
    addressees, mail = inbox.of("FIRING")[0]
    assert addressees == ["ops@example.com", "ann@example.com", "shop@example.com"]
    assert (mail["Subject"], mail["From"]) == ("FIRING critical: Broken api", "Monitoring <stack@example.com>")
    plain, html = (mail.get_body((kind,)) for kind in ("plain", "html"))
    assert plain is not None and html is not None
    said(plain.get_content())
    assert "Broken & more <of> it" in plain.get_content() and "Broken &amp; more &lt;of&gt; it" in html.get_content()
    assert '<a href="https://runbooks.example.com/Broken.md">Runbook</a>' in html.get_content()


def test_groups_are_apart(stack: Stack) -> None:
    """Another service is another message, as configured; the same group is not sent again while nothing changes."""
    for service in ("api", "web"):
        stack.alertmanager.alert("Broken", service=service, instance="a:1")
    eventually(lambda: len(stack.receivers.of("webhook")) == 2, timeout=30, what="two groups are sent")
    groups = sorted(message.raw["groupLabels"]["service"] for message in stack.receivers.of("webhook"))
    assert groups == ["api", "web"]
    stack.alertmanager.alert("Broken", service="web", instance="b:2")
    eventually(lambda: len(stack.receivers.of("webhook")) == 3, timeout=30, what="the changed group is sent")
    assert len(stack.receivers.of("webhook")[-1].raw["alerts"]) == 2
    assert [message.raw["groupLabels"]["service"] for message in stack.receivers.of("webhook")[2:]] == ["web"]


def test_a_receiver_that_was_down_is_told_once(stack: Stack) -> None:
    """While it refuses, calls are repeated beyond one flush; when it is back, one message comes, and no other."""
    stack.receivers.down.add("slack")
    stack.alertmanager.alert("Broken", service="api", instance="a:1")
    arrived(stack.receivers, "webhook", resolved=False)
    failed = 'alertmanager_notifications_failed_total{integration="slack"'
    eventually(lambda: stack.alertmanager.metric(failed) >= 2, timeout=60, what="two whole flushes have failed")
    refused = stack.receivers.refused["slack"]
    assert refused > 4 and not stack.receivers.of("slack")
    stack.receivers.down.clear()
    arrived(stack.receivers, "slack", resolved=False)
    stack.alertmanager.alert("Broken", service="api", instance="a:1", ended=True)
    arrived(stack.receivers, "slack", resolved=True)
    assert [message.resolved for message in stack.receivers.of("slack")] == [False, True]


def test_a_call_that_hangs_holds_up_nobody_and_is_tried_again(stack: Stack) -> None:
    """Others are notified at once; the call ends after its time-out, and the next one comes within the same flush."""
    stack.receivers.hanging.add("webhook")
    began = time.monotonic()
    stack.alertmanager.alert("Broken", service="api", instance="a:1")
    for vendor in ("slack", "pagerduty", "telegram"):
        arrived(stack.receivers, vendor, resolved=False)
    assert time.monotonic() - began < 5, "group wait is one second, the time-out of the other one two"
    eventually(lambda: stack.receivers.refused["webhook"] >= 2, timeout=10, what="the call is tried again")
    stack.receivers.hanging.clear()
    arrived(stack.receivers, "webhook", resolved=False)


def test_a_mute_time_holds_back_and_sends_when_it_ends(stack: Stack) -> None:
    """Its days are those of its zone; what fires still when it ends is sent then."""
    stack.alertmanager.alert("Broken", service="api", instance="a:1", team="night")
    muted = 'alertmanager_notifications_suppressed_total{reason="mute_time_interval"}'
    eventually(lambda: stack.alertmanager.metric(muted) > 0, timeout=30, what="a notification is held back")
    assert not stack.receivers.of("webhook")
    today = WEEKDAYS[(datetime.now(ZoneInfo(ZONE)).weekday() + 1) % 7]
    other = WEEKDAYS[(WEEKDAYS.index(today) + 3) % 7]
    stack.alertmanager.change(f"- {today}", f"- {other}")
    arrived(stack.receivers, "webhook", resolved=False)


def test_zones_are_in_the_program() -> None:
    """The image has no time zones of its own, so the program brings them."""
    program = validators.require_validator(build_default_context(), "alertmanager", pinned=True)
    assert ZONE.encode() in program.read_bytes()


def test_the_dead_mans_switch_is_called_again_and_again(stack: Stack) -> None:
    """Watchdog goes there alone."""
    stack.alertmanager.alert("Watchdog", severity="info")
    eventually(lambda: stack.receivers.beats >= 3, timeout=30, what="three calls")
    assert not any(stack.receivers.of(vendor) for vendor in CHECKS)


def test_a_switch_that_is_not_reached_is_an_alert(tmp_path: Path) -> None:
    """DeadMansSwitchNotReached is sent to people when the switch refuses its calls; other failures are not its own."""
    given = {
        "receivers": [{"name": "webhook", "webhook": {"urlSecret": "webhook"}}],
        "deadMansSwitch": {"urlSecret": "switch", "interval": "1s"}, "groupWait": "1s", "groupInterval": "1s",
    }  # fmt: skip
    with watched(tmp_path, given, lambda address: address.startswith("api:")) as (_, receivers):
        eventually(lambda: receivers.beats >= 3, timeout=60, what="the switch is called")
        receivers.down.add("switch")
        about = eventually(
            lambda: notified_at(receivers, "DeadMansSwitchNotReached", ""), timeout=60, what="people are notified"
        )
        assert about and receivers.refused["switch"]
        assert not notified_at(receivers, "AlertmanagerClusterFailedToSendAlerts", "")


def test_it_takes_no_longer_than_the_wait_of_its_group(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    """From Prometheus' call to the receiver it takes group_wait and hardly more."""
    began = time.monotonic()
    stack.alertmanager.alert("Broken", service="api", instance="a:1")
    arrived(stack.receivers, "webhook", resolved=False)
    took = stack.receivers.received["webhook"][0][0] - began
    with capsys.disabled():
        print(f"\nalert to receiver: {took:.2f} s, of which group_wait 1 s")
    assert 1 <= took < 2.5


def test_every_receiver_is_tested_by_the_real_way(stack: Stack) -> None:
    """`make alert-test`: each is sent a marked alert and its end, with what it answered; a failure in its own words."""
    out = io.StringIO()
    stack.receivers.down.add("discord")
    code = run_alert_test(stack.plan, [stack.alertmanager], "", "info", Console(file=out, width=160))
    text = out.getvalue()
    assert code == 1, text
    assert "discord, discord: " in text and "unexpected status code 503: out of order" in text
    for vendor in CHECKS.keys() - {"discord"}:
        begun, ended = stack.receivers.of(vendor)
        assert (begun.resolved, ended.resolved) == (False, True), vendor
    assert stack.receivers.of("slack")[0].title == "TEST FIRING info: NotificationTest"
    assert "This is a test of the receiver slack" in stack.receivers.of("slack")[0].text
    assert len([line for line in text.splitlines() if line.count("accepted") == 2]) == len(CHECKS) - 1 + 2, text
    assert len(stack.mail[STARTTLS].of("TEST")) == len(stack.mail[IMPLICIT].of("TEST")) == 2
    assert not stack.receivers.broken


def test_one_receiver_is_tested_alone(stack: Stack) -> None:
    """By its name; nobody else is notified, and the alert has ended after."""
    out = io.StringIO()
    assert run_alert_test(stack.plan, [stack.alertmanager], "telegram", "critical", Console(file=out, width=160)) == 0
    assert len(stack.receivers.of("telegram")) == 2
    assert not any(stack.receivers.of(vendor) for vendor in CHECKS.keys() - {"telegram"})
    assert json.loads(stack.alertmanager.ask("/api/v2/alerts?active=true")) == []


def test_a_target_that_is_down_is_told_within_its_parts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """From a target's end to the receiver: scrape, evaluation, `for` and group wait, and hardly more."""
    given = {"receivers": [{"name": "webhook", "webhook": {"urlSecret": "webhook"}}], "groupWait": "1s"}
    down = threading.Event()
    with watched(tmp_path, given, lambda address: not down.is_set() and address.startswith("api:")) as made:
        plan, receivers = made
        began = time.monotonic()
        down.set()
        about = eventually(
            lambda: notified_at(receivers, "TargetDown", "api"), timeout=60, what="the notification that it is down"
        )
    limit = compute_notification_limit(plan)
    with capsys.disabled():
        parts = " + ".join(f"{name} {seconds:g}" for name, seconds in limit.items())
        print(f"\ntarget down to receiver: {about - began:.1f} s, at most {sum(limit.values()):g} s = {parts}")
    assert about - began <= sum(limit.values())


@contextmanager
def watched(tmp_path: Path, given: dict[str, Any], answers: Callable[[str], bool]) -> Iterator[tuple[Plan, Receivers]]:
    """A real Prometheus before the real Alertmanager, both of one plan, once the service is up.

    Prometheus scrapes Alertmanager's own metrics; of the other targets those answer that `answers` names.
    """
    names = [key for key in SECRETS if f'"{key}"' in json.dumps(given)]
    quick: dict[str, str | ConfigValue] = {
        "alertmanager": ConfigValue(json.dumps(given)), **{name: ConfigValue("", secret=True) for name in names},
        "scrapeInterval": "1s", "longestFor": "2s", "prometheus": '{"evaluationInterval": "1s"}',
    }  # fmt: skip
    plan = plan_shop(tmp_path, settings=quick)
    with notified(plan, tmp_path / "run", {}, contexts(tmp_path)) as (alertmanager, receivers):

        def page(address: str, _: str) -> str | None:
            if address.startswith("alertmanager:"):
                return alertmanager.metrics()
            return "# nothing\n" if answers(address) else None

        with served(exporter(page)) as proxy:
            files = prometheus_files(plan, tmp_path / "rules", proxy, urlsplit(alertmanager.url).port or 0)
            prometheus = Watched(plan, tmp_path, files)
            with prometheus.run():
                eventually(lambda: prometheus.ask('up{service="api"} == 1'), timeout=60, what="the service is scraped")
                yield plan, receivers


def notified_at(receivers: Receivers, alert: str, about: str) -> float:
    """When the webhook was notified of an alert about something; 0 before."""
    for when, message in receivers.received["webhook"]:
        if message.raw["commonLabels"].get("alertname") == alert and about in message.text:
            return when
    return 0.0
