"""Which cluster is used."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.toolchain.conftest import MakeContext
from toolchain.cluster.choice import ClusterChoice, choose_cluster, find_named_cluster
from toolchain.cluster.service import find_kubeconfig
from toolchain.context import Context
from toolchain.errors import ToolchainError


def test_none_is_named(context: Context) -> None:
    """Without a word from the user it is ours to choose."""
    assert find_named_cluster(context, None) is None


def test_kubeconfig_or_context_names_one(make_context: MakeContext) -> None:
    """Either is enough; together they name a context in that file."""
    assert find_named_cluster(make_context(HOME="/home/me"), "prod") == ClusterChoice(
        Path("/home/me/.kube/config"), "prod"
    )
    assert find_named_cluster(make_context(KUBECONFIG="/k"), None) == ClusterChoice(Path("/k"))
    assert find_named_cluster(make_context(KUBECONFIG="/k"), "prod") == ClusterChoice(Path("/k"), "prod")


def test_our_own_kubeconfig_is_no_choice(make_context: MakeContext, context: Context) -> None:
    """Whoever exported what we printed still means our cluster, which may have to be started again."""
    assert find_named_cluster(make_context(KUBECONFIG=str(find_kubeconfig(context))), None) is None


def test_a_named_cluster_that_is_not_there_is_an_error(make_context: MakeContext, tmp_path: Path) -> None:
    """Nothing is started in its place."""
    program = tmp_path / "bin" / "kubectl"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho 'connection refused' >&2; exit 1\n")
    program.chmod(0o755)
    where = {"PATH": str(program.parent)}
    with pytest.raises(ToolchainError, match="there is no kubeconfig"):
        choose_cluster(make_context(KUBECONFIG=str(tmp_path / "absent"), **where), [], named=None)
    (tmp_path / "config").touch()
    with pytest.raises(ToolchainError, match="connection refused"):
        choose_cluster(make_context(KUBECONFIG=str(tmp_path / "config"), **where), [], named="prod")


def test_our_kubeconfig_says_how_many_nodes_are_meant(
    make_context: MakeContext, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cluster of three nodes is used by whoever exported its kubeconfig, and has the images that we make."""
    asked: list[int] = []

    def ensure(_: Context, specs: object, nodes: int) -> Path:
        asked.append(nodes)
        return Path("/k")

    monkeypatch.setattr("toolchain.cluster.choice.ensure_cluster", ensure)
    monkeypatch.setattr("toolchain.cluster.choice.is_running", lambda *_: True)
    for nodes in (1, 3):
        named = make_context(KUBECONFIG=str(find_kubeconfig(context, nodes)))
        assert choose_cluster(named, [], named=None) == ClusterChoice(Path("/k"))
    assert asked == [1, 3]
