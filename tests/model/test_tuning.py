"""What a system says about alerts that it did not write itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from model.errors import ConfigError
from model.telemetry import AlertRule
from tests.support.systems import plan_shop


def alerts(folder: Path, changes: dict[str, Any], **settings: str) -> dict[str, AlertRule]:
    """The alerts of the shop by name; of several with one name the last."""
    plan = plan_shop(folder, changes, settings)
    return {alert.name: alert for group in plan.telemetry.rules for alert in group.alerts}


def test_a_wish_is_applied(tmp_path: Path) -> None:
    """Severity, duration, labels and threshold are as the system says, also for components' alerts."""
    wish = {"threshold": 0.8, "for": "20m", "severity": "critical", "labels": {"team": "a"}}
    alert = alerts(tmp_path, {"tune": {"NodeMemoryHighUtilization": wish}})["NodeMemoryHighUtilization"]
    assert (alert.for_, alert.severity, alert.labels) == ("20m", "critical", {"team": "a"})
    assert alert.expr.endswith("> 0.8")


def test_alerts_of_a_service_carry_its_labels(tmp_path: Path) -> None:
    """What its expression would lose is there to route by; a word about the alert comes before the service's."""
    changes = {
        "services.api.labels": {"team": "payments", "tier": "1"},
        "services.api.tune": {"SlowRequests": {"labels": {"team": "night"}}},
    }
    result = alerts(tmp_path, changes)
    assert result["HighErrorRatio"].labels == {"team": "payments", "tier": "1"}
    assert result["SlowRequests"].labels == {"team": "night", "tier": "1"}
    assert "team" not in result["NodeCPUHighUsage"].labels


def test_an_alert_can_be_unwanted(tmp_path: Path) -> None:
    """A disabled alert is not there."""
    assert "NodeCPUHighUsage" not in alerts(
        tmp_path, {"tune": {"NodeCPUHighUsage": {"enabled": False, "why": "shared host"}}}
    )


def test_the_services_word_comes_before_the_systems(tmp_path: Path) -> None:
    """A service may say otherwise than its system."""
    changes = {
        "tune": {"SlowRequests": {"for": "20m"}},
        "services.api.tune": {"SlowRequests": {"for": "1m"}},
    }
    assert alerts(tmp_path, changes)["SlowRequests"].for_ == "1m"


def test_every_alert_leads_somewhere(tmp_path: Path) -> None:
    """Links lead to the runbook's page and to the dashboard, filtered by the service where it is about one."""
    result = alerts(tmp_path, {}, runbooks="https://git.example.com/runbooks", baseUrl="https://m.example.com")
    assert result["SlowRequests"].annotations == {
        "runbook_url": "https://git.example.com/runbooks/SlowRequests.md",
        "dashboard_url": "https://m.example.com/d/shop-overview?var-service=api",
    }
    assert result["NodeCPUHighUsage"].annotations["dashboard_url"] == "https://m.example.com/d/host"
    assert result["PrometheusRuleFailures"].annotations["dashboard_url"] == "https://m.example.com/d/monitoring-stack"


@pytest.mark.parametrize("base", ["https://h/x", "https://h/x/"])
def test_runbooks_are_linked_by_absolute_addresses_or_not_at_all(base: str, tmp_path: Path) -> None:
    """With a base each alert has its page below it, a system's own in its folder; without one no alert has a link."""
    found = alerts(tmp_path, {}, runbooks=base)
    assert found.pop("ShopSlow").annotations["runbook_url"] == "https://h/x/shop/ShopSlow.md"
    for name, alert in found.items():
        assert alert.annotations["runbook_url"] == f"https://h/x/{name}.md"
    assert not any("runbook_url" in alert.annotations for alert in alerts(tmp_path, {}).values())


def test_no_alert_leads_to_a_dashboard_that_nothing_draws(tmp_path: Path) -> None:
    """Without Grafana the runbook alone is linked; where an operator's own draws, its address is kept."""
    off = {"grafana": '{"enabled": false}'}
    linked = alerts(tmp_path, {}, **off, runbooks="https://h/x")
    assert set(linked["SlowRequests"].annotations) == {"runbook_url"}
    result = alerts(tmp_path, {}, **off, target="kubernetes", prometheus='{"mode": "operator"}')
    assert "dashboard_url" in result["SlowRequests"].annotations


def test_demonstrations_need_not_wait(tmp_path: Path) -> None:
    """No alert waits longer than the longest hold; shorter ones stay as they are."""
    result = alerts(tmp_path, {}, longestFor="2m")
    assert result["SlowRequests"].for_ == "2m"
    assert result["TargetDown"].for_ == "1m"


def test_all_wrong_wishes_are_told(tmp_path: Path) -> None:
    """An alert that is not there, and a threshold that does not exist, are told with the nearest name."""
    changes = {"tune": {"NodeMemoryHigh": {"enabled": False}, "TargetDown": {"threshold": 1.0}}}
    with pytest.raises(ConfigError) as caught:
        plan_shop(tmp_path, changes)
    texts = [str(problem) for problem in caught.value.problems]
    assert any("tune.NodeMemoryHigh" in text and "did you mean 'NodeMemoryHighUtilization'?" in text for text in texts)
    assert any("tune.TargetDown.threshold" in text for text in texts)


@pytest.mark.parametrize("place", ["tune", "services.api.tune"])
def test_an_alert_under_its_former_name_is_refused_with_its_present_one(place: str, tmp_path: Path) -> None:
    """Also where the target does not have it; the present name is said in words, and no near name is guessed."""
    with pytest.raises(ConfigError) as caught:
        plan_shop(tmp_path, {place: {"PodCrashLooping": {"for": "20m"}}})
    (text,) = map(str, caught.value.problems)
    assert text == (
        f"configs/systems/shop.yaml: {place}.PodCrashLooping: there is no such alert;"
        " PodCrashLooping is called KubePodCrashLooping since 0.2"
    )


@pytest.mark.parametrize("name", ["KubePodNotReady", "JaegerCollectorDroppingSpans"])
def test_alerts_of_other_environments_may_be_tuned(tmp_path: Path, name: str) -> None:
    """One file serves a system on Docker and on Kubernetes, with a component and without it."""
    assert name not in alerts(tmp_path, {"tune": {name: {"for": "20m"}}})


def test_the_number_of_failures_is_tuned_where_failures_are_counted(tmp_path: Path) -> None:
    """An alert on a share of failures takes another number; one that counts none refuses it with those that do."""
    result = alerts(tmp_path / "a", {"tune": {"HighErrorRatio": {"minFailures": 42}}})
    assert result["HighErrorRatio"].min_failures == 42 and ">= 42" in result["HighErrorRatio"].expr
    with pytest.raises(ConfigError) as caught:
        plan_shop(tmp_path / "b", {"tune": {"TargetDown": {"minFailures": 3}}})
    (text,) = (str(problem) for problem in caught.value.problems)
    assert "tune.TargetDown.minFailures: the alert counts no failures; those that do: " in text
    assert "HighErrorRatio" in text
