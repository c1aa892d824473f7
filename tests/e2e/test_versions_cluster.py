"""A version that never runs on a cluster: its pods are taken back, with what they store."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.test_backup import silence, silences
from tests.support.clusters import ClusterStack, start_cluster
from tests.support.waiting import eventually

ABSENT = "v99.0.0"
"""A tag that no node has and no registry serves."""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClusterStack]:
    """A stack with the checkout's versions, whose file then asks for another Alertmanager."""
    own = ClusterStack(tmp_path_factory.mktemp("versions"), "e2e-versions", start_cluster(), ports=28440)
    try:
        own.up()
        silence(own, "known before")
        eventually(lambda: own.prom("up offset 70s"), timeout=180, what="samples that are a minute old")
        yield own
    finally:
        own.discard()


def images(stack: ClusterStack) -> set[str]:
    """What Alertmanager's pods run."""
    pods = stack.api.list_namespaced_pod(stack.namespace).items
    every = [container.image for pod in pods for container in pod.spec.containers]
    return {name for name in every if "/alertmanager:" in name}


def test_what_never_runs_is_taken_back(stack: ClusterStack) -> None:
    """One instance after the other was to get it: all have the version before, are ready and know the silence."""
    before = images(stack)
    stack.edit_settings(lambda config: config.update(versions={"alertmanager": ABSENT}))
    run = stack.run("upgrade", "--without-backup", timeout=1200)
    assert run.code == 1, run.text[-6000:]
    assert f"alertmanager {ABSENT} does not do well" in run.text, run.text[-6000:]
    assert "healthy, with all that was compared." in run.text, run.text[-6000:]
    assert images(stack) == before and len(before) == 1
    assert "known before" in silences(stack)


def test_then_nothing_is_left_to_do(stack: ClusterStack) -> None:
    """Once the file asks for it no more."""
    stack.edit_settings(lambda config: config.pop("versions"))
    run = stack.run("upgrade")
    assert run.code == 0 and "every image of stack e2e-versions has the version" in run.text, run.text[-3000:]
