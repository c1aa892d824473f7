"""Web pages: errors, slow pages and failed requests as browsers see them."""

from __future__ import annotations

from typing import Any

import pytest

from packs import web


def test_alerts_fire_just_past_their_conditions(proves: Any, uses: Any) -> None:
    """Every alert of the pack fires and stays silent where its example says."""
    rules = web.rules(uses("web"))
    proves(rules.alerts, rules.recordings)


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
    assert all(name.startswith(web.PREFIX) for name in web.METRICS)
