"""Every key of every settings and system model changes what is deployed, or is refused; none is accepted and ignored.

A key counts as refused only where another environment lets it have its effect: what is refused everywhere is no key.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from components import registry
from model.errors import ConfigError
from model.settings import ComponentSettings
from model.system import System
from tests.support.deployed import as_registered, as_text, planned
from tests.support.every_key import ENVIRONMENTS, SETTINGS_VALUES, SYSTEM, SYSTEM_VALUES
from tests.support.keys import Change, changes

Document = Mapping[str, Any]
EFFECT, REFUSED, NONE, UNKNOWN = "effect", "refused", "none", "no other value is known: give one"
DEMO = re.compile(r"\b(demo|stand-ins?)\b")
"""In the description of a key of a system that only a demo reads."""


class Judge:
    """Whether a change of a document changes what is deployed, as the plan says it, or as Pulumi is told."""

    def __init__(self, plan: Callable[[Document], Any]) -> None:
        self._plan = plan
        self._known: dict[str, str | None] = {}

    def outcome(self, change: Change) -> str:
        """One of the words above."""
        if not change.after:
            return UNKNOWN
        accepted, before = [], self._before(change.before)
        if before is None:
            return REFUSED  # what it belongs to is, here
        for after in change.after:
            try:
                plan = self._plan(after)
            except ConfigError:
                continue
            if as_text(plan) != before:
                return EFFECT
            accepted.append(plan)
        if not accepted:
            return REFUSED
        unchanged = as_registered(self._plan(change.before))
        return EFFECT if any(as_registered(plan) != unchanged for plan in accepted) else NONE

    def _before(self, document: Document) -> str | None:
        """What a document deploys; None where it is refused."""
        key = json.dumps(document, sort_keys=True)
        if key not in self._known:
            try:
                self._known[key] = as_text(self._plan(document))
            except ConfigError:
                self._known[key] = None
        return self._known[key]


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
    return name in SHARED and section in map(registry.key_name, (module.NAME for module in registry.COMPONENTS))


@pytest.mark.parametrize("top", [f.alias or name for name, f in registry.settings_model().model_fields.items()])
def test_no_setting_is_ignored(top: str, tmp_path: Path) -> None:
    """In each environment a setting changes what is deployed or is refused, and in one at least it is not refused."""
    said: dict[str, set[str]] = defaultdict(set)
    ignored = []
    for name, environment in ENVIRONMENTS.items():
        here: dict[str, set[str]] = defaultdict(set)
        judge = Judge(lambda document: planned(tmp_path, document, SYSTEM))
        for change in changes(registry.settings_model(), environment, SETTINGS_VALUES, top):
            here[change.key].add(judge.outcome(change))
        ignored += [f"{name}: {key}" for key, words in here.items() if EFFECT not in words and NONE in words]
        for key, words in here.items():
            said[key] |= words
    print(f"{top}: {counted(said)}")
    assert not ignored
    assert not [f"{key}: {words}" for key, words in said.items() if EFFECT not in words and not shared(key)]


@pytest.mark.parametrize("top", [f.alias or name for name, f in System.model_fields.items()])
def test_no_key_of_a_system_is_ignored(top: str, tmp_path: Path) -> None:
    """A key of a system changes what is deployed for real services, unless it says itself that a demo reads it."""
    said: dict[str, set[str]] = defaultdict(set)
    for demo in (False, True):
        for environment in ENVIRONMENTS.values():
            if bool(environment.get("demo")) is not demo:
                continue
            judge = Judge(lambda document, given=environment: planned(tmp_path, given, document))  # type: ignore[misc]
            for change in changes(System, SYSTEM, SYSTEM_VALUES, top):
                if EFFECT not in said[change.key] and (not demo or DEMO.search(change.told)):
                    said[change.key].add(judge.outcome(change))
    print(f"{top}: {counted(said)}")
    assert not [f"{key}: {words}" for key, words in said.items() if EFFECT not in words]
