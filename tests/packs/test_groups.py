"""Rule groups of services, made for one or shared by many."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from model.load import parse_model
from model.system import System
from model.telemetry import RuleGroup
from packs.catalogue import PACKS
from packs.groups import NO_KEY, NO_TITLE, build_service_groups
from packs.system import expand_system

METRICS = {"x_requests_total": {"type": "counter", "role": "requests", "labels": {"code": ["200", "500"]}}}


def build_groups(services: Mapping[str, Mapping[str, Any]], **more: Any) -> dict[str, RuleGroup]:
    """The groups of a system with such services, by name."""
    described = {key: {"port": 80, **service} for key, service in services.items()}
    system = parse_model(System, {"name": "s", "title": "S", "services": described, **more}, "s")
    return {group.name: group for group in build_service_groups(expand_system(system), frozenset())}


@pytest.mark.parametrize("packs", [[], *([name] for name in PACKS), ["http", "nodejs", "pool"]], ids="-".join)
@pytest.mark.parametrize("more", [{}, {"tune": {"HighErrorRatio": {"threshold": 0.5}}}], ids=["usual", "tuned"])
def test_shared_rules_are_those_of_a_service_alone(packs: list[str], more: Mapping[str, Any]) -> None:
    """Services of one kind have the rules that each has where it is the only one, with its own key and title."""
    services: dict[str, dict[str, Any]] = {"api": {"packs": packs, "title": "The 'API'"}, "on": {"packs": packs}}
    alone = [build_groups({key: service}, **more) for key, service in services.items()]
    together = build_groups(services, **more)
    assert together == alone[0] | alone[1]
    assert not any(name in repr(together) for name in (NO_KEY, NO_TITLE, repr(NO_KEY)[1:-1], repr(NO_TITLE)[1:-1]))


@pytest.mark.parametrize(
    "other",
    [
        {"packs": ["http", "go"]},
        {"packs": ["http"], "tune": {"SlowRequests": {"quantile": 0.9}}},
        {"packs": ["http"], "metrics": METRICS, "statusLabel": "code"},
    ],
    ids=["packs", "tune", "metrics"],
)
def test_what_differs_is_not_shared(other: Mapping[str, Any]) -> None:
    """A service with other packs, metrics or wishes has rules of its own beside others."""
    plain = {"packs": ["http"]}
    services: dict[str, Mapping[str, Any]] = {"a": plain, "b": other, "c": plain, "d": other}
    alone = [build_groups({key: service}) for key, service in services.items()]
    assert build_groups(services) == alone[0] | alone[1] | alone[2] | alone[3]
