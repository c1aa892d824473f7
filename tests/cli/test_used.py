"""Whoever uses something of a stack is named before it is removed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cli.used import explain_stuck, list_uses
from tests.support.fakes import FakeCollection, FakeEngine, FakeItem


class Containers(FakeCollection):
    """Containers of which an engine lists those of a stack, or those that use a volume."""

    def __init__(self, own: list[FakeItem], users: Mapping[str, list[FakeItem]]) -> None:
        super().__init__(own)
        self._users = users

    def list(self, *, all: bool = False, filters: dict[str, Any] | None = None) -> list[FakeItem]:
        """See `FakeCollection`."""
        volume = (filters or {}).get("volume")
        return list(self._users.get(volume, [])) if volume else self.items


def build_engine(users: Mapping[str, list[FakeItem]], members: Mapping[str, str]) -> Any:
    """An engine with a Prometheus of the stack dev, users of its volumes, and members of its network by their id."""
    network = FakeItem("dev-monitoring", attrs={"Containers": {key: {"Name": name} for key, name in members.items()}})
    volumes = [FakeItem("dev-prometheus-config"), FakeItem("dev-prometheus-data")]
    own = FakeItem("dev-prometheus", id="1")
    everywhere = {volume.name: [own, *users.get(volume.name, [])] for volume in volumes}
    return FakeEngine(Containers([own], everywhere), FakeCollection([network]), FakeCollection(volumes))


def test_a_stack_that_nobody_else_uses_can_go() -> None:
    """Its own containers are no obstacle."""
    assert list_uses(build_engine({}, {"1": "dev-prometheus"}), "dev", data=True) == []


def test_a_stranger_in_the_network_is_named() -> None:
    """With the command that takes it out, in the order of names."""
    said = list_uses(build_engine({}, {"1": "dev-prometheus", "3": "shop-web", "2": "shop-api"}), "dev", data=False)
    assert [line.rpartition(": ")[2] for line in said] == [
        "docker network disconnect dev-monitoring shop-api",
        "docker network disconnect dev-monitoring shop-web",
    ]


def test_data_volumes_matter_only_where_they_are_to_go() -> None:
    """Somebody who reads a volume that stays is no obstacle; one that is to go is."""
    users = {name: [FakeItem(f"{name}-reader", id=name)] for name in ("dev-prometheus-config", "dev-prometheus-data")}
    engine = build_engine(users, {})
    (said,) = list_uses(engine, "dev", data=False)
    assert "its volume dev-prometheus-config" in said and said.endswith("docker rm dev-prometheus-config-reader")
    assert len(list_uses(engine, "dev", data=True)) == 2


def test_an_empty_network_that_stayed_is_explained() -> None:
    """The engine's count is wrong then; where somebody is in it, that is another matter."""
    (said,) = explain_stuck(build_engine({}, {}), "dev")
    assert "dev-monitoring" in said and "restart the engine" in said
    assert explain_stuck(build_engine({}, {"3": "shop-web"}), "dev") == []
