"""What another registration with the Docker target differs in: in what was changed, and in nothing by accident."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from model.workload import ConfigDir
from tests.support.workloads import AGENT, PLAIN, SERVER
from tests.targets.docker.test_register import Resources, containers, deploy


@pytest.fixture(scope="module")
def everything() -> Resources:
    """A service that uses all there is, a plain one and a node agent."""
    return deploy(SERVER, PLAIN, AGENT)


def changed(before: Callable[[], Resources], after: Callable[[], Resources]) -> list[str]:
    """Names of resources whose inputs differ between two programs."""
    old, new = (
        {(resource.name, resource.type): resource.inputs for resource in program()} for program in (before, after)
    )
    return sorted(key[0] for key in old.keys() | new.keys() if old.get(key) != new.get(key))


def test_a_changed_document_leaves_the_service_alone() -> None:
    """A new rule changes the one-shot container and nothing of the service itself."""
    assert SERVER.config is not None
    config = replace(SERVER.config, files={**SERVER.config.files, "rules/b.yml": "b: 3\n"})
    assert changed(lambda: deploy(SERVER), lambda: deploy(replace(SERVER, config=config))) == ["dev-server-configure"]


def test_a_changed_start_document_replaces_the_service() -> None:
    """A document that is read only at start changes the service's own container."""

    def with_text(text: str) -> Resources:
        config = ConfigDir(path="/etc/server", files={"start.yml": text}, restart_on=frozenset({"start.yml"}))
        return deploy(replace(SERVER, config=config))

    assert "dev-server" in changed(lambda: with_text("a"), lambda: with_text("b"))


def test_the_order_of_mappings_does_not_matter() -> None:
    """The same workload written in another order registers the same inputs."""
    assert SERVER.config is not None
    turned = replace(
        SERVER,
        env=dict(reversed(list(SERVER.env.items()))),
        aliases=SERVER.aliases[::-1],
        tmpfs=SERVER.tmpfs[::-1],
        config=replace(SERVER.config, files=dict(reversed(list(SERVER.config.files.items())))),
    )
    assert changed(lambda: deploy(SERVER), lambda: deploy(turned)) == []


def test_what_the_engine_sorts_is_sorted(everything: Resources) -> None:
    """Lists that the engine hands back sorted are sent sorted, so that a refresh finds no difference."""
    for container in containers(everything):
        own = container.inputs
        assert own.get("envs", []) == sorted(own.get("envs", [])), container.name
        assert own["capabilities"].get("adds", []) == sorted(own["capabilities"].get("adds", [])), container.name
        for network in own.get("networksAdvanced", []):
            assert network.get("aliases", []) == sorted(network.get("aliases", [])), container.name


def test_no_input_is_empty(everything: Resources) -> None:
    """An empty list or mapping would come back from the engine as absent, which is a difference."""
    for resource in everything:
        empty = [key for key, value in resource.inputs.items() if value in ([], {}, None)]
        assert not [key for key in empty if key != "command"], resource.name


def test_names_on_the_engine_are_set(everything: Resources) -> None:
    """Everything on the engine has the name we gave it, so that it is found again and never doubled."""
    for resource in everything:
        if resource.type.startswith("docker:") and not resource.type.endswith(":RemoteImage"):
            assert resource.inputs["name"] == resource.name
