"""Questions and model calls."""

from __future__ import annotations

from typing import Any

import pytest

from packs import llm


def test_alerts_fire_just_past_their_conditions(proves: Any, uses: Any) -> None:
    """Every alert of the pack fires and stays silent where its example says."""
    rules = llm.rules(uses("llm"))
    proves(rules.alerts, rules.recordings)


@pytest.mark.exhaustive  # a second proof
def test_a_threshold_can_be_tuned(proves: Any, uses: Any) -> None:
    """Another threshold changes the condition, and the alert is right about it as well."""
    usual = {alert.name: alert for alert in llm.rules(uses("llm")).alerts}
    own = usual["LlmCallsFailing"].limit
    assert own is not None
    wish = own / 2
    rules = llm.rules(uses("llm", tune={"LlmCallsFailing": {"threshold": wish}}))
    tuned = {alert.name: alert for alert in rules.alerts}
    assert tuned["LlmCallsFailing"].limit == wish
    assert tuned["LlmCallsFailing"].expr != usual["LlmCallsFailing"].expr
    proves(rules.alerts, rules.recordings)


def test_panels_explain_themselves(uses: Any, explains: Any) -> None:
    """Each panel has a title of its own and says what it shows."""
    explains(llm.panels([uses("llm")]))
