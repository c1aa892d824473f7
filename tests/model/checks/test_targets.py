"""Targets with equal labels are found, and those that only look alike are not."""

from __future__ import annotations

from model.checks import targets
from tests.model.checks.contexts import context


def test_hosts_may_be_shared_where_ports_tell_targets_apart() -> None:
    """Two ports of one host are two instances, and two hosts are so in any case."""
    assert targets.check_targets(context({"services.api.addresses": ["h:1", "h:2"]})) == []
    assert (
        targets.check_targets(context({"services.api.addresses": ["h:1", "g:1"], "services.api.instance": "host"}))
        == []
    )


def test_one_instance_for_two_targets_is_found_once() -> None:
    """Three ports of one host are one problem, with two of the addresses."""
    values = {"services.api.addresses": ["h:1", "h:2", "h:3"], "services.api.instance": "host"}
    (problem,) = targets.check_targets(context(values))
    assert problem.where == "configs/systems/shop.yaml: services.api.instance"
    assert problem.message.startswith("'host' gives h:1 and h:2 one label instance")
