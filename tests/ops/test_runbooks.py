"""A page for each alert of the shipped stacks."""

from __future__ import annotations

from model.telemetry import AlertRule
from ops import runbooks
from ops.runbooks import Use


def rule(**more: object) -> AlertRule:
    """An alert with everything that a page shows."""
    given = {"name": "Late", "expr": "a > 1", "severity": "warning", "summary": "s", "description": "It is late.",
             "steps": ("Look.", "Act."), "limit": 1.0, **more}  # fmt: skip
    return AlertRule(**given)  # type: ignore[arg-type]


def test_a_page_says_what_to_do() -> None:
    """Meaning, steps in order, each condition once with its systems, and how to say otherwise."""
    uses = [Use("one", rule()), Use("two", rule()), Use("two", rule(expr="a > 2", service="api"))]
    text = runbooks.page("Late", uses)
    for part in ("# Late", "It is late.", "1. Look.\n2. Act.", "one, two", "two/api", "a > 1", "a > 2", "threshold: 1"):
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
    """What only a cluster can raise is there too, and a system is named once for a condition of both platforms."""
    found = runbooks.uses()
    assert {"NodeNotReady", "VolumeFillsSoon"} <= found.keys()
    page = runbooks.page("ContainerMemoryNearLimit", found["ContainerMemoryNearLimit"])
    assert page.count("plue") == 1
