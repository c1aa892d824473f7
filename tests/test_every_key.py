"""Every key of every settings and system model changes what is deployed, or is refused; none is accepted and ignored.

A key counts as refused only where another environment lets it have its effect: what is refused everywhere is no key.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from model.errors import ConfigError
from model.places import derive_section_key
from model.settings import ComponentSettings
from stack import registry
from tests.support.deployed import Deployed, as_registered, planned, written_plainly
from tests.support.every_key import ENVIRONMENTS, SETTINGS_VALUES, SYSTEM, SYSTEM_VALUES
from tests.support.keys import Change, changes

pytestmark = pytest.mark.exhaustive

Document = Mapping[str, Any]
PROVIDERS, WHOLE = "providers", "whole"
EFFECT, REFUSED, NONE, UNKNOWN = "effect", "refused", "none", "no other value is known: give one"
DEMO = re.compile(r"\b(demo|stand-ins?)\b")
"""In the description of a key of a system that only a demo reads."""


class Judge:
    """Whether a change of a document changes what is deployed, as the plan says it, or as Pulumi is told."""

    def __init__(self, plan: Callable[[Document], Any]) -> None:
        self._plan = plan
        self._before = lru_cache(maxsize=64)(self._planned_from)  # most changes are of the same few documents
        self._registered = lru_cache(maxsize=64)(self._registered_from)

    def outcomes(self, made: Iterable[Change], *, at_most: int | None = None) -> dict[str, set[str]]:
        """The words above for each key, as far as a plan says it: once a key has its effect, it is not tried again.

        `at_most` is how many values of each key are tried.
        """
        said: dict[str, set[str]] = defaultdict(set)
        for change in made:
            if EFFECT not in said[change.key]:
                said[change.key].add(self._planned(replace(change, after=change.after[:at_most])))
        return said

    def is_registered(self, change: Change) -> bool:
        """Whether the change registers other resources with Pulumi; takes longer than a plan."""
        if self._before(_written(change.before)) is None:
            return False
        accepted = [after for after in change.after if self._planned_from(_written(after)) is not None]
        return any(
            self._registered(_written(after), part) != self._registered(_written(change.before), part)
            for part in (PROVIDERS, WHOLE)  # few resources come first
            for after in accepted
        )

    def _planned(self, change: Change) -> str:
        if not change.after:
            return UNKNOWN
        before = self._before(_written(change.before))
        if before is None:
            return REFUSED  # what it belongs to is, here
        accepted = False
        for document in change.after:
            after = self._planned_from(_written(document))
            if after is not None and after.differs(before):
                return EFFECT
            accepted = accepted or after is not None
        return NONE if accepted else REFUSED

    def _planned_from(self, text: str) -> Deployed | None:
        """What a document deploys; None where it is refused."""
        try:
            return Deployed(self._plan(json.loads(text)))
        except ConfigError:
            return None

    def _registered_from(self, text: str, part: str) -> str:
        plan = self._plan(json.loads(text))
        return as_registered(plan if part == WHOLE else replace(plan, workloads={}))


def _written(document: Document) -> str:
    return json.dumps(document, sort_keys=True)


def counted(said: Mapping[str, set[str]]) -> str:
    """The figures: keys by what came of them, the best where it differs."""
    best = [next(word for word in (EFFECT, REFUSED, NONE, UNKNOWN) if word in words) for words in said.values()]
    return (
        f"{len(said)} keys: {best.count(EFFECT)} with effect, {best.count(REFUSED)} refused, {best.count(NONE)} without"
    )


SHARED = {field.alias or name for name, field in ComponentSettings.model_fields.items()}


def shared(key: str) -> bool:
    """Whether a key is one that every component has, also one that runs nothing of ours or publishes no port."""
    section, _, name = key.partition(".")
    return name in SHARED and section in map(derive_section_key, (component.name for component in registry.COMPONENTS))


def unseen(said: Mapping[str, set[str]], made: Iterable[Change]) -> list[Change]:
    """The changes of keys that were accepted and that no plan showed."""
    return [change for change in made if EFFECT not in said[change.key] and NONE in said[change.key]]


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Judge:
    """Of settings, for a system whose services are real."""
    folder = tmp_path_factory.mktemp("settings")
    return Judge(lambda document: planned(folder, document, SYSTEM))


@pytest.fixture(autouse=True)
def quick() -> Iterator[None]:
    """Nobody reads the documents here."""
    with written_plainly():
        yield


@pytest.mark.parametrize("top", [f.alias or name for name, f in registry.build_settings_model().model_fields.items()])
def test_no_setting_is_ignored(top: str, judge: Judge) -> None:
    """In each environment a setting changes what is deployed or is refused, and in one at least it is not refused."""
    said: dict[str, set[str]] = defaultdict(set)
    ignored = []
    for name, environment in ENVIRONMENTS.items():
        made = list(changes(registry.build_settings_model(), environment, SETTINGS_VALUES, top))
        here = judge.outcomes(made)
        for change in unseen(here, made):
            if EFFECT not in here[change.key] and judge.is_registered(change):
                here[change.key].add(EFFECT)
        ignored += [f"{name}: {key}" for key, words in here.items() if EFFECT not in words and NONE in words]
        for key, words in here.items():
            said[key] |= words
    print(f"{top}: {counted(said)}")
    assert not ignored
    assert not [f"{key}: {words}" for key, words in said.items() if EFFECT not in words and not shared(key)]


@pytest.mark.parametrize("top", [f.alias or name for name, f in registry.build_system_model().model_fields.items()])
def test_no_key_of_a_system_is_ignored(top: str, tmp_path: Path) -> None:
    """A key of a system changes what is deployed for real services, unless it says itself that a demo reads it."""
    said: dict[str, set[str]] = defaultdict(set)
    judges = [
        (bool(environment.get("demo")), Judge(lambda document, given=environment: planned(tmp_path, given, document)))  # type: ignore[misc]
        for environment in ENVIRONMENTS.values()
    ]
    judges.sort(key=lambda one: one[0])  # a demo only for what no other stack shows
    every = list(changes(registry.build_system_model(), SYSTEM, SYSTEM_VALUES, top))
    for first in (True, False):  # one entry and one value of a key in every environment show most effects
        for demo, judge in judges:
            made = [c for c in every if EFFECT not in said[c.key] and (not demo or DEMO.search(c.description))]
            tried = {change.key: change for change in reversed(made)}.values() if first else made
            for key, words in judge.outcomes(tried, at_most=1 if first else None).items():
                said[key] |= words
    for demo, judge in judges:
        for change in unseen(said, every):
            read = not demo or DEMO.search(change.description)
            if EFFECT not in said[change.key] and read and judge.is_registered(change):
                said[change.key].add(EFFECT)
    print(f"{top}: {counted(said)}")
    assert not [f"{key}: {words}" for key, words in said.items() if EFFECT not in words]
