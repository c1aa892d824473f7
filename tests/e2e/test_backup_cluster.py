"""Backups on a cluster: agents beside what has data, claims that are gone, and the same answers after a restore."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.test_backup import (
    KEY_ID,
    PARTS,
    SECRET_KEY,
    Known,
    check_known,
    configure_backups,
    made_ready,
    make_known,
    restore_state,
    set_secrets,
)
from tests.support.buckets import BucketServer
from tests.support.clusters import ClusterStack, start_cluster
from tests.support.waiting import eventually


@pytest.fixture(scope="module")
def bucket() -> Iterator[BucketServer]:
    """A bucket that the cluster's pods reach."""
    server = BucketServer("backups", KEY_ID, SECRET_KEY, start_cluster())
    yield server
    server.close()


@pytest.fixture(scope="module")
def stack(bucket: BucketServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClusterStack]:
    """A stack that is backed up to it, with two instances of Prometheus and three of Alertmanager."""
    own = ClusterStack(tmp_path_factory.mktemp("backup"), "e2e-backup", start_cluster(), ports=28420)
    configure_backups(own, bucket)
    try:
        own.up()
        yield own
    finally:
        own.discard()


@pytest.fixture(scope="module")
def known(stack: ClusterStack) -> Known:
    """What is there before the backup."""
    return make_known(stack)


def claims(stack: ClusterStack) -> list[Any]:
    """The claims of the stack."""
    return list(stack.api.list_namespaced_persistent_volume_claim(stack.namespace).items)


def test_agents_stand_beside_what_they_read(stack: ClusterStack) -> None:
    """Each is on the node of the first instance, which is where the claim is attached, and reads it as its user."""
    for part in PARTS:
        agent, neighbour = stack.pod(f"backup-{part}"), stack.pod(part)
        assert agent.spec.node_name == neighbour.spec.node_name
        assert agent.spec.security_context.run_as_user == neighbour.spec.security_context.run_as_user
        assert not agent.spec.automount_service_account_token


def test_a_backup_is_made_while_the_stack_runs(stack: ClusterStack, known: Known, bucket: BucketServer) -> None:
    """Of every part with data, and each agent shows it in its metrics."""
    run = stack.run("backup")
    assert run.code == 0 and bucket.refused == [], run.text[-6000:]
    done = "backup_last_run_successful == 1"
    eventually(lambda: len(stack.prom(done)) == len(PARTS), timeout=60, what="metrics of every backup")


def test_a_drill_restores_into_another_stack(stack: ClusterStack, known: Known) -> None:
    """In namespaces of its own, which are gone afterwards; what it answers about the past is the same."""
    made_ready(stack)
    before = stack.identities()
    run = stack.run("drill", timeout=1500)
    assert run.code == 0 and run.text.count("answers, all the same") == 3, (
        run.text.partition("== compare")[2][:3000] or run.text[-6000:]
    )
    assert stack.identities() == before
    names = {item.metadata.name for item in stack.api.list_namespace().items}
    assert stack.namespace in names and not {name for name in names if name.startswith(f"{stack.namespace}-drill")}


def test_a_stack_that_runs_is_not_restored_into(stack: ClusterStack, known: Known) -> None:
    """It is refused before anything is touched."""
    run = stack.run("restore", "--from", "latest")
    assert run.code == 2 and "the stack runs" in run.text


def test_a_restore_brings_everything_back(stack: ClusterStack, known: Known) -> None:
    """After namespaces, claims and Pulumi's state are gone: samples, lines, silences; of every instance."""
    stack.clear()
    shutil.rmtree(stack.state)
    set_secrets(stack)
    restore_state(stack)
    run = stack.run("restore", "--from", "latest")
    assert run.code == 0 and "All is there" in run.text, run.text[-6000:]
    assert len(claims(stack)) == sum({"prometheus": 2, "alertmanager": 3}.get(part, 1) for part in PARTS)
    assert stack.host.list_pods() == []  # what restored it is gone
    stack.up()
    check_known(stack, known)
