"""What the documentation shows works: its YAML is valid, its commands and links exist."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from cli.stack_file import parse_config
from model.load import parse_model
from model.system import System
from stack import registry
from stack.assemble import load_settings
from tests.support.yaml_files import read_yaml

ROOT = Path(__file__).resolve().parents[1]
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]
SNIPPETS = [
    pytest.param(read_yaml(block), id=f"{page.name}-{number}")
    for page in PAGES
    for number, block in enumerate(re.findall(r"```yaml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL))
]


@pytest.mark.parametrize("document", SNIPPETS)
def test_every_yaml_example_is_valid(document: dict[str, Any]) -> None:
    """An example of a stack file has only known settings; an example of a system has only known keys."""
    if "config" in document:
        config = parse_config({"config": {"observability:system": "plue", **document["config"]}})
        known = {field.alias or name for name, field in registry.build_settings_model().model_fields.items()}
        assert config.keys() <= known
        load_settings("example", config)
    else:
        services = {"x": {"port": 80}}  # an example of something else than services stands for itself
        parse_model(System, {"name": "example", "title": "Example", "services": services, **document}, "example")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_exists(page: Path) -> None:
    """Each `make x` that a page names is a target of the Makefile."""
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = re.findall(r"(?:`|^|&& )make ([a-z0-9-]+)", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert set(named) <= targets


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    """Relative links point at files of the checkout."""
    links = re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8"))
    assert not [link for link in links if not (page.parent / link).exists()]


def test_the_list_of_decisions_is_complete() -> None:
    """Each decision stands in the index of docs/adr."""
    folder = ROOT / "docs" / "adr"
    index = (folder / "README.md").read_text(encoding="utf-8")
    assert not [path.name for path in folder.glob("[0-9]*.md") if f"({path.name})" not in index]


def test_the_limits_of_suites_are_those_of_ci() -> None:
    """The minutes that CONTRIBUTING gives for a suite are the limit that .ci/run gives it."""
    limits = dict(
        re.findall(r"^phase ([a-z0-9-]+) (\d+)m ", (ROOT / ".ci" / "run").read_text(encoding="utf-8"), re.MULTILINE)
    )
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    said = dict(re.findall(r"^\|.*\| `make ([a-z0-9-]+)`.*\| (\d+) min", page, re.MULTILINE))
    assert len(said) == 7 and said.items() <= limits.items()


def test_every_golden_folder_is_explained() -> None:
    """CONTRIBUTING names the stack of each."""
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert not [path.name for path in (ROOT / "tests" / "golden").iterdir() if f"`{path.name}`" not in page]


def test_the_glossary_leads_somewhere() -> None:
    """Each file that it names is there."""
    page = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    named = re.findall(
        r"`((?:model|packs|stack|cli|bench|targets|toolchain|tests|components|configs)/[a-z_./-]*)`", page
    )
    assert len(named) > 15 and not [name for name in named if not (ROOT / name).exists()]
