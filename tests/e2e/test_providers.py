"""What a provider's older version has deployed, the next one takes over: nothing is made again, and nothing differs.

The older plugin is compiled, which takes minutes the first time; hence a make target of its own.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.test_no_change import unchanged
from tests.support.clusters import ClusterStack, start_cluster
from tests.support.older import OLDER_PROVIDERS, OlderProvider
from tests.support.running import Engine, RunningStack


@pytest.fixture(scope="module")
def older(request: pytest.FixtureRequest) -> OlderProvider:
    """The provider of the target under test."""
    return OLDER_PROVIDERS["kubernetes" if request.config.getoption("--engine") == "kubernetes" else "docker"]


@pytest.fixture(scope="module")
def stack(older: OlderProvider, engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """A stack that the older provider deployed; from then on the checkout's is used."""
    folder = tmp_path_factory.mktemp("providers")
    with older.install(folder / "sdk") as sdk:
        if older.provider.name == "kubernetes":
            own: RunningStack = ClusterStack(folder / "stack", "e2e-providers", start_cluster(), ports=28460)
        else:
            own = RunningStack(folder / "stack", "e2e-providers", engine, ports=28460)
        own.env["PYTHONPATH"] = str(sdk)
        try:
            own.up()
            assert list_provider_versions(own, older.provider.name) == {older.version}
            del own.env["PYTHONPATH"]
            yield own
        finally:
            own.discard()


def list_resources(stack: RunningStack) -> list[dict[str, Any]]:
    """The state's resources, as `pulumi stack export` has them."""
    return list(json.loads(stack.pulumi("stack", "export"))["deployment"]["resources"])


def list_provider_versions(stack: RunningStack, name: str) -> set[str]:
    """The versions by which the state's resources of a provider are managed."""
    mine = [each for each in list_resources(stack) if each["type"] == f"pulumi:providers:{name}"]
    return {str(each["inputs"]["version"]) for each in mine}


def list_ids(stack: RunningStack) -> dict[str, object]:
    """Who has which id; a resource that is made again has another one."""
    return {str(each["urn"]): each.get("id") for each in list_resources(stack) if "providers" not in str(each["type"])}


def test_the_next_version_takes_it_over(stack: RunningStack, older: OlderProvider) -> None:
    """Nothing but the provider's own entry changes: no resource, no container, no pod."""
    ids, running = list_ids(stack), stack.identities()
    run = stack.run("refresh")
    assert run.code == 0, run.text[-3000:]
    run = stack.up()
    print(run.text[-1500:])
    assert list_provider_versions(stack, older.provider.name) == {older.provider.version}
    assert list_ids(stack) == ids and stack.identities() == running


def test_then_nothing_differs(stack: RunningStack) -> None:
    """The state is as the newer version itself would have written it."""
    for command in ("up", "preview", "refresh"):
        run = stack.run(command)
        assert run.code == 0 and unchanged(run.text), run.text[-3000:]
