"""What Docker cannot express is refused before anything is registered."""

from __future__ import annotations

from dataclasses import replace

import pytest

from model.workload import Access, DataVolume, SecretFile, Workload
from targets.docker.check import check
from tests.support.workloads import AGENT, PLAIN, SERVER


def test_secret_files_elsewhere_are_refused() -> None:
    """A secret file outside the one mounted directory is refused by name."""
    wrong = replace(SERVER, secrets=(SecretFile(path="/etc/password", secret="password"),))
    assert check([wrong]) == ["workload 'server': secret file '/etc/password' must lie in /run/secrets"]


def test_undeclared_host_mounts_are_refused() -> None:
    """A path of the host needs a declared exception."""
    assert len(check([replace(AGENT, exemptions=())])) == 1


@pytest.mark.parametrize(
    ("name", "beside"),
    [
        ("tools", "the health probes' client"),
        ("server-configure", "the documents of workload 'server'"),
        ("server-secrets", "the secrets of workload 'server'"),
    ],
)
def test_names_of_own_containers_are_refused(name: str, beside: str) -> None:
    """No workload can be called like a container that delivers something."""
    said = check([SERVER, replace(PLAIN, name=name)])
    assert said == [f"workload {name!r}: the name is taken by the container for {beside}"]


@pytest.mark.parametrize("name", ["tools", "server-config", "server-secrets"])
def test_names_of_own_volumes_are_refused(name: str) -> None:
    """No data volume can be called like a volume that carries documents, secrets or tools."""
    (said,) = check([SERVER, replace(PLAIN, volumes=(DataVolume(name=name, path="/data"),))])
    assert said.startswith(f"workload 'plain': the name of its volume {name!r} is taken by the one for ")


def test_such_names_are_free_where_nothing_is_delivered() -> None:
    """A name is taken only by what is really made: a workload without secrets has no container for them."""
    assert check([PLAIN, replace(PLAIN, name="plain-secrets"), replace(PLAIN, name="plain-configure")]) == []


@pytest.mark.parametrize(
    ("workload", "what"),
    [
        (replace(PLAIN, access=(Access(resources=("pods",)),)), "rights on its API"),
        (replace(PLAIN, field_refs={"NODE": "node-name"}), "node-name"),
    ],
)
def test_what_only_a_cluster_has_is_refused(workload: Workload, what: str) -> None:
    """Rights on its API, and what only it knows: the process would miss them."""
    assert check([workload]) == [f"workload 'plain': asks a cluster for what only a cluster has: {what}"]


def test_what_can_be_expressed_is_not_refused() -> None:
    """Nothing is said against workloads that Docker can run."""
    assert check([SERVER, PLAIN, AGENT]) == []
