"""The five systems, each by its YAML alone: scraped, searchable, drawn, and every kind of alert fired and resolved.

All stacks run side by side, as most of the time is spent waiting for windows of five minutes to pass.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest

from cli import capacity
from cli.render import plan_file
from components.exporters import cadvisor
from model.capacity import SCRAPE_META, count_series
from tests.support import causes, troubles
from tests.support.browser import browser, click_element, count_elements, measure_overflow
from tests.support.looking import look_at_all
from tests.support.panels import board_queries, board_variables
from tests.support.running import ROOT, Engine, RunningStack
from tests.support.troubled import Fired, Troubled, list_firing, list_unsent
from tests.support.waiting import eventually
from tests.support.yaml_files import read_yaml

SYSTEMS = tuple(os.environ.get("E2E_SYSTEMS", "").split()) or causes.SYSTEMS
"""All of them, or those that `make e2e-systems SYSTEMS=...` names."""
JAEGER = "http://127.0.0.1:16686/jaeger/api"
OWN = ("system", "environment", "demo", "baseUrl", "traefik", "scrapeInterval", "demoWorkload", "mcp")
"""Settings in which a test's stack is not the shipped one: ports of its own, quicker scrapes, and no agents, of which
tests/e2e/test_mcp.py has some."""


LOGS: dict[str, tuple[str, ...]] = {
    "plue": ('{job="containerlogs"} |= "error"',),
    "pluggedin": ('{service="pluggedin-app"} | json | trace_id != ""',),
    "agenttrace": ('{container=~".+-api", service="api", level="info"} | json | project_id != ""',),
    "devops-mcp": ('{job="mcp-services", service="rest-api", level=~".+"} | json | trace_id != ""',),
    "execora": (
        '{job="execora-app"} |= "error"',
        '{job="execora-app"} | json | msg =~ "Invoice.*"',
        '{job="execora-app"} | json | amount > 10000',
        '{job="execora-app"} |= "WebSocket" |= "error"',
    ),
}
"""What the people of each system search for."""
traced = pytest.mark.skipif("devops-mcp" not in SYSTEMS, reason="E2E_SYSTEMS leaves devops-mcp out, which has traces")


def _settings(stack: RunningStack, shipped: Path) -> None:
    """The settings of the system's own stack, beside those that a test needs."""
    document = read_yaml(shipped.read_text())["config"]
    given = {key.partition(":")[2]: value for key, value in document.items()}

    def change(config: dict[str, Any]) -> None:
        for key, value in given.items():
            if key not in OWN:
                config[key] = {**value, **config.get(key, {})} if isinstance(value, dict) else value
        if "jaeger" in given:
            # the shipped host ports are those of the stack that people run
            config["jaeger"] = {"enabled": True, "port": config["traefik"]["port"] + 5}
        config["longestFor"] = "10s"
        # each follower of a container takes one of the 128 inotify instances that the engine has
        config["promtail"] = {"containerLabels": [f"io.observability.stack={stack.name}"]}

    stack.edit_settings(change)

    def quick(system: dict[str, Any]) -> None:
        for service in system["services"].values():
            service.pop("scrapeInterval", None)
        system.setdefault("tune", {}).update(causes.tuned(stack))
        for alert in system.get("alerts", ()):  # or an end would be half an hour away, and no traffic five minutes
            # three restarts on a slow machine take longer than two minutes
            window = "[8m]" if "resets(" in alert["expr"] else "[2m]"
            alert["expr"] = re.sub(r"\[(5|30)m\]", window, alert["expr"])

    stack.edit_system(quick)


@pytest.fixture(scope="module")
def fleet(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, RunningStack]]:
    """Every system's stack, deployed by the same command that people use."""
    stacks: dict[str, RunningStack] = {}
    for number, system in enumerate(SYSTEMS):
        name = f"e2e-{system}"
        stacks[system] = RunningStack(tmp_path_factory.mktemp(system), name, engine, 29000 + 10 * number, system)
        _settings(stacks[system], ROOT / f"Pulumi.{system}.yaml")
    try:
        with ThreadPoolExecutor(2) as pool:
            for stack, run in zip(stacks.values(), pool.map(lambda each: each.up(), stacks.values()), strict=True):
                stack.first_up = run
                print(f"{stack.name}: make up in {run.seconds:.0f} s")
        yield stacks
    finally:
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda each: each.discard(), stacks.values()))


def _rules(stack: RunningStack) -> list[dict[str, Any]]:
    answer = stack.get("prometheus", "http://127.0.0.1:9090/prometheus/api/v1/rules")
    return [{**rule, "group": group} for group in answer["data"]["groups"] for rule in group["rules"]]


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_target_is_up(fleet: dict[str, RunningStack], system: str) -> None:
    """Every service that the system's YAML names is scraped, each series with its service and environment."""
    stack = fleet[system]
    up = stack.prom("up")
    assert {series["value"][1] for series in up} == {"1"}, [s["metric"] for s in up if s["value"][1] != "1"]
    services = read_yaml((ROOT / f"configs/systems/{system}.yaml").read_text())["services"]
    assert set(services) <= {series["metric"]["service"] for series in up}
    environments = {series["metric"].get("environment") for series in up}
    assert environments == {plan_file(stack.stack_file, stack.name).settings.environment}
    print(f"{system}: {len(up)} targets up")


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_rule_is_loaded_and_evaluated(fleet: dict[str, RunningStack], system: str) -> None:
    """The live Prometheus has each planned rule, and evaluates all of them without an error."""
    stack = fleet[system]
    plan = plan_file(stack.stack_file, stack.name)
    wanted = sorted(alert.name for group in plan.telemetry.rules for alert in group.alerts)
    live = _rules(stack)
    assert sorted(rule["name"] for rule in live if rule["type"] == "alerting") == wanted
    assert not [rule["name"] for rule in live if rule.get("lastError")]
    slo = [g for g in {json.dumps(r["group"]["name"]): r["group"] for r in live}.values() if "-slo" in g["name"]]
    took = sum(float(group["evaluationTime"]) for group in slo)
    print(f"{system}: {len(live)} rules, {len(wanted)} alerts; rules of objectives take {took * 1000:.1f} ms in all")


@pytest.mark.parametrize("system", SYSTEMS)
def test_logs_are_found_as_people_search_them(fleet: dict[str, RunningStack], system: str) -> None:
    """The searches of the system's people find lines."""
    stack = fleet[system]
    for service in read_yaml((ROOT / f"configs/systems/{system}.yaml").read_text())["services"]:
        port = plan_file(stack.stack_file, stack.name).system.services[service].port
        stack.http(service, port, "POST", "/demo/logs", {"msg": "an error that the test asked for", "level": "error"})
    for query in LOGS[system]:
        eventually(lambda query=query: stack.loki(query), timeout=60, what=query)  # type: ignore[misc]


@traced
@pytest.mark.parametrize("service", ["mcp-server", "rest-api", "worker"])
def test_a_log_line_leads_to_its_trace(fleet: dict[str, RunningStack], service: str) -> None:
    """The trace_id of a recent line of a service, looked up as Grafana does, is a trace of that service."""
    stack = fleet["devops-mcp"]
    query = f'{{job="mcp-services", service="{service}"}} | json | trace_id != ""'

    def opened() -> dict[str, Any]:
        # one request in a second is traced, and more than one is logged: not every line has a trace
        ids = {json.loads(line)["trace_id"] for line in stack.loki(query, since=60)}
        begin = int((time.time() - 60) * 1e6)
        recent = stack.get("jaeger", f"{JAEGER}/traces?service={service}&start={begin}&limit=100")["data"]
        found = ids & {trace["traceID"] for trace in recent}
        assert found, f"none of {len(ids)} trace ids is among {len(recent)} traces"
        (trace,) = stack.get("jaeger", f"{JAEGER}/traces/{min(found)}")["data"]
        return dict(trace)

    trace = eventually(opened, timeout=60, what=f"a trace of a line of {service}")
    assert {process["serviceName"] for process in trace["processes"].values()} == {service}
    root, child = sorted(trace["spans"], key=lambda span: len(span["references"]))
    assert child["references"][0]["spanID"] == root["spanID"]
    assert any(tag["key"] == "http.response.status_code" for tag in root["tags"])


@traced
def test_people_see_a_trace(fleet: dict[str, RunningStack], tmp_path: Path) -> None:
    """The page of Jaeger lists the traces of a service, and one of them opens; no request of a page fails."""
    published = fleet["devops-mcp"].container("jaeger").ports["16686/tcp"]
    assert published
    with browser(tmp_path) as people:
        address = f"http://127.0.0.1:{published[0]['HostPort']}/jaeger/search?service=rest-api&lookback=1h&limit=20"
        for size in ((1400, 900), (390, 844)):
            people.resize(*size)
            page = people.open(address)
            (tmp_path / f"traces-{size[0]}.png").write_bytes(people.take_picture())
            assert not page.broken() and not page.errors and "rest-api" in page.text, (page.broken(), page.text[:300])
        if not count_elements(people, ".traces"):
            pytest.skip("Jaeger's own interface is here, whose pages are others")
        page = click_element(people, ".traces a")
        (tmp_path / "trace.png").write_bytes(people.take_picture())
        assert not page.broken() and not page.errors and measure_overflow(people) == 0, (page.broken(), page.errors)
        assert count_elements(people, ".spans li") >= 2 and "rest-api" in page.text


@pytest.mark.parametrize("system", SYSTEMS)
def test_the_capacity_plan_is_right(fleet: dict[str, RunningStack], system: str) -> None:
    """Expected series are those of the live Prometheus within a quarter, and its memory is less than expected."""
    stack = fleet[system]
    plan = plan_file(stack.stack_file, stack.name)
    need = capacity.estimate_plan(plan)
    jobs = [job for job in plan.telemetry.scrape if job.name != cadvisor.NAME]  # sees the containers of all stacks here
    telemetry = replace(plan.telemetry, scrape=tuple(jobs), rules=())
    expected = count_series(plan.system, telemetry, plan.settings.kubernetes)
    query = f'sum(scrape_samples_post_metric_relabeling{{job!="{cadvisor.NAME}"}} + {SCRAPE_META})'
    live = float(stack.prom(query)[0]["value"][1])
    memory = cast(dict[str, Any], stack.container("prometheus").stats(stream=False))["memory_stats"]
    used = memory["usage"] - memory["stats"].get("total_inactive_file", 0)
    print(
        f"{system}: {live:,.0f} series, {expected:,.0f} expected; Prometheus takes {used / 2**20:.0f} MiB,"
        f" {need.prometheus_memory / 2**20:.0f} MiB expected"
    )
    assert abs(expected / live - 1) < 0.25
    assert used < need.prometheus_memory


@pytest.fixture(scope="module")
def fired(fleet: dict[str, RunningStack]) -> Fired:
    """All causes at once, each until its alerts fired and were sent; other tests go on while the last of them end."""
    began = time.monotonic()
    every = [Troubled(system, stack, began) for system, stack in fleet.items()]
    with ThreadPoolExecutor(len(every)) as pool:
        list(pool.map(lambda one: one.drive(timeout=540), every))
    wanted = {one.system: one.wanted for one in every}
    return Fired(wanted, {one.system: one.seen for one in every}, time.monotonic() - began, time.monotonic())


def test_every_kind_of_alert_fires(fired: Fired) -> None:
    """Each trouble raises its alerts."""
    assert not fired.missing(), fired.missing()
    kinds = len({name for pairs in fired.wanted.values() for name, _ in pairs})
    print(f"{sum(map(len, fired.wanted.values()))} alerts of {kinds} kinds fired: {fired.seconds:.0f} s")


def test_the_watchdog_fires(fired: Fired) -> None:
    """The alert that is always there is there in every system."""
    assert all(("Watchdog", "prometheus") in pairs or ("Watchdog", "") in pairs for pairs in fired.seen.values())


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_panel_and_variable_has_data(fleet: dict[str, RunningStack], system: str) -> None:
    """Every query of every dashboard, and every variable, is answered with data by the live Prometheus or Loki."""
    stack = fleet[system]
    found = board_queries(stack.root, stack.name)
    empty = []
    for board, panel, source, query in found:
        ask = stack.loki if source == "loki" else stack.prom
        if not ask(query):
            empty.append((board, panel, query, ask))
    # rules of long windows are evaluated every five minutes: what is still empty is asked again for a while
    for item in list(empty):
        _, panel, query, ask = item
        answered = partial(_asked, stack, query, ask)
        try:
            eventually(answered, timeout=60 if "slo:" in query else 20, what=panel)
            empty.remove(item)
        except AssertionError:
            pass
    variables = board_variables(stack.root, stack.name)
    for board, name, query in variables:
        assert stack.prom(query), f"{board}: ${name}"
    boards = len({item[0] for item in found})
    panels = len({item[:2] for item in found})
    print(
        f"{system}: {boards} dashboards, {panels} panels, {len(found)} queries: {len(found) - len(empty)} with data,"
        f" {len(empty)} without; {len(variables)} variables with data"
    )
    assert not empty, "\n".join(f"{board}: {panel}: {query}" for board, panel, query, _ in empty)


def _asked(stack: RunningStack, query: str, ask: Callable[[str], Any]) -> Any:
    """The answer to a query; a share of requests through Traefik has a value only where there are some."""
    if "traefik_" in query:
        troubles.visited(stack)
    return ask(query)


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_dashboard_is_served(fleet: dict[str, RunningStack], system: str) -> None:
    """All planned dashboards are provisioned under their uids."""
    stack = fleet[system]
    plan = plan_file(stack.stack_file, stack.name)
    password = stack.password("grafana-admin-password")
    found = stack.get("grafana", f"http://admin:{password}@127.0.0.1:3000/api/search")
    assert {board.uid for board in plan.telemetry.dashboards} <= {board["uid"] for board in found}


def test_five_lines_of_yaml_are_a_whole_service(fleet: dict[str, RunningStack]) -> None:
    """A new service is scraped, drawn, alerted on and in the objectives' table; what can reload is not restarted."""
    stack = next(iter(fleet.values()))
    before = stack.identities()

    def add(system: dict[str, Any]) -> None:
        system["services"]["billing"] = {"title": "Billing", "packs": ["http", "go"], "port": 8090}
        system["objectives"].append({"service": "billing", "kind": "availability", "target": 0.99, "window": "7d"})

    stack.edit_system(add)
    run = stack.up()
    after = stack.identities()
    anew = {name for name in before if after[name] != before[name]}
    # it knows services by name and reads its document at its start; meanwhile senders wait (ADR 0023)
    assert anew <= {stack.container_name("otel")}
    print(f"a new service: make up in {run.seconds:.0f} s, {len(after) - len(before)} new container")
    eventually(lambda: stack.prom('up{service="billing"} == 1'), timeout=60, what="scraped")
    eventually(lambda: stack.prom('service:requests:rate5m{service="billing"} > 0'), timeout=90, what="drawn")
    for record in ("slo:objective:ratio", "slo:error_ratio:rate1h"):
        query = f'{record}{{slo="billing-availability"}}'
        eventually(lambda query=query: stack.prom(query), timeout=90, what=query)  # type: ignore[misc]
    names = {rule["name"] for rule in _rules(stack) if 'service="billing"' in rule["query"]}
    assert {"HighErrorRatio", "SlowRequests"} <= names


def test_every_alert_ends_and_was_delivered(fleet: dict[str, RunningStack], fired: Fired) -> None:
    """Mended, all alerts end again, and the receiver was told of each."""

    def all_over() -> bool:
        left = {
            system: still
            for system, pairs in fired.wanted.items()
            if (still := [pair for pair in pairs & list_firing(fleet[system]) if pair[0] not in causes.SLOW_TO_END])
        }
        if left:
            errors = {
                system: [rule["lastError"] for rule in _rules(fleet[system]) if rule.get("lastError")]
                for system in left
            }
            raise AssertionError(f"still firing: {left}; errors of rules: {errors}")
        return True

    eventually(all_over, timeout=660, what="every alert ends")
    print(f"all resolved at the latest {time.monotonic() - fired.mended:.0f} s after all was mended")
    for system, pairs in fired.wanted.items():
        unsent = list_unsent(fleet[system], pairs)
        assert not unsent, f"{system}: {sorted(unsent)}"


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_dashboard_is_looked_at(fleet: dict[str, RunningStack], system: str, tmp_path: Path) -> None:
    """In a browser no panel fails, is empty or cut off, and its numbers and thresholds are those of its queries."""
    began = time.monotonic()
    count, faults = look_at_all(fleet[system], tmp_path)
    print(
        f"{system}: {count} panels seen in {time.monotonic() - began:.0f} s, {len(faults)} wrong; pictures: {tmp_path}"
    )
    assert not faults, "\n".join(faults)
