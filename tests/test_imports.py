"""Who may import whom, read from the source."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tests.support.source_code import (
    FOLDERS,
    MAY_IMPORT,
    SHARED,
    component_files,
    home,
    imports,
    inside,
    module_of,
    named,
    roots,
    sources,
    tree,
)
from tests.support.systems import ROOT

IMPURE = {"os", "time", "random", "socket", "requests", "subprocess", "urllib", "http", "datetime", "secrets", "uuid"}
READING = {"open", "read_text", "write_text", "read_bytes", "glob", "iterdir"}
OUTER = {"pulumi", "pulumi_docker", "pulumi_random", "components", "targets", "stack", "cli", "bench", "toolchain"}


@pytest.mark.parametrize("folder", MAY_IMPORT)
def test_a_folder_imports_what_its_row_allows(folder: str) -> None:
    """The table of CONTRIBUTING.md: each folder imports itself and the folders that are named in its row."""
    allowed = (folder, *MAY_IMPORT[folder])
    for path in sources(folder):
        ours = {name for name in imports(path) if name.partition(".")[0] in MAY_IMPORT}
        modules = {name for name in ours if not (ROOT / Path(*name.split("."))).is_dir() or name == folder}
        assert not [name for name in modules if not inside(name, *allowed)], named(path)


def test_contributors_read_the_same_table() -> None:
    """CONTRIBUTING.md has one row for each folder of code, which names the folders that it may import."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(\w+)/` \|[^|]+\|([^|]+)\|$", text, re.MULTILINE))
    for folder, allowed in MAY_IMPORT.items():
        words = set(re.findall(r"`([\w.]+)`", rows[folder])) & {*MAY_IMPORT, "targets.base"}
        assert words == set(allowed), folder


def test_the_toolchain_is_a_distribution_of_its_own() -> None:
    """It imports the standard library and what its own pyproject.toml requires."""
    project = tomllib.loads((ROOT / "toolchain" / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    required = {re.split(r"[<>=]", line)[0].replace("pyyaml", "yaml") for line in project["dependencies"]}
    used = {name for path in sources("toolchain") for name in roots(path)}
    assert used - sys.stdlib_module_names == {"toolchain"} | required


def test_the_model_is_pure() -> None:
    """Model and packs know neither Pulumi nor components nor targets, and read no clock, environment or network."""
    impure = []
    for path in sources("model", "packs"):
        outer = IMPURE | OUTER | ({"packs"} if path.is_relative_to(ROOT / "model") else set())
        impure += [f"{named(path)} imports {name}" for name in sorted(roots(path) & outer)]
        calls = [node.func for node in ast.walk(tree(path)) if isinstance(node, ast.Call) and path.stem != "load"]
        names = {c.id if isinstance(c, ast.Name) else getattr(c, "attr", "") for c in calls}
        impure += [f"{named(path)} calls {name}" for name in sorted(names & READING)]
    assert not impure


def test_each_provider_has_one_importer() -> None:
    """A provider's SDK is imported by its target alone."""
    owners = {"pulumi_docker": "targets/docker/register.py", "pulumi_kubernetes": "targets/kubernetes/register.py"}
    for provider, owner in owners.items():
        users = [named(path) for path in sources(*FOLDERS, "toolchain") if provider in roots(path)]
        assert set(users) <= {owner}


def test_components_do_not_know_each_other() -> None:
    """A component imports what is shared, and never another component."""
    modules = {f"components.{module_of(path)}" for path in sources("components")}
    for path in component_files():
        others = [name.removeprefix("components.") for name in imports(path) & modules]
        assert not [name for name in others if not inside(name, home(path), *SHARED)], named(path)


def test_components_do_not_know_their_platform() -> None:
    """No component imports a target, Pulumi or a platform's SDK: it is planned without any of them."""
    for path in component_files():
        assert not roots(path) & {"targets", "pulumi", "pulumi_docker", "pulumi_kubernetes", "docker"}, named(path)


def test_assembling_knows_no_pulumi() -> None:
    """The module that refuses bad configurations could not register a resource if it wanted to."""
    assert not [name for name in roots(ROOT / "stack" / "assemble.py") if name.startswith("pulumi")]


def test_no_imports_run_in_a_circle() -> None:
    """Each module can be read before those that use it: none imports what imports it, for types alone either."""
    modules = {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in sources(*MAY_IMPORT)}
    used = {name: imports(path) & modules.keys() - {name} for name, path in modules.items()}
    try:
        TopologicalSorter(used).prepare()
    except CycleError as error:
        pytest.fail(" <- ".join(error.args[1]))
