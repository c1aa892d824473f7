"""Examples of the documentation do what they are for where a reader puts them: into a stack that is there."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, cast

import pytest

from cli.render import plan_file
from tests.support.yaml_files import read_yaml, write_yaml
from tests.test_docs import SNIPPETS

ROOT = Path(__file__).resolve().parents[1]


def merge(into: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    """A document with another one pasted in: sections become one, lists go on."""
    result = dict(into)
    for key, value in more.items():
        present = result.get(key)
        if isinstance(present, dict) and isinstance(value, dict):
            result[key] = merge(present, value)
        elif isinstance(present, list) and isinstance(value, list):
            result[key] = [*present, *value]
        else:
            result[key] = value
    return result


SERVICES = [each for each in SNIPPETS if "services" in cast("dict[str, Any]", each.values[0])]


@pytest.mark.parametrize("document", SERVICES)
def test_an_example_of_a_service_is_taken_by_the_demo(document: dict[str, Any], tmp_path: Path) -> None:
    """Pasted into the system of `make up` it is planned, beside all that the stack has already."""
    shutil.copytree(ROOT / "configs", tmp_path / "configs")
    system = tmp_path / "configs/systems/plue.yaml"
    system.write_text(write_yaml(merge(read_yaml(system.read_text()), document)))
    plan_file(ROOT / "Pulumi.dev.yaml", "dev", root=tmp_path)
