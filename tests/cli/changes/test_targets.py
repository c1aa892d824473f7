"""What is scraped, before and after."""

from __future__ import annotations

from cli.changes.targets import SCRAPE, compare_targets
from cli.changes.values import Detail

API = "prometheus/targets/services/api.yml"


def target(address: str, interval: str = "15s", service: str = "api") -> str:
    """A file of targets with one address."""
    return f"- targets: ['{address}']\n  labels: {{service: {service}, __scrape_interval__: {interval}}}\n"


def test_services_are_new_gone_or_scraped_otherwise() -> None:
    """A service is one change with its addresses, intervals in plain words."""
    other = {"prometheus/targets/services/web.yml": target("web:80", service="web")}
    (new,) = compare_targets({}, other)
    assert (new.verb, new.subject, new.details[0].name) == ("is new", "web", "web:80")
    (slow,) = compare_targets({API: target("api:1")}, {API: target("api:1", "30s")})
    assert slow.details == (Detail("api:1.interval", "15s", "30s"),)
    (moved,) = compare_targets({API: target("api:1")}, {API: target("api:2")})
    assert [(item.name, item.after is None) for item in moved.details] == [("api:1", True), ("api:2", False)]


def test_jobs_are_compared_too() -> None:
    """A bound of a job is a change of it; a probe is another target than the service's own."""
    before, after = (f"scrape_configs: [{{job_name: services, sample_limit: {count}}}]" for count in (5, 6))
    (change,) = compare_targets({SCRAPE: before}, {SCRAPE: after})
    assert change.subject == "job services" and change.details == (Detail("sample_limit", "5", "6"),)
    (probe,) = compare_targets({}, {"prometheus/targets/blackbox/blackbox.yml": target("http://api:1/")})
    assert probe.subject == "api (blackbox)"
