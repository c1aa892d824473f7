"""Milvus by its own endpoint."""

from __future__ import annotations

from typing import Any

import pytest

from packs import milvus


def test_alerts_fire_just_past_their_conditions(proves: Any, uses: Any) -> None:
    """Every alert of the pack fires and stays silent where its example says."""
    rules = milvus.rules(uses("milvus"))
    proves(rules.alerts, rules.recordings)


@pytest.mark.exhaustive  # a second proof
def test_a_threshold_can_be_tuned(proves: Any, uses: Any) -> None:
    """Another threshold changes the condition, and the alert is right about it as well."""
    usual = {alert.name: alert for alert in milvus.rules(uses("milvus")).alerts}
    own = usual["MilvusSearchSlow"].limit
    assert own is not None
    wish = own / 2
    rules = milvus.rules(uses("milvus", tune={"MilvusSearchSlow": {"threshold": wish}}))
    tuned = {alert.name: alert for alert in rules.alerts}
    assert tuned["MilvusSearchSlow"].limit == wish
    assert tuned["MilvusSearchSlow"].expr != usual["MilvusSearchSlow"].expr
    proves(rules.alerts, rules.recordings)


def test_panels_explain_themselves(uses: Any, explains: Any) -> None:
    """Each panel has a title of its own and says what it shows."""
    explains(milvus.panels([uses("milvus")]))
