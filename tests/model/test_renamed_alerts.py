"""Former names of alerts: complete, and none of them in use."""

from __future__ import annotations

import re

import pytest

from cli.runbooks import FOLDER
from cli.workspace import ROOT
from model.renamed_alerts import RENAMED, suggest_present_name


def test_every_former_name_is_gone_and_every_present_one_is_an_alert() -> None:
    """Of all alerts that shipped stacks have, on every target: each has its runbook."""
    names = {path.stem for path in (ROOT / FOLDER).glob("*.md")}
    assert not RENAMED.keys() & names
    assert set(RENAMED.values()) <= names


def test_no_two_alerts_got_one_name() -> None:
    """Whoever tunes or routes one of them must not get the other."""
    assert len(set(RENAMED.values())) == len(RENAMED)


def test_the_changelog_lists_exactly_the_renamed_alerts() -> None:
    """Whoever updates finds all of them in one table."""
    rows = re.findall(r"^  \| ([A-Z]\w+) \| (\w+) \| .+ \|$", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert dict(rows) == RENAMED and len(rows) == len(RENAMED)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("JobFailed", "JobFailed is called KubeJobFailed since 0.2"),
        ("TargetDwn", "did you mean 'TargetDown'?"),
    ],
)
def test_an_unknown_alert_is_hinted_at(name: str, says: str) -> None:
    """By its present name where it had another one, else by the nearest."""
    assert suggest_present_name(name, ["TargetDown", "KubeJobFailed"]) == says
