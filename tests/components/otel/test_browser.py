"""What browsers send: one way in, bounded; nothing of it chooses a label, a service or a time."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from components.otel import browser
from model.errors import ConfigError
from model.plan import Plan
from packs import web
from tests.components.otel.plans import plan_gateway
from tests.support.planned import document, workload
from tests.support.systems import SYSTEM

ORIGIN = "https://shop.example.com"
PAGES = {**SYSTEM["services"], "front": {"port": 3000, "packs": ["web"]}}


def planned(folder: Path, **own: Any) -> Plan:
    """A gateway that pages of the service `front` may send to."""
    return plan_gateway(folder, services=PAGES, browser={"origins": [ORIGIN], **own})


def config(folder: Path, **own: Any) -> Any:
    """The gateway's document."""
    return document(planned(folder, **own), "otel", "otel.yaml")


def test_nothing_is_open_to_browsers_by_itself(tmp_path: Path) -> None:
    """Without origins there is no receiver, no port and no route for them."""
    plan = plan_gateway(tmp_path, services=PAGES)
    assert "otlp/browser" not in document(plan, "otel", "otel.yaml")["receivers"]
    assert 4319 not in {port.number for port in workload(plan, "otel").ports}
    assert "otel-browser" not in {route.name for route in plan.telemetry.routes}


def test_pages_of_others_are_refused(tmp_path: Path) -> None:
    """Traefik lets requests with the origin of a page in, for two paths, without a login and so within limits."""
    plan = planned(tmp_path, requestsPerSecond=3, bodyBytes="16KiB")
    (route,) = [route for route in plan.telemetry.routes if route.name == "otel-browser"]
    (opening,) = route.open
    assert opening.origins == (ORIGIN,) and opening.paths == ("/v1/traces", "/v1/logs") and not route.login
    assert route.limits and (route.limits.per_second, route.limits.burst, route.limits.body) == (3, 12, 16 * 1024)
    http = document(plan, "traefik", "routes.yml")["http"]
    router = http["routers"]["otel-browser"]
    assert f"Header(`Origin`, `{ORIGIN}`)" in router["rule"]
    assert {"rate-otel-browser", "size-otel-browser"} <= set(router["middlewares"])
    assert http["middlewares"]["size-otel-browser"]["buffering"]["maxRequestBodyBytes"] == 16 * 1024
    assert "closed" in http["routers"]["otel-browser_closed"]["middlewares"]


def test_pages_may_read_every_answer(tmp_path: Path) -> None:
    """The entry point alone says who may, before it refuses for its limits; two that say it break browsers."""
    plan = planned(tmp_path)
    http = document(plan, "traefik", "routes.yml")["http"]
    used = http["routers"]["otel-browser"]["middlewares"]
    assert used.index("cors-otel-browser") < min(used.index(f"{each}-otel-browser") for each in ("rate", "size"))
    assert used.index("cors-otel-browser") < used.index("compress"), "nothing answers before it"
    said = http["middlewares"]["cors-otel-browser"]["headers"]
    assert said["accessControlAllowOriginList"] == [ORIGIN] and said["accessControlAllowMethods"] == ["POST"]
    assert said["accessControlAllowHeaders"] == ["Content-Type"] and said["addVaryHeader"]
    assert said["accessControlExposeHeaders"] == ["Retry-After"]
    receiver = document(plan, "otel", "otel.yaml")["receivers"]["otlp/browser"]["protocols"]["http"]
    assert "cors" not in receiver and "OPTIONS" in http["routers"]["otel-browser"]["rule"]


def test_no_other_route_is_for_pages(tmp_path: Path) -> None:
    """Answers of all other parts, and refusals at this one, say nothing of origins."""
    routers = document(planned(tmp_path), "traefik", "routes.yml")["http"]["routers"]
    named = {name for name, router in routers.items() if any(each.startswith("cors") for each in router["middlewares"])}
    assert named == {"otel-browser"}


def test_only_services_with_pages_are_taken(tmp_path: Path) -> None:
    """What calls itself otherwise is dropped, whether it is another service of the system or nobody."""
    plan = plan_gateway(tmp_path, jaeger=True, services=PAGES, browser={"origins": [ORIGIN]})
    made = document(plan, "otel", "otel.yaml")
    (condition,) = made["processors"]["filter/browser"]["log_conditions"]
    pattern = re.search(r'"(\^.+\$)"\)$', condition)
    assert pattern and re.fullmatch(pattern[1], "front") and not re.fullmatch(pattern[1], "api")
    for name in ("logs/browser", "traces/browser"):
        used = made["service"]["pipelines"][name]["processors"]
        assert used[:3] == ["memory_limiter", "filter/browser", "transform/browser"]


def test_labels_have_fixed_values(tmp_path: Path) -> None:
    """Each attribute that becomes a label is removed first, and set to a word of the pack alone."""
    statements = browser.build_record_statements()
    for label in browser.LABELS:
        places = [number for number, each in enumerate(statements) if f'["{label}"]' in each or f', "{label}")' in each]
        assert statements[places[0]].startswith("delete_key("), label
    made = config(tmp_path)["connectors"]["signal_to_metrics/browser"]["logs"]
    labels = {attribute["key"] for metric in made for attribute in metric.get("attributes", [])}
    assert labels == set(browser.LABELS)


def test_metrics_are_those_of_the_pack(tmp_path: Path) -> None:
    """What the gateway makes has the names and buckets that rules and panels ask for."""
    made = {}
    for metric in config(tmp_path)["connectors"]["signal_to_metrics/browser"]["logs"]:
        name = metric["name"].replace(".", "_")
        name += "_seconds" if metric.get("unit") == "s" else "_total" if "sum" in metric else ""
        made[name] = tuple(metric["histogram"]["buckets"]) if "histogram" in metric else ()
    assert made == {name: metric.buckets for name, metric in web.METRICS.items()}


def test_growth_is_looked_for_as_far_back_as_it_is_added_up(tmp_path: Path) -> None:
    """Where a series begins anew is known by that: alerts would else count twice what was counted before."""
    assert config(tmp_path)["processors"]["delta_to_cumulative"]["max_stale"] == web.MEMORY


def test_a_way_in_that_no_page_could_use_is_refused(tmp_path: Path) -> None:
    """Without the pack every request would be dropped."""
    with pytest.raises(ConfigError, match=r"otel\.browser: no service of shop has the pack 'web'"):
        plan_gateway(tmp_path, browser={"origins": [ORIGIN]})


def test_pages_without_a_way_are_said(tmp_path: Path) -> None:
    """A service has the pack, and nothing could arrive."""
    warnings = plan_gateway(tmp_path / "a", services=PAGES).warnings
    assert any("pages of front can send nothing" in warning for warning in warnings)
    assert not any("can send nothing" in warning for warning in planned(tmp_path / "b").warnings)


def test_an_origin_is_one_that_browsers_send(tmp_path: Path) -> None:
    """Each of them is refused with its place, and with what would be right."""
    wrong = ["*", "https://*.example.com", "https://a`) || Host(`b", "https://${env:HOME}", "https://h:443"]
    with pytest.raises(ConfigError) as refused:
        planned(tmp_path, origins=[ORIGIN, *wrong])
    problems = [str(problem) for problem in refused.value.problems]
    assert len(problems) == len(wrong)
    for number, (value, problem) in enumerate(zip(wrong, problems, strict=True), start=1):
        assert f'otel.browser.origins[{number}]: "{value}": ' in problem, problem
    assert all("such as https://shop.example.com" in problem for problem in problems[:-1])
    assert problems[-1].endswith("browsers send https://h as the origin of these pages; write it so")


def test_what_a_page_did_not_send_is_counted(tmp_path: Path) -> None:
    """A record that stands for several errors counts as so many, within a bound, and any other one as itself."""
    counts = {
        metric["name"]: metric["sum"]["value"]
        for metric in config(tmp_path)["connectors"]["signal_to_metrics/browser"]["logs"]
        if "sum" in metric
    }
    assert counts["browser.exceptions"] == 'Coalesce([log.attributes["repeated"], 1])'
    assert counts["browser.requests"] == "1"
    first, number, most = [each for each in browser.build_record_statements() if '"repeated"' in each][:3]
    assert first.startswith("delete_key("), "what a browser sends under the name is gone first"
    pattern = re.search(r'IsMatch\(.+, "(.+)"\)$', number)
    assert pattern and all(re.search(pattern[1], good) for good in ("1", "42", "999999999"))
    assert not any(re.search(pattern[1], bad) for bad in ("0", "-1", "1.5", "1e9", "", "9" * 10, "many"))
    assert most.startswith(f'set(log.attributes["repeated"], {browser.MOST_REPEATED})')
