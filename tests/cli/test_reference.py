"""The pages that list every key of a stack's and of a system's file."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Annotated

import pytest
from pydantic import Field

from cli import reference, schema
from cli.workspace import ROOT
from model.base import Strict
from model.scope import OnlyOn
from model.system import System
from stack import registry

PAGES = (reference.SETTINGS, reference.SYSTEM)


class Pair(Strict):
    """Two of <them>."""

    left: int
    """A number | a sign."""
    pairs: tuple[Pair, ...] = ()
    """More of them."""


class Example(Strict):
    """A file."""

    pair: Annotated[Pair | None, OnlyOn("docker")] = None
    """One pair."""
    named: Mapping[str, Pair] = Field(default_factory=dict)
    """Pairs by name."""
    speed: Annotated[str, Field(pattern="^[a-z]+$")] = "fast"
    """How fast."""


@pytest.mark.exhaustive  # make lint says it too
def test_the_stored_pages_are_up_to_date() -> None:
    """Both pages are among what `make golden` writes, and say what the models say now."""
    assert set(PAGES) <= schema.render_files().keys()
    assert not {str(path) for path in PAGES} & set(schema.list_drift(ROOT))


def test_a_page_has_type_default_target_and_description_of_each_key() -> None:
    """A section that one target has alone hands that on to its keys; a model stands where it is first met."""
    text = reference.render_page(reference.SYSTEM, Example)
    for row in (
        "| `pair` | [`pair`](#pair) |  | docker | One pair. |",
        "| `named` | map of [`pair`](#pair) |  | all | Pairs by name. |",
        '| `speed` | string | `"fast"` | all | How fast. |',
        "| `left` | integer | required | docker | A number \\| a sign. |",
        "| `pairs` | list of [`pair`](#pair) | `[]` | docker | More of them. |",
        "Two of \\<them>.",
    ):
        assert row in text.splitlines()
    assert text.count("## `pair`") == 1


@pytest.mark.parametrize(("path", "model"), [(PAGES[0], registry.build_settings_model()), (PAGES[1], System)], ids=str)
def test_every_key_is_described(path: object, model: type[Strict]) -> None:
    """No row of the real pages is without a description or a target, and no key that has a target is missing."""
    by_model = {section.model: section for section in reference.list_sections(model)}
    for section in by_model.values():
        rows = list(reference.render_table(section, by_model))[2:]
        fields = section.model.model_fields.values()
        assert len(rows) == sum(bool(reference.list_targets(field, section)) for field in fields)
        assert not [row for row in rows if row.endswith("|  |")]
        assert all(re.split(r"(?<!\\)\|", row)[4].strip() for row in rows)


def test_a_word_may_stand_for_a_section() -> None:
    """Where a section has short forms, they are listed with it."""
    section = next(
        s for s in reference.list_sections(registry.build_settings_model()) if getattr(s.model, "SHORT", None)
    )
    text = reference.render_page(reference.SETTINGS, registry.build_settings_model())
    assert f"`{sorted(section.model.SHORT)[0]}`" in text  # type: ignore[attr-defined]
    assert "One word may stand for the section: " in text


@pytest.mark.parametrize("path", PAGES, ids=str)
def test_links_lead_to_one_heading(path: object) -> None:
    """Every link in a page has exactly one heading with its anchor."""
    text = reference.render_pages()[path]  # type: ignore[index]
    titles = re.findall(r"^## (.*)$", text, re.MULTILINE)
    anchors = Counter(re.sub("[^a-z0-9 -]", "", title.lower()).replace(" ", "-") for title in titles)
    assert {anchors[link] for link in re.findall(r"\]\(#([^)]*)\)", text)} == {1}
