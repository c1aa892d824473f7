"""A page for each alert of the shipped stacks."""

from __future__ import annotations

import re

import pytest
import yaml

from cli import runbooks
from cli.runbooks import Use
from cli.workspace import ROOT
from model.telemetry import AlertRule


def rule(**more: object) -> AlertRule:
    """An alert with everything that a page shows."""
    given = {"name": "Late", "expr": "a > 1", "severity": "warning", "summary": "s", "description": "It is late.",
             "steps": ("Look.", "Act."), "limit": 1.0, **more}  # fmt: skip
    return AlertRule(**given)  # type: ignore[arg-type]


def test_a_page_says_what_to_do() -> None:
    """Meaning, steps in order, each condition once, and how to say otherwise."""
    uses = [Use("one", rule()), Use("two", rule()), Use("two", rule(expr="a > 2", service="api"))]
    text = runbooks.page("Late", uses)
    for part in (
        "# Late",
        "It is late.",
        "1. Look.\n2. Act.",
        "warning, true for 0s:",
        "a > 1",
        "a > 2",
        "threshold: 1",
    ):
        assert part in text
    assert text.count("```promql") == 2


def test_a_page_says_what_can_be_tuned() -> None:
    """Threshold and least number of failures where the alert has them, else how long it waits."""
    assert "Late: { threshold: 1, minFailures: 5 }" in runbooks.page("Late", [Use("one", rule(min_failures=5))])
    assert "Late: { minFailures: 5 }" in runbooks.page("Late", [Use("one", rule(limit=None, min_failures=5))])
    assert "Late: { for: 30m }" in runbooks.page("Late", [Use("one", rule(limit=None))])


def test_every_shipped_alert_has_a_page() -> None:
    """All alerts of all stacks are there, and the list names them all."""
    made = runbooks.files()
    index = made[runbooks.FOLDER / "README.md"]
    alerts = runbooks.uses()
    assert len(alerts) > 50
    assert {path.stem for path in made} == {*alerts, "README"}
    assert all(f"({name}.md)" in index for name in alerts)


def test_alerts_of_every_platform_have_a_page() -> None:
    """What only a cluster can raise is there too."""
    assert {"KubeNodeNotReady", "KubePersistentVolumeFillsSoon"} <= runbooks.uses().keys()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            "Shop API is slow. Shop API waits for {{ $labels.job }}.",
            "The service is slow. The service waits for `<job>`.",
        ),
        ("Requests to Shop API, of {{$labels.le}}", "Requests to the service, of `<le>`"),
        ("{{ $value | humanize }} of it.", "`<value>` of it."),
        ("`docker info -f '{{.Driver}}'` of the Shop APIs", "`docker info -f '{{.Driver}}'` of the Shop APIs"),
    ],
)
def test_texts_name_no_service(text: str, shown: str) -> None:
    """Its title becomes "the service" and templates of Prometheus placeholders; those of commands stay."""
    assert runbooks.neutral(text, "Shop API") == shown


def test_pages_name_no_shipped_system() -> None:
    """No page names a system or has a template of Prometheus, but for alerts that a system's own file defines."""
    own = {name for name, uses in runbooks.uses().items() if any(use.own for use in uses)}
    systems = [yaml.safe_load(path.read_text()) for path in (ROOT / "configs" / "systems").glob("*.yaml")]
    names = {name for system in systems for name in (system["name"], system["title"])}
    wrong = re.compile(rf"{'|'.join(map(re.escape, names))}|\{{\{{ *\$", re.IGNORECASE)
    pages = {path.stem: text for path, text in runbooks.files().items() if path.stem not in own}
    lines = {line for text in pages.values() for line in text.splitlines()}
    listed = tuple(f"| [{name}]" for name in own)
    assert "PlueAuthFailures" in own
    assert not [line for line in lines if wrong.search(line) and not line.startswith(listed)]
