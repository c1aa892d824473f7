"""What the image gets is what the tests run with."""

from __future__ import annotations

import re
import tomllib

from packaging.requirements import Requirement

from backup_agent import VERSION
from backup_agent.__main__ import PORT
from tests.support.systems import ROOT
from toolchain.images import load_images
from toolchain.python_programs import BACKUP_RECIPE

PINNED = dict(re.findall(r"^([a-z0-9-]+)==(\S+)", (ROOT / "toolchain/pypi/backup.txt").read_text(), re.MULTILINE))
PROJECT = tomllib.loads((ROOT / "images/backup/pyproject.toml").read_text())["project"]


def test_every_dependency_is_pinned() -> None:
    """Each dependency of the package has a version in the requirement file that its bounds allow."""
    for each in map(Requirement, PROJECT["dependencies"]):
        assert each.specifier.contains(PINNED[each.name]), each.name


def test_tests_run_with_the_same_versions() -> None:
    """The environment of the tests has those versions, rclone's among them."""
    locked = {each["name"]: each["version"] for each in tomllib.loads((ROOT / "uv.lock").read_text())["package"]}
    assert {name: locked[name] for name in PINNED} == PINNED


def test_the_agent_has_one_version_and_port() -> None:
    """The package's, the program's and the image's."""
    assert PROJECT["version"] == VERSION == load_images()["backup"].tag
    assert BACKUP_RECIPE.config.ports == (f"{PORT}/tcp",)
