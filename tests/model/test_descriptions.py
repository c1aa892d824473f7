"""What fields are, as the docstrings behind them say."""

from __future__ import annotations

from typing import Any

from pydantic import Field, create_model

from model.base import Strict
from model.descriptions import list_descriptions


class First(Strict):
    """A model."""

    number: int = 0
    """A number,
    on two lines."""
    said: str = Field(default="", description="What the field says.")
    """What nobody sees."""
    bare: str = ""


class Second(First):
    """One that is derived."""

    number: int = 1
    bare: str = ""
    """Not bare any more."""


TEXTS = {"number": "A number,\non two lines.", "said": "What the field says.", "bare": ""}


def test_docstrings_and_descriptions_are_read() -> None:
    """A field is what it says itself, else what its docstring says."""
    made: Any = create_model("Made", __base__=First)
    assert list_descriptions(First) == list_descriptions(made) == TEXTS


def test_a_derived_model_says_more() -> None:
    """What it does not say itself is what the model says that it derives from."""
    assert list_descriptions(Second) == {**TEXTS, "bare": "Not bare any more."}


def test_a_schema_describes_every_key() -> None:
    """Editors show for each key what its field is, whether a docstring or the field says it."""
    properties = First.model_json_schema()["properties"]
    assert {name: node.get("description", "") for name, node in properties.items()} == TEXTS
