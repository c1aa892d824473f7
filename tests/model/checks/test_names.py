"""Names that two would have are said with the place of the one that people can change."""

from __future__ import annotations

from pathlib import Path

import pytest

from model.errors import ConfigError
from tests.support.systems import plan_shop


def said(folder: Path, *, demo: bool = False, **system: object) -> list[str]:
    """The places of all problems of a shop with these changes."""
    with pytest.raises(ConfigError) as caught:
        plan_shop(folder, {key.replace("__", "."): value for key, value in system.items()}, {"demo": str(demo).lower()})
    return [problem.where for problem in caught.value.problems]


def test_a_taken_name_is_said_once(tmp_path: Path) -> None:
    """A service called like a component is one problem, though job, workload and port would clash."""
    assert said(tmp_path, demo=True, services__traefik={"port": 8082}) == [
        "configs/systems/shop.yaml: services.traefik"
    ]


def test_names_of_what_is_switched_off_are_taken_too(tmp_path: Path) -> None:
    """A name that another environment or a later setting would need is not given away."""
    assert said(tmp_path, services__jaeger={"port": 1}) == ["configs/systems/shop.yaml: services.jaeger"]
    assert said(tmp_path, services__kubelet={"port": 1}) == ["configs/systems/shop.yaml: services.kubelet"]


def test_databases_are_stood_in_for_under_names_of_their_own(tmp_path: Path) -> None:
    """Two databases on one host cannot both be imitated by a workload of that name; for real they can."""
    two = {key: {"kind": "redis", "address": f"cache:{port}"} for key, port in (("a", 1), ("b", 2))}
    assert said(tmp_path / "demo", demo=True, databases=two) == ["configs/systems/shop.yaml: databases.b.address"]
    assert plan_shop(tmp_path / "real", {"databases": two}).system.name == "shop"


def test_keys_that_fold_to_one_name_are_refused(tmp_path: Path) -> None:
    """A cluster knows both under one name, and so do lines of containers; the second one is said."""
    two: dict[str, object] = {"services__user_service": {"port": 1}, "services__user-service": {"port": 2}}
    assert said(tmp_path / "a", demo=False, **two) == ["configs/systems/shop.yaml: services.user-service"]
    assert said(tmp_path / "b", demo=True, **two) == ["configs/systems/shop.yaml: services.user-service"]
    taken: dict[str, object] = {"services__node_exporter": {"port": 1}}
    assert said(tmp_path / "c", demo=False, **taken) == ["configs/systems/shop.yaml: services.node_exporter"]


def test_a_service_called_like_a_part_of_the_stack_learns_what_to_do(tmp_path: Path) -> None:
    """Another name would change where it is looked for, so the address is part of the remedy."""
    with pytest.raises(
        ConfigError, match=r"services\.traefik: .*own-traefik, and say where it is: address: traefik:80"
    ):
        plan_shop(tmp_path, {"services.traefik": {"port": 80}})
