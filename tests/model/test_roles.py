"""Which types of metrics can have a role: packs, the demo workload and systems agree."""

from __future__ import annotations

import re
from typing import get_args

import pytest

from components.demo_workload import LIKE
from model.errors import ConfigError
from model.load import parse_model
from model.roles import TYPES, MetricType, Role
from model.service import Metric
from packs.catalogue import PACKS
from tests.support.systems import ROOT

DEMO = ROOT / "images" / "demo" / "spec.go"


@pytest.mark.parametrize("role", get_args(Role))
def test_a_role_is_given_to_its_types_alone(role: Role) -> None:
    """Every other type is refused with the ones that are right."""
    for kind in get_args(MetricType):
        values = {"type": kind, "role": role}
        if kind in TYPES[role]:
            assert parse_model(Metric, values, "metric").role == role
            continue
        with pytest.raises(ConfigError, match=f"type: '{kind}': a metric of the role '{role}' is a {TYPES[role][0]}"):
            parse_model(Metric, values, "metric")


def test_packs_bring_metrics_of_these_types() -> None:
    """A pack's own metrics can have their roles."""
    brought = [metric for pack in PACKS.values() for metric in pack.METRICS.values()]
    assert brought and all(metric.type in TYPES[metric.role] for metric in brought)


def test_the_demo_can_imitate_them() -> None:
    """Whatever a system may declare, the demo takes: it knows each role, or one like it, with at least these types."""
    table = DEMO.read_text(encoding="utf-8").partition("roleTypes = map")[2].partition("\n\t}")[0]
    words = {"timers": {"histogram", "summary"}, "metricTypes": set(get_args(MetricType))}
    known = {
        role: words.get(types) or set(re.findall(r"[a-z]+", types))
        for role, types in re.findall(r'"(\w+)": (timers|metricTypes|\{[^}]*\})', table)
    }
    assert known["requests"] == {"counter"}
    assert [role for role in get_args(Role) if not set(TYPES[role]) <= known.get(LIKE.get(role, role), set())] == []
