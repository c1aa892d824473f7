"""What keeps the project in order: hooks before a commit, updates of what is pinned, the coverage gate."""

from __future__ import annotations

import json
import re
import sys
import tomllib
from pathlib import Path

import pytest

from tests.support.source_code import FOLDERS
from tests.support.yaml_files import read_yaml
from tests.toolchain.test_recipes import MODULES
from toolchain.images import load_images

ROOT = Path(__file__).resolve().parents[1]
RENOVATE = json.loads((ROOT / "renovate.json").read_text(encoding="utf-8"))
HOOKS = [
    hook
    for repository in read_yaml((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"]
    for hook in repository["hooks"]
    if repository["repo"] == "local"
]


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook["id"])
def test_hooks_need_no_network(hook: dict[str, str]) -> None:
    """Each is git, or a program of the project's own environment."""
    program = hook["entry"].split()[0]
    assert hook["language"] == "system"
    assert program == "git" or (Path(sys.executable).parent / program.removeprefix(".venv/bin/")).exists()


def test_there_is_no_hook_of_another_repository() -> None:
    """All hooks are local ones."""
    text = read_yaml((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    assert len(HOOKS) == 5 and [each["repo"] for each in text["repos"]] == ["local"]


def test_updates_see_every_image() -> None:
    """The pattern for configs/images.yaml matches each entry, with its tag."""
    pattern = RENOVATE["customManagers"][0]["matchStrings"][0].replace("(?<", "(?P<")
    text = (ROOT / "configs" / "images.yaml").read_text(encoding="utf-8")
    matched = {(match["depName"], match["currentValue"]) for match in re.finditer(pattern, text)}
    assert matched == {(image.repository, image.tag) for image in load_images().values()}


def test_an_image_and_its_module_are_updated_together() -> None:
    """Either both are in one group, or both are left as they are: what is built is what is deployed."""
    images = load_images()
    for name, module in MODULES.items():
        rules = [rule for rule in RENOVATE["packageRules"] if images[name].repository in rule["matchDepNames"]]
        alone = name == "promtail"  # a rule of its own leaves its module as it is: it is Loki's as well
        assert len(rules) == 1 and (alone or module in rules[0]["matchDepNames"]), name
        assert "groupName" in rules[0] or rules[0]["enabled"] is False


def test_updates_have_messages_that_lint_accepts() -> None:
    """Their commits have a scope and a body."""
    assert RENOVATE["commitMessagePrefix"] == "deps:" and RENOVATE["commitBody"]


def test_coverage_is_of_all_our_code() -> None:
    """Branches of every folder but the measurements are counted, and a threshold stands there."""
    coverage = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["coverage"]
    assert coverage["run"]["branch"] is True and set(coverage["run"]["source"]) == set(FOLDERS) - {"bench"}
    assert coverage["report"]["fail_under"] >= 97


def test_the_python_is_the_promised_one() -> None:
    """The tests run on a Python that the project supports."""
    assert sys.version_info >= (3, 11)
