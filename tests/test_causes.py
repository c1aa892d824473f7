"""Every alert of the five systems is raised by a trouble of the end-to-end tests, or it is said why none raises it."""

from __future__ import annotations

from pathlib import Path

from cli.render import plan_file
from tests.support import causes
from tests.support.running import ROOT


def test_every_alert_has_a_cause() -> None:
    """An alert without a trouble that raises it is excused by name, with another one that stands for its condition."""
    planned = {
        alert.name
        for system in causes.SYSTEMS
        for group in plan_file(ROOT / f"Pulumi.{system}.yaml", system).telemetry.rules
        for alert in group.alerts
    }
    raised = {name for cause in causes.CAUSES for name, _ in cause.alerts}
    excused = {causes.ALWAYS_FIRES, *causes.FIRED_ELSEWHERE, *causes.NOT_FIRED}
    assert planned == raised | excused, sorted(planned ^ (raised | excused))
    assert not raised & excused
    stand_ins = {reason.rpartition(" ")[2] for reason in causes.NOT_FIRED.values()}
    assert stand_ins <= raised, sorted(stand_ins - raised)


def test_what_is_fired_elsewhere_is() -> None:
    """The test that is said to fire an alert names it."""
    for alert, reason in causes.FIRED_ELSEWHERE.items():
        file = next(word for word in reason.split() if word.startswith("tests/"))
        assert alert in Path(ROOT / file).read_text(), f"{file} does not name {alert}"
