"""How services are."""

from __future__ import annotations

from tests.support.agents import FakeSources, build_document, call, faking, read

RECORDED = {"rate": "r", "error_ratio": "e", "p95": "l"}
ALERTS = 'count by (service, alertname, severity) (ALERTS{alertstate="firing"})'


def fill(fake: FakeSources) -> None:
    """A stack with a service of each state."""
    up, every = "sum by (service) (up)", "count by (service) (up)"
    names = ("down", "part", "warned", "fine", "loki")
    fake.vectors = {
        up: [({"service": name}, value) for name, value in zip(names, (0, 1, 1, 1, 0), strict=True)],
        every: [({"service": name}, value) for name, value in zip(names, (1, 2, 1, 1, 1), strict=True)],
        "min by (service) (probe_success)": [({"service": "fine"}, 1)],
        "max by (service) (e)": [({"service": "warned"}, 0.25)],
        ALERTS: [
            ({"service": "warned", "alertname": "Slow", "severity": "warning"}, 1),
            ({"service": "down", "alertname": "B", "severity": "warning"}, 1),
            ({"service": "down", "alertname": "TargetDown", "severity": "critical"}, 1),
        ],
    }


def test_the_worst_comes_first() -> None:
    """Every state, with what is measured of it; parts of the stack only where something is wrong with them."""
    services = {name: {"title": name.title()} for name in ("down", "part", "warned", "fine", "unseen")}
    with faking() as fake:
        fill(fake)
        data = read(build_document(fake, services=services, recorded=RECORDED), "service_health")
    assert [(each["service"], each["status"]) for each in data["services"]] == [
        ("down", "down"),
        ("loki", "down"),
        ("part", "failing"),
        ("warned", "warning"),
        ("unseen", "unknown"),
        ("fine", "ok"),
    ]
    assert data["wrong"] == 4 and "explain_alert" in data["hint"]
    by_name = {each["service"]: each for each in data["services"]}
    assert by_name["down"]["alerts"] == ["TargetDown", "B"] and by_name["warned"]["error_ratio"] == 0.25
    assert by_name["fine"]["probes_succeed"] is True and by_name["fine"]["requests_per_second"] is None


def test_one_service() -> None:
    """One of the system's or of the stack's; another name is refused with those that there are."""
    with faking() as fake:
        fill(fake)
        document = build_document(fake, services={"fine": {}})
        assert [each["service"] for each in read(document, "service_health", service="fine")["services"]] == ["fine"]
        assert read(document, "service_health", service="loki")["services"][0]["status"] == "down"
        assert "the services are: fine" in call(document, "service_health", service="fin").text
