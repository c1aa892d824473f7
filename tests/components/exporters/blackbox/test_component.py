"""blackbox-exporter: asks every health endpoint from outside."""

from __future__ import annotations

from pathlib import Path

from model.plan import Plan
from tests.support.planned import document, explained, job, scraped_as, text
from tests.support.systems import plan_cluster, plan_shop


def test_health_endpoints_are_probed(tmp_path: Path) -> None:
    """Each health path of a service is a target, and its address becomes the instance."""
    probes = job(plan_shop(tmp_path), "blackbox")
    assert [target.address for target in probes.targets] == ["http://api:4000/health"]
    assert probes.prober == "blackbox-exporter:9115"


FOUND = {"services.api.kubernetes": {"namespace": "shop", "selector": {"app": "api"}, "expected": 3}}


def test_what_is_found_by_its_pods_is_asked_by_its_pods(tmp_path: Path) -> None:
    """Each pod is asked for each path, where it is, whatever address the service has elsewhere."""
    change = {**FOUND, "services.api.health": ["/health", "/ready"], "services.worker.health": ["/live"]}
    plan = plan_cluster(tmp_path, change)
    assert [target.address for target in job(plan, "blackbox").targets] == ["http://worker:8081/live"]
    for name, path in {"blackbox.api": "/health", "blackbox.api.2": "/ready"}.items():
        found = job(plan, name)
        assert found.discovery and found.discovery.port == 4000 and found.discovery.namespaces == ("shop",)
        assert found.discovery.labels["job"] == "blackbox" and found.discovery.labels["service"] == "api"
        assert (found.http_path, found.path, found.expected) == (path, "/probe", 3)
        assert found.prober == "blackbox-exporter.monitoring-dev.svc:9115" and not found.targets


def test_pods_alone_are_reason_enough(tmp_path: Path) -> None:
    """The exporter is there although no service has an address; on Docker the address is asked."""
    plan = plan_cluster(tmp_path / "a", FOUND)
    assert "blackbox-exporter" in plan.workloads
    assert {item.name for item in plan.telemetry.scrape if item.prober} == {"blackbox.api"}
    assert {item.name for item in plan_shop(tmp_path / "b", FOUND).telemetry.scrape if item.prober} == {"blackbox"}


def test_as_many_probes_are_expected_as_pods(tmp_path: Path) -> None:
    """Under the name that their series have, so that a missing one is noticed."""
    rules = [rule for group in plan_cluster(tmp_path, FOUND).telemetry.rules for rule in group.recordings]
    (expected,) = [rule for rule in rules if rule.labels.get("job") == "blackbox"]
    assert (expected.expr, expected.labels["service"]) == ("vector(3)", "api")


REAL: dict[str, str] = {"demo": "false"}
CA = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"


def addresses(plan: Plan) -> dict[str, list[str]]:
    """What is asked, by job."""
    return {item.name: [target.address for target in item.targets] for item in plan.telemetry.scrape if item.prober}


def test_health_may_have_a_port_of_its_own(tmp_path: Path) -> None:
    """Paths are asked there, with their query; whole addresses where they say."""
    health = ["/health?full=1", "https://shop.example.com/"]
    plan = plan_shop(tmp_path, {"services.api.health": health, "services.api.probe": {"port": 3000}}, REAL)
    assert addresses(plan) == {"blackbox": ["http://api:3000/health?full=1", "https://shop.example.com/"]}


def test_https_is_asked_as_the_metrics_are(tmp_path: Path) -> None:
    """By the same authority, unless the probe says otherwise; on a port of its own it is http again."""
    scrape = {"scheme": "https", "tls": {"caCertificate": CA, "serverName": "api.internal"}}
    plan = plan_shop(tmp_path / "a", {"services.api.scrape": scrape}, REAL)
    ((name, asked),) = addresses(plan).items()
    assert asked == ["https://api:4000/health"]
    module = name.removeprefix("blackbox.")
    made = document(plan, "blackbox-exporter", "blackbox.yml")["modules"][module]["http"]["tls_config"]
    trusted = f"certificates/{module}.pem"
    assert made == {"ca_file": f"/etc/blackbox_exporter/{trusted}", "server_name": "api.internal"}
    assert text(plan, "blackbox-exporter", trusted) == CA
    assert {target.labels["job"] for target in job(plan, name).targets} == {"blackbox"}
    other = plan_shop(tmp_path / "b", {"services.api.scrape": scrape, "services.api.probe": {"port": 8081}}, REAL)
    assert addresses(other) == {"blackbox": ["http://api:8081/health"]}


def test_an_answer_is_judged_as_the_service_says(tmp_path: Path) -> None:
    """In the exporter's own words; a system says it for all, and services that are asked alike share a module."""
    said = {"validStatusCodes": [204], "host": "shop.example.com", "failIfBodyNotMatchesRegexp": ["ok"]}
    change = {"probe": said, "services.api.probe": {"followRedirects": True}, "services.worker.health": ["/live"]}
    plan = plan_shop(tmp_path, change, REAL)
    modules = document(plan, "blackbox-exporter", "blackbox.yml")["modules"]
    api, worker = (modules[name.removeprefix("blackbox.")]["http"] for name in addresses(plan))
    assert api == {**worker, "follow_redirects": True}
    assert (worker["valid_status_codes"], worker["headers"], worker["fail_if_body_not_matches_regexp"]) == (
        [204], {"Host": "shop.example.com"}, ["ok"],
    )  # fmt: skip


def test_stand_ins_are_asked_plainly(tmp_path: Path) -> None:
    """They answer on one port, by http, at each path."""
    change = {"services.api.health": ["https://a.b/x?y=1"], "services.api.probe": {"validStatusCodes": [204]}}
    plan = plan_shop(tmp_path, change, {"demo": "true"})
    assert addresses(plan) == {"blackbox": ["http://api:4000/x"]}


def test_pods_are_asked_where_their_health_is(tmp_path: Path) -> None:
    """On the port and by the scheme of the probe; a whole address is asked as it is."""
    change = {**FOUND, "services.api.health": ["/h", "http://a.b/"]}
    change["services.api.probe"] = {"port": 3000, "scheme": "https"}
    plan = plan_cluster(tmp_path, change, REAL)
    found = job(plan, "blackbox.api")
    assert found.discovery and (found.discovery.port, found.http_scheme, found.http_path) == (3000, "https", "/h")
    assert addresses(plan) == {"blackbox": ["http://a.b/"], "blackbox.api": []}


def test_the_module_exists(tmp_path: Path) -> None:
    """The module that the job asks for is configured."""
    plan = plan_shop(tmp_path)
    modules = document(plan, "blackbox-exporter", "blackbox.yml")["modules"]
    assert set(job(plan, "blackbox").params["module"]) <= modules.keys()


def test_it_watches_itself(tmp_path: Path) -> None:
    """The exporter is scraped and has alerts of its own."""
    plan = plan_shop(tmp_path)
    scraped_as(plan, "blackbox-exporter")
    explained(plan, "probes")


def test_nothing_to_ask_is_no_exporter(tmp_path: Path) -> None:
    """A system without health endpoints has no exporter, no rules and no empty dashboard."""
    plan = plan_shop(tmp_path, {"services.api.health": []})
    assert "blackbox-exporter" not in plan.workloads
    assert "probes" not in {board.uid for board in plan.telemetry.dashboards}
    assert "probes" not in {group.name for group in plan.telemetry.rules}
