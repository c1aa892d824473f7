"""A page for each alert of the shipped stacks."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cli import runbooks
from cli.render import plan_file
from cli.runbooks import Use
from cli.workspace import ROOT
from model import tuning
from model.telemetry import AlertRule
from tests.support.yaml_files import read_yaml

UNDRAWN: dict[str, str] = {}
"""Alerts that no panel draws, and why a picture would say nothing."""


def rule(**more: object) -> AlertRule:
    """An alert with everything that a page shows."""
    values = {"name": "Late", "expr": "a > 1", "severity": "warning", "summary": "s", "description": "It is late.",
             "steps": ("Look.", "Act."), "limit": 1.0, **more}  # fmt: skip
    return AlertRule(**values)  # type: ignore[arg-type]


def test_a_page_says_what_to_do() -> None:
    """Meaning, steps in order, each condition once, and how to say otherwise."""
    uses = [Use("one", rule()), Use("two", rule()), Use("two", rule(expr="a > 2", service="api"))]
    text = runbooks.render_page("Late", uses)
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
    assert "Late: { threshold: 1, minFailures: 5 }" in runbooks.render_page("Late", [Use("one", rule(min_failures=5))])
    assert "Late: { minFailures: 5 }" in runbooks.render_page("Late", [Use("one", rule(limit=None, min_failures=5))])
    assert "Late: { for: 30m }" in runbooks.render_page("Late", [Use("one", rule(limit=None))])


def test_every_shipped_alert_has_a_page() -> None:
    """All alerts of all stacks are there, and the list of each folder names those in it and the folders below."""
    made = runbooks.render_pages()
    alerts = runbooks.collect_uses()
    assert len(alerts) > 50
    assert {path.stem for path in made} == {*alerts, "README"}
    for path in made:
        assert f"({path.name})" in made[path.parent / "README.md"] or path.stem == "README"
        if path.stem == "README" and path.parent != runbooks.FOLDER:
            assert f"({path.parent.name}/README.md)" in made[runbooks.FOLDER / "README.md"]


def test_every_alert_is_drawn() -> None:
    """Each page names a panel, whatever the stack: nobody who is called has to write a query first."""
    undrawn = {name for name, uses in runbooks.collect_uses().items() if not all(use.drawn for use in uses)}
    assert undrawn == UNDRAWN.keys()


def test_alerts_of_one_systems_file_have_their_pages_in_its_folder() -> None:
    """And only there, with the steps; a stack links them there, and a pack's alert above."""
    made = runbooks.render_pages()
    own, shared = Path("plue/PlueAuthFailures.md"), Path("TargetDown.md")
    assert "1. Open Plue Overview" in made[runbooks.FOLDER / own]
    assert runbooks.FOLDER / own.name not in made and runbooks.FOLDER / "plue" / shared not in made
    system = plan_file(ROOT / "Pulumi.plue.yaml", "plue").system
    assert (tuning.find_runbook(own.stem, system), tuning.find_runbook(shared.stem, system)) == (str(own), str(shared))


def test_alerts_of_every_platform_have_a_page() -> None:
    """What only a cluster can raise is there too."""
    assert {"KubeNodeNotReady", "KubePersistentVolumeFillsSoon"} <= runbooks.collect_uses().keys()


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
    assert runbooks.neutralise_text(text, "Shop API") == shown


def test_pages_name_no_shipped_system() -> None:
    """No page names a system or has a template of Prometheus, but for those in a system's folder and their links."""
    systems = [read_yaml(path.read_text()) for path in (ROOT / "configs" / "systems").glob("*.yaml")]
    names = {name for system in systems for name in (system["name"], system["title"])}
    wrong = re.compile(rf"{'|'.join(map(re.escape, names))}|\{{\{{ *\$", re.IGNORECASE)
    pages = [text for path, text in runbooks.render_pages().items() if path.parent == runbooks.FOLDER]
    lines = {line for text in pages for line in text.splitlines()}
    assert len(pages) > 50
    assert not [line for line in lines if wrong.search(line) and not line.startswith("Alerts that the file of one")]
