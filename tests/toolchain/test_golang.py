"""Go builds: keys, flags, versions and proxies."""

from __future__ import annotations

from dataclasses import replace

import pytest

from toolchain.errors import ToolchainError
from toolchain.golang import ALWAYS, GoBuild, drop_direct, parse_version, tune_collector
from toolchain.pulumi_cli import CLI, KUBERNETES, PROVIDERS
from toolchain.recipes import NODE_EXPORTER, OPERATOR, OPERATOR_CRDS, OPERATOR_VERSION, PROMETHEUS, RELOADER

from .conftest import MakeContext


def test_path_changes_with_recipe_and_architecture(make_context: MakeContext) -> None:
    """Another tag, stamp, package or architecture is another artefact."""
    base = PROMETHEUS
    others: list[GoBuild] = [
        replace(base, tags=("x",)),
        replace(base, stamps=(("a", "b"),)),
        replace(base, package="./other"),
        replace(base, module="images/alertmanager"),
    ]
    context = make_context()
    paths = {build.find_path(context) for build in [base, *others]} | {base.find_path(make_context(arch="arm64"))}
    assert len(paths) == 6


def test_missing_module_is_told(make_context: MakeContext) -> None:
    """A recipe whose module is not in the checkout fails with its name."""
    with pytest.raises(ToolchainError, match="images/absent"):
        replace(PROMETHEUS, module="images/absent").find_path(make_context())


def test_flags_are_shared() -> None:
    """All programs that share packages share the compiler's flags, or everything would compile twice."""
    assert {tuple(p.build.list_flags()[:-1]) for p in PROVIDERS} == {tuple(CLI.list_flags()[:-1])}
    assert "-tags" not in NODE_EXPORTER.list_flags()
    assert all(tuple(program.list_flags()[: len(ALWAYS)]) == ALWAYS for program in (CLI, PROMETHEUS, NODE_EXPORTER))


@pytest.mark.parametrize(
    ("said", "version"),
    [("go version go1.26.8 linux/amd64", (1, 26, 8)), ("go version go1.27 linux/arm64", (1, 27, 0)), ("?", (0,))],
)
def test_parse_version(said: str, version: tuple[int, ...]) -> None:
    """The release is read from the words of `go version`."""
    assert parse_version(said) == version


@pytest.mark.parametrize(
    ("proxies", "kept"),
    [
        ("https://a,direct", "https://a"),
        ("https://a|https://b|direct", "https://a|https://b"),
        ("https://a", "https://a"),
    ],
)
def test_without_direct(proxies: str, kept: str) -> None:
    """Version control hosts are never asked."""
    assert drop_direct(proxies) == kept


def test_direct_alone_is_refused() -> None:
    """Without any proxy there is nothing to build from."""
    with pytest.raises(ToolchainError, match="no module proxy"):
        drop_direct("direct")


def test_further_names_and_copies_are_part_of_the_key(make_context: MakeContext) -> None:
    """What is copied in or named otherwise makes another artefact; a build without any keeps the key that it had."""
    context = make_context()
    plain = replace(PROMETHEUS, copies=(), names=())
    assert plain.find_path(context) == PROMETHEUS.find_path(context)
    assert replace(plain, names=("a",)).find_path(context) != plain.find_path(context)
    assert replace(plain, copies=(("m", "p", "n"),)).find_path(context) != plain.find_path(context)


def test_kubernetes_is_no_part_of_every_stack() -> None:
    """The provider that takes minutes to build is got only where it is asked for."""
    assert KUBERNETES not in PROVIDERS
    assert KUBERNETES.build.stamps == (("main.Version", KUBERNETES.version),)


def test_files_of_a_module_are_keyed_by_what_pins_them(make_context: MakeContext) -> None:
    """Another folder or another module file is another artefact; which commands are built from the module is not."""
    context = make_context()
    found = OPERATOR_CRDS.find_path(context)
    assert replace(OPERATOR_CRDS, folder="example/other").find_path(context) != found
    assert replace(OPERATOR_CRDS, module="images/prometheus").find_path(context) != found
    assert replace(OPERATOR_CRDS).find_path(context) == found


def test_the_operators_definitions_are_those_of_its_programs() -> None:
    """One module pins both, at the version that the programs say."""
    lines = (OPERATOR.folder / "go.mod").read_text().splitlines()
    assert f"require {OPERATOR_CRDS.publisher} v{OPERATOR_VERSION}" in lines
    assert OPERATOR_CRDS.module == OPERATOR.module == RELOADER.module


def test_collector_waits_where_there_is_memory() -> None:
    """With room a compiler collects seldom and within a bound; a small machine or the environment has it as usual."""
    assert tune_collector({"A": "b"}, 24 * 1024**3) == {"A": "b", "GOGC": "400", "GOMEMLIMIT": str(6 * 1024**3)}
    assert tune_collector({"GOGC": "50"}, 24 * 1024**3)["GOGC"] == "50"
    assert tune_collector({"A": "b"}, 4 * 1024**3) == {"A": "b"}
