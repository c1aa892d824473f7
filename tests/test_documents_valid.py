"""Every rendered document is accepted by its tool, where that is quickly had; the others: tests/e2e/test_validators.py.

A validator that is not there fails the test that needs it: `make test` gets them.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli.render import plan_file
from cli.runbooks import list_shipped_files
from model.plan import Plan
from stack.assemble import ConfigValue
from tests.support.systems import plan_shop
from tests.support.tiers import leave_all_but
from tests.support.validating import INTERVALS, SECRETS, VENDORS, accepts, everything, judged, tool, written
from toolchain import validators
from toolchain.context import build_default_context

ROOT = Path(__file__).resolve().parents[1]
SECRET = {name: ConfigValue("", secret=True) for name in SECRETS if name != "hook-url"}
STACKS = {
    str(path.relative_to(ROOT)).removeprefix("Pulumi.").removesuffix(".yaml"): path for path in list_shipped_files()
}


@pytest.fixture(scope="module", params=leave_all_but(("dev", "prod"), sorted(STACKS)))
def plan(request: pytest.FixtureRequest) -> Plan:
    """The plan of each shipped stack."""
    return plan_file(STACKS[request.param], STACKS[request.param].name.split(".")[1])


# -- Prometheus ------------------------------------------------------------------------------------------------------


def test_promtool_accepts_the_configuration(plan: Plan, tmp_path: Path) -> None:
    """prometheus.yml with its target and rule files is one that Prometheus would load."""
    said = accepts(tool("promtool"), "check", "config", written(plan, "prometheus", tmp_path) / "prometheus.yml")
    assert f"{len(plan.telemetry.rules)} rule files found" in said


def test_promtool_has_no_complaint_about_the_rules(plan: Plan, tmp_path: Path) -> None:
    """No rule is unreadable or stands twice."""
    files = sorted((written(plan, "prometheus", tmp_path) / "rules").glob("*.yml"))
    accepts(tool("promtool"), "check", "rules", "--lint=all", "--lint-fatal", *files)


def test_promtool_accepts_a_stack_that_uses_everything(tmp_path: Path) -> None:
    """Several databases of a kind make documents as good as those of the shipped stacks."""
    folder = written(everything(tmp_path), "prometheus", tmp_path)
    accepts(tool("promtool"), "check", "config", folder / "prometheus.yml")


@pytest.mark.parametrize(
    ("file", "before", "after", "words"),
    [
        ("rules/prometheus.yml", "count(up) > 0", "count(up) >", "parse error"),
        ("prometheus.yml", "scrape_interval:", "scrape_intervall:", "field scrape_intervall not found"),
        ("targets/services/prometheus.yml", "targets:", "adresses:", "field adresses not found"),
    ],
)
def test_promtool_reads_every_kind_of_file(tmp_path: Path, file: str, before: str, after: str, words: str) -> None:
    """A mistake in rules, configuration or targets is found, so that acceptance means something."""
    folder = written(plan_shop(tmp_path), "prometheus", tmp_path)
    path = folder / file
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after), encoding="utf-8")
    done = judged(tool("promtool"), "check", "config", folder / "prometheus.yml")
    assert done.returncode != 0
    assert words in done.stdout


# -- Alertmanager ----------------------------------------------------------------------------------------------------


def test_amtool_accepts_the_configuration(plan: Plan, tmp_path: Path) -> None:
    """alertmanager.yml is one that Alertmanager would load."""
    accepts(tool("amtool"), "check-config", written(plan, "alertmanager", tmp_path) / "alertmanager.yml")


def test_amtool_accepts_every_kind_of_receiver(tmp_path: Path) -> None:
    """Webhook, Slack, e-mail and PagerDuty are written as Alertmanager reads them; a fourth receiver sends nothing."""
    file = written(everything(tmp_path), "alertmanager", tmp_path) / "alertmanager.yml"
    assert "4 receivers" in accepts(tool("amtool"), "check-config", file)


def test_amtool_accepts_every_vendor_and_time(tmp_path: Path) -> None:
    """Our own Alertmanager reads receivers that older ones do not know, time intervals with zones, and templates."""
    zoned = [{**INTERVALS[0], "timeIntervals": [{**INTERVALS[0]["timeIntervals"][0], "location": "Europe/Berlin"}]}]
    routes = [{"severity": "critical", "receiver": item["name"], "continue": True} for item in VENDORS]
    routes[0]["muteTimeIntervals"] = ["night"]
    settings = {"receivers": VENDORS, "routes": routes, "timeIntervals": zoned}
    plan = plan_shop(tmp_path, {}, {"alertmanager": ConfigValue(json.dumps(settings)), **SECRET})
    program = validators.require_validator(build_default_context(), "amtool", pinned=True)
    said = accepts(program, "check-config", written(plan, "alertmanager", tmp_path) / "alertmanager.yml")
    assert "3 receivers" in said and "1 templates" in said


@pytest.mark.parametrize(
    ("severity", "receivers"), [("critical", "night"), ("warning", "office"), ("info", "none"), ("", "team")]
)
def test_alerts_reach_their_receiver(tmp_path: Path, severity: str, receivers: str) -> None:
    """In Alertmanager's own routing, each severity reaches its route's receiver, info nobody, all others the first."""
    file = written(everything(tmp_path), "alertmanager", tmp_path) / "alertmanager.yml"
    labels = [f"severity={severity}"] if severity else []
    said = accepts(tool("amtool"), "config", "routes", "test", f"--config.file={file}", "alertname=Any", *labels)
    assert said.split()[-1] == receivers  # older ones begin with a warning


TEAMS = [
    {"name": "office", "webhook": {"url": "http://office.example.com"}},
    {"name": "payments", "webhook": {"url": "http://payments.example.com"}},
    {"name": "night", "webhook": {"url": "http://night.example.com"}},
]
BY_TEAM = [
    {"severity": "critical", "labels": {"team": "payments"}, "receiver": "night"},
    {"labels": {"team": "payments"}, "receiver": "payments"},
]


@pytest.mark.parametrize(
    ("labels", "receiver"),
    [
        (("team=payments", "severity=critical"), "night"),
        (("team=payments", "severity=warning"), "payments"),
        (("team=payments and more", "severity=critical"), "office"),
        (("severity=critical",), "office"),
    ],
)
def test_alerts_reach_their_team(tmp_path: Path, labels: tuple[str, ...], receiver: str) -> None:
    """A route by labels, with or without a severity, claims the alerts that have all of it, and no others."""
    settings = {"alertmanager": json.dumps({"receivers": TEAMS, "routes": BY_TEAM})}
    plan = plan_shop(tmp_path, {"services.api.labels": {"team": "payments"}}, settings)
    file = written(plan, "alertmanager", tmp_path) / "alertmanager.yml"
    said = accepts(tool("amtool"), "config", "routes", "test", f"--config.file={file}", "alertname=Any", *labels)
    assert said.splitlines()[-1] == receiver


def test_amtool_refuses_what_is_wrong(tmp_path: Path) -> None:
    """A route to nobody is found, so that acceptance means something."""
    file = written(everything(tmp_path), "alertmanager", tmp_path) / "alertmanager.yml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("receiver: night", "receiver: nobody"), encoding="utf-8")
    done = judged(tool("amtool"), "check-config", file)
    assert done.returncode != 0
    assert 'undefined receiver "nobody"' in done.stdout
