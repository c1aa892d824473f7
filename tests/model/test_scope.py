"""Settings of another target are found wherever they stand."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
from pydantic import Field

from model.base import Strict
from model.load import parse_model
from model.scope import Idle, OnlyOn, list_idle_settings


class Inner(Strict):
    """A section below another one."""

    host_port: Annotated[int | None, OnlyOn("docker")] = None
    """A port."""
    size: int = 1
    """A size."""


class Outer(Strict):
    """A section with all that may hold others."""

    docker: Annotated[Inner, OnlyOn("docker")] = Field(default_factory=Inner)
    """A section of one target."""
    part: Inner = Field(default_factory=Inner)
    """A section of both."""
    parts: tuple[Inner, ...] = ()
    """Several of both."""


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({}, []),
        ({"part": {"size": 2}, "parts": [{}, {"size": 3}]}, []),
        ({"part": {"hostPort": 80}}, [Idle("part.hostPort", "docker")]),
        ({"parts": [{"size": 2}, {"hostPort": 80}]}, [Idle("parts[1].hostPort", "docker")]),
        ({"docker": {"hostPort": 80, "size": 2}}, [Idle("docker", "docker")]),
        ({"docker": {}, "part": {"hostPort": None}}, [Idle("part.hostPort", "docker")]),
    ],
)
def test_what_the_target_does_not_read_is_found(given: dict[str, Any], found: list[Idle]) -> None:
    """Each such setting that was given, by its path; of a section without effect only the section, unless it is empty:
    Pulumi hands out an empty one for each that a stack's file leaves out.
    """
    assert [*list_idle_settings(parse_model(Outer, given, "x"), "kubernetes")] == found
    assert [*list_idle_settings(parse_model(Outer, given, "x"), "docker")] == []
