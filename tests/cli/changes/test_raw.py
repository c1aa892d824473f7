"""The raw difference of folders."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.changes.raw import merge_differences
from tests.support.compared import read_raw


def test_documents_are_in_the_order_of_importance(tmp_path: Path) -> None:
    """What runs, then rules, dashboards last; each from its first hunk on, ConfigMaps of documents not at all."""
    names = ("grafana/boards/x/a.json", "loki/loki.yaml", "prometheus/rules/a.yml", "docker/ü b.yaml")
    before = {name: "a\n" for name in (*names, "kubernetes/x-config.yaml", "same")}
    after = {**before, **dict.fromkeys((*names, "kubernetes/x-config.yaml"), "b\n")}
    found = read_raw(tmp_path, before, after)
    assert list(found) == [*reversed(names)]
    assert found["loki/loki.yaml"] == "@@ -1 +1 @@\n-a\n+b\n"


def test_new_and_removed_documents_have_their_path(tmp_path: Path) -> None:
    """Also such that look like the lines of a diff."""
    found = read_raw(tmp_path, {"gone": "--- x/y\n"}, {"new": "+++ z\ndiff --git a b\n"})
    assert found == {"gone": "@@ -1 +0,0 @@\n---- x/y\n", "new": "@@ -0,0 +1,2 @@\n++++ z\n+diff --git a b\n"}


def test_a_config_of_people_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Colours, prefixes and programs that somebody has set for git."""
    config = tmp_path / "gitconfig"
    config.write_text("[diff]\nnoprefix = true\nexternal = false\nmnemonicPrefix = true\n[color]\nui = always\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    assert read_raw(tmp_path, {"x/a": "1\n"}, {"x/a": "2\n"}) == {"x/a": "@@ -1 +1 @@\n-1\n+2\n"}


def test_equal_differences_are_one() -> None:
    """With all stacks that have it."""
    merged = merge_differences({"dev": {"a": "1", "b": "1"}, "prod": {"a": "1", "b": "2"}})
    assert merged == {("a", "1"): ["dev", "prod"], ("b", "1"): ["dev"], ("b", "2"): ["prod"]}
