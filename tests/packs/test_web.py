"""Web pages: errors, slow pages and failed requests as browsers see them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from model.telemetry import Example
from packs import web
from packs.base import build_counter_samples
from tests.conftest import Proves, Uses

FAILED = 'browser_exceptions_total{service="x", system="s", environment="test", kind="error"}'
TIMED_OUT = FAILED.replace('"error"', '"timeout"')
SHOWN = 'browser_page_load_seconds_count{service="x", system="s", environment="test", phase="load"}'
ENDED = 'browser_requests_total{service="x", system="s", environment="test", result="%s"}'
VITAL = 'browser_web_vital_seconds%s{service="x", system="s", environment="test", vital="lcp"%s}'


def test_alerts_fire_just_past_their_conditions(proves: Any, uses: Any) -> None:
    """Every alert of the pack fires and stays silent where its example says."""
    rules = web.rules(uses("web"))
    proves(rules.alerts, rules.recordings)


@pytest.mark.exhaustive  # the same proof three times
@pytest.mark.parametrize(
    ("name", "wish"), [("BrowserErrorsHigh", 0.2), ("BrowserPagesSlow", 2.5), ("BrowserRequestsFailing", 0.1)]
)
def test_a_threshold_can_be_tuned(proves: Any, uses: Any, name: str, wish: float) -> None:
    """Another threshold changes the condition, and the alert is right about it as well."""
    usual = {alert.name: alert for alert in web.rules(uses("web")).alerts}
    rules = web.rules(uses("web", tune={name: {"threshold": wish}}))
    tuned = {alert.name: alert for alert in rules.alerts}
    assert tuned[name].limit == wish and tuned[name].expr != usual[name].expr
    proves(rules.alerts, rules.recordings)


def test_panels_explain_themselves(uses: Any, explains: Any) -> None:
    """Each panel has a title of its own and says what it shows."""
    explains(web.panels([uses("web")]))


def test_the_threshold_of_pages_is_a_bucket() -> None:
    """A quantile between two bounds is a guess; at the bound of poor it is none."""
    assert web.SLOW_SECONDS in web.METRICS["browser_web_vital_seconds"].buckets


def check(proves: Proves, uses: Uses, name: str, **example: Any) -> None:
    """What an alert does with other series than those of its own example."""
    (alert,) = [alert for alert in web.rules(uses("web")).alerts if alert.name == name]
    proves([replace(alert, example=Example(**example))])


QUIET = "_x54 "
"""Nothing for an hour, in which the gateway loses its series: so the first value that comes is all at once."""


def test_the_first_burst_counts(proves: Proves, uses: Uses) -> None:
    """Errors and failed requests after a quiet hour or a new gateway appear with their series."""
    check(
        proves, uses, "BrowserErrorsHigh",
        fires={FAILED: QUIET + "12", SHOWN: QUIET + "20"}, silent={FAILED: QUIET + "4", SHOWN: QUIET + "20"},
    )  # fmt: skip
    check(
        proves, uses, "BrowserRequestsFailing",
        fires={ENDED % "failed": QUIET + "9", ENDED % "2xx": QUIET + "11"},
        silent={ENDED % "failed": QUIET + "4", ENDED % "2xx": QUIET + "11"},
    )  # fmt: skip


def test_errors_without_any_page_count(proves: Proves, uses: Uses) -> None:
    """An error that keeps pages from being shown leaves no page to compare with."""
    check(proves, uses, "BrowserErrorsHigh", fires={FAILED: QUIET + "5"}, silent={FAILED: QUIET + "4"})
    old = {SHOWN: "0+1x20"}  # pages were shown before
    check(proves, uses, "BrowserErrorsHigh", fires={FAILED: QUIET + "5", **old}, silent={FAILED: QUIET + "4", **old})


def test_what_was_counted_before_a_pause_is_not_counted_again(proves: Proves, uses: Uses) -> None:
    """The gateway sends nothing between events, so a series is away for minutes and goes on where it was."""
    often, once = "0+3x6 _x45 24", "0+3x6 _x45 19"
    check(proves, uses, "BrowserErrorsHigh", fires={FAILED: often, SHOWN: often}, silent={FAILED: once, SHOWN: once})
    begun_anew = "50 _x53 6"
    check(proves, uses, "BrowserErrorsHigh", fires={FAILED: begun_anew}, silent={FAILED: "50 _x53 4"})


def test_one_kind_of_errors_does_not_hide_the_other(proves: Proves, uses: Uses) -> None:
    """A series that ended does not count against one that grows."""
    check(
        proves, uses, "BrowserErrorsHigh",
        fires={TIMED_OUT: "0+3x20", FAILED: QUIET + "5"}, silent={TIMED_OUT: "0+3x20", FAILED: QUIET + "4"},
    )  # fmt: skip


def test_few_slow_visits_wake_nobody(proves: Proves, uses: Uses) -> None:
    """A quarter of the visits is slow, and there are at least as many slow ones as an alert needs failures."""

    def visit(count: int) -> dict[str, str]:
        slow = {
            VITAL % ("_bucket", f', le="{le}"'): f"_x40 {count if le == '+Inf' else 0}" for le in ("4", "6", "+Inf")
        }
        return {VITAL % ("_count", ""): f"_x40 {count}", **slow}

    check(proves, uses, "BrowserPagesSlow", fires=visit(20), silent=visit(19))


@pytest.mark.exhaustive  # days, minute by minute
def test_silence_is_longer_than_a_night_or_a_weekend(proves: Proves, uses: Uses) -> None:
    """A page is silent when nobody opens it on a day on which somebody did a week ago."""
    day = 1440
    check(
        proves, uses, "BrowserSilent",
        fires={SHOWN: "0+1x600"}, silent={SHOWN: f"_x{day + 60} 0+1x600"}, at="8d",
    )  # fmt: skip
    check(
        proves, uses, "BrowserSilent",
        fires={SHOWN: "0+1x600"}, silent={SHOWN: f"0+1x600 _x{7 * day} 700+1x60"}, at="8d",
    )  # fmt: skip


def test_a_rate_of_stand_ins_is_seen_as_before(proves: Proves, uses: Uses) -> None:
    """Series that are scraped have a sample each time, and the growth of ten minutes is that of ten minutes."""
    check(
        proves, uses, "BrowserErrorsHigh",
        fires={FAILED: build_counter_samples(0.6), SHOWN: build_counter_samples(10)},
        silent={FAILED: build_counter_samples(0.4), SHOWN: build_counter_samples(10)},
    )  # fmt: skip
