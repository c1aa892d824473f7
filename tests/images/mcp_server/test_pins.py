"""What the image gets is what the tests run with."""

from __future__ import annotations

import re
import tomllib

from packaging.requirements import Requirement

from tests.support.systems import ROOT

PINNED = dict(re.findall(r"^([a-z0-9-]+)==(\S+)", (ROOT / "toolchain" / "pypi" / "mcp.txt").read_text(), re.MULTILINE))


def test_every_dependency_is_pinned() -> None:
    """Each dependency of the package has a version in the requirement file that its bounds allow."""
    project = tomllib.loads((ROOT / "images" / "mcp" / "pyproject.toml").read_text())["project"]
    for each in map(Requirement, project["dependencies"]):
        assert each.specifier.contains(PINNED[each.name]), each.name


def test_tests_run_with_the_same_versions() -> None:
    """The environment of the tests has those versions of the protocol's library and of what serves it."""
    locked = {each["name"]: each["version"] for each in tomllib.loads((ROOT / "uv.lock").read_text())["package"]}
    names = ("mcp", "mcp-types", "httpx2", "starlette", "uvicorn")
    assert {name: PINNED[name] for name in names} == {name: locked[name] for name in names}
