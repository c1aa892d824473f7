"""Services that nobody here wrote, and the kits, in a network that is not the stack's: what a stack promises holds.

Each is described by `make describe`; a person adds where it is, its login, and what it is called.
"""

from __future__ import annotations

import json
import shutil
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.e2e.test_containers import in_containerd
from tests.support import troubles
from tests.support.clusters import SILENT_PANELS, ClusterStack, start_cluster
from tests.support.foreign import Project
from tests.support.guests import (
    GUESTS,
    PASSWORD,
    REFERENCE,
    SERVING,
    SOURCES,
    TOKEN,
    Bazaar,
    ClusterBazaar,
    Guest,
    describe_guest,
    load_image,
)
from tests.support.lines_agent import LINES_AGENT, choose_lines_agent
from tests.support.panels import board_queries, board_variables
from tests.support.running import PROMETHEUS, Engine, RunningStack
from tests.support.troubled import list_firing
from tests.support.waiting import eventually
from tests.support.yaml_files import read_yaml, write_yaml

AnyBazaar = Bazaar | ClusterBazaar
FAILING = {True: "HighErrorRatio", False: "JobsFailing"}
"""The alert on failures of who serves requests, and of who does jobs."""
STOP = 600
"""Seconds without who reads lines."""


@dataclass(frozen=True)
class Place:
    """The stack, and the services that it watches."""

    stack: RunningStack
    bazaar: AnyBazaar


def _describe(bazaar: AnyBazaar, stack: RunningStack) -> dict[str, Any]:
    """The system, as people write it down who read what their services expose."""
    services = {}
    for guest in GUESTS:
        # a person knows how a failed job is called; here it is read off, too
        if not guest.serves:
            bazaar.change_mode(guest, fail=0.2, delay=0)

        def describe(guest: Guest = guest) -> dict[str, Any]:
            text = bazaar.ask(guest.url, login=guest.login)
            made = describe_guest(text, guest, stack.root.parent, bazaar.locate(guest))
            # nobody has asked for anything, or no job has failed so far
            return made if "metrics" in made and (guest.serves or 'status="failed"' in text) else {}

        services[guest.key] = eventually(describe, timeout=60, what=guest.url)
        bazaar.change_mode(guest, fail=0, delay=0)
    for part in ("scrape", "probe"):
        services["vault"][part]["tls"]["caCertificate"] = bazaar.authority
    serving = [guest.key for guest in SERVING]
    objectives = [{"service": key, "kind": "availability", "target": 0.99, "window": "7d"} for key in serving]
    objectives += [
        {
            "service": key,
            "kind": "latency",
            "threshold": 1.5 if key == "shop-app" else 0.5,
            "target": 0.9,
            "window": "7d",
        }
        for key in serving
    ]
    own = {"ruleFiles": ["own/*.yml"], "dashboardFiles": ["own/*.json"]}
    return {"name": "bazaar", "title": "Bazaar", "services": services, "objectives": objectives, **own}


def _watch(config: dict[str, Any], bazaar: AnyBazaar) -> None:
    config |= {"system": "bazaar", "demo": False, "longestFor": "10s"}
    config.pop("demoWorkload")
    config["prometheus"]["retention"] = "15d"
    choose_lines_agent(config)
    bazaar.edit_settings(config)


def _build_on_engine(folder: Path, engine: Engine) -> tuple[RunningStack, AnyBazaar]:
    assert engine.client is not None
    return RunningStack(folder, "e2eguests", engine, ports=28260), Bazaar(engine.client)


def _build_on_cluster(folder: Path) -> tuple[RunningStack, AnyBazaar]:
    stack = ClusterStack(folder, "e2eguests", start_cluster(), ports=28260)
    return stack, ClusterBazaar(stack.kubectl, stack.namespace)


@pytest.fixture(scope="module")
def place(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """The stack that watches them."""
    folder = tmp_path_factory.mktemp("guests")
    stack, bazaar = _build_on_cluster(folder) if engine.client is None else _build_on_engine(folder, engine)
    try:
        bazaar.start()
        system = _describe(bazaar, stack)
        (stack.root / "configs/systems/bazaar.yaml").write_text(write_yaml(system))
        shutil.copytree(SOURCES / "own", stack.root / "configs/systems/own")
        stack.edit_settings(lambda config: _watch(config, bazaar))
        stack.secret("vault-password", PASSWORD)
        stack.secret("page-token", TOKEN)
        stack.first_up = stack.up()
        print(f"make up in {stack.first_up.seconds:.0f} s")
        yield Place(stack, bazaar)
    finally:
        stack.discard()
        bazaar.remove()


def test_every_target_is_up(place: Place) -> None:
    """Each of them is scraped, behind its login too, and its health is asked where it works."""
    up = eventually(lambda: _all_one(place.stack.prom("up")), timeout=60, what="targets")
    assert {guest.key for guest in GUESTS} <= {series["metric"]["service"] for series in up}
    probes = eventually(lambda: _all_one(place.stack.prom("probe_success")), timeout=60, what="probes")
    assert {series["metric"]["service"] for series in probes} == {guest.key for guest in GUESTS}
    print(f"{len(up)} of {len(up)} targets up, {len(probes)} health endpoints answer")


def _all_one(series: list[Any]) -> list[Any]:
    bad = [each["metric"] for each in series if each["value"][1] != "1"]
    if bad or not series:
        raise LookupError(str(bad))
    return series


def test_verify_is_silent(place: Place) -> None:
    """What is declared is exposed."""

    def verified() -> bool:
        run = place.stack.run("verify")
        assert run.code == 0, run.text[-4000:]
        return True

    assert eventually(verified, timeout=120, what="verify")


@pytest.mark.parametrize("guest", GUESTS, ids=lambda guest: guest.key)
def test_lines_are_found(place: Place, guest: Guest) -> None:
    """By the service that its metrics have, by a level that means the same everywhere, and by the id of a trace."""
    place.bazaar.change_mode(guest, fail=1, delay=0)
    try:
        query = f'{{service="{guest.key}", level="error"}}'
        lines = eventually(lambda: place.stack.loki(query, since=60), timeout=60, what=query)
    finally:
        place.bazaar.change_mode(guest, fail=0, delay=0)
    line = json.loads(lines[-1])
    trace = line.get("trace_id") or line.get("traceId")
    by_trace = f'{{service="{guest.key}"}} | trace_id="{trace}"'
    assert eventually(lambda: place.stack.loki(by_trace), timeout=30, what=by_trace) == [lines[-1]]
    good = f'{{service="{guest.key}", level="info"}}'
    assert eventually(lambda: place.stack.loki(good, since=60), timeout=30, what=good)


def test_every_panel_and_variable_has_data(place: Place) -> None:
    """Every query of every dashboard is answered."""
    quiet = set(SILENT_PANELS) if isinstance(place.stack, ClusterStack) else set()
    if not isinstance(place.stack, ClusterStack) and in_containerd(place.stack):
        quiet |= {"Files of their own"}  # `make up` has found out that this engine counts none, and left it out
    found = [item for item in board_queries(place.stack.root, place.stack.name) if item[1] not in quiet]

    def unanswered() -> list[str]:
        return [
            f"{board}: {panel}: {query}"
            for board, panel, source, query in found
            if not (place.stack.loki if source == "loki" else place.stack.prom)(query)
        ]

    def all_answered() -> bool:
        troubles.visited(place.stack)  # a share of requests through Traefik has a value only where there are some
        assert not (left := unanswered()), "\n".join(left)
        return True

    assert eventually(all_answered, timeout=400, what="panels")  # rules of long windows wait for five minutes
    for board, name, query in board_variables(place.stack.root, place.stack.name):
        assert place.stack.prom(query), f"{board}: ${name}"
    print(f"{len({item[:2] for item in found})} panels, {len(found)} queries, all with data")


def test_rules_and_dashboards_of_their_owner_are_there(place: Place) -> None:
    """As they came from another Prometheus and another Grafana: evaluated, and drawn from this stack's data."""
    groups = place.stack.get("prometheus", f"{PROMETHEUS}/rules")["data"]["groups"]
    rules = {rule["name"]: rule for group in groups for rule in group["rules"]}
    assert rules["OrdersStandStill"]["health"] == rules["orders:requests:rate1m"]["health"] == "ok"
    assert rules["OrdersStandStill"]["labels"]["system"] == "bazaar"
    login = f"admin:{place.stack.password('grafana-admin-password')}"
    url = f"http://{login}@127.0.0.1:3000/api/dashboards/uid/theirs-orders"
    (panel,) = place.stack.get("grafana", url)["dashboard"]["panels"]
    source = place.stack.get(
        "grafana", f"http://{login}@127.0.0.1:3000/api/datasources/uid/{panel['datasource']['uid']}"
    )
    assert source["type"] == "prometheus"
    assert place.stack.prom(panel["targets"][0]["expr"])


def test_lines_of_a_long_stop_have_their_own_time(place: Place) -> None:
    """Who reads lines is away for ten minutes: somebody is notified, no line is lost, none has the time of arrival."""
    stopped = time.time()
    place.stack.run_workload(LINES_AGENT, runs=False)
    away = {("TargetDown", LINES_AGENT), ("PrometheusTargetEmpty", LINES_AGENT)}  # the latter where pods are found
    eventually(lambda: away & {*list_firing(place.stack)}, timeout=500, what="an alert about who reads lines")
    # there is nothing else to wait for than the time itself
    eventually(lambda: time.time() > stopped + STOP, timeout=STOP + 60, what="the end of the stop")
    place.stack.run_workload(LINES_AGENT, runs=True)
    query = 'sum by (service) (count_over_time({service=~"web-api|mail-worker|traced"}[1m]))'
    # from two minutes before to the end of the stop
    options = {"query": query, "start": int(stopped) - 60, "end": int(stopped) + STOP, "step": 60}

    def count_lines() -> dict[str, list[int]]:
        answer = place.stack.get(
            place.stack.logs_reader, f"http://127.0.0.1:3100/loki/api/v1/query_range?{urlencode(options)}"
        )
        counts = {
            each["metric"]["service"]: [int(value) for _, value in each["values"]] for each in answer["data"]["result"]
        }
        # begin and end are rounded to whole steps
        assert len(counts) == 3 and all(len(each) > STOP // 60 for each in counts.values()), counts
        assert all(min(each) > 0.5 * max(each) for each in counts.values()), counts
        return counts

    counts = eventually(count_lines, timeout=240, what="lines of each minute")
    print(f"lines of each minute of a stop of {STOP} s: {counts}; all there after {time.time() - stopped - STOP:.0f} s")


def test_real_failures_are_alerted_on_and_resolved(place: Place) -> None:
    """Requests and jobs that fail, and requests that take long, of each of them; and their ends."""
    wanted = {(FAILING[guest.serves], guest.key) for guest in GUESTS}
    wanted |= {("SlowRequests", guest.key) for guest in SERVING}
    seen: set[tuple[str, str]] = set()
    began = time.monotonic()
    for guest in GUESTS:
        place.bazaar.change_mode(guest, fail=1, delay=1.8 if guest.serves else 0)

    def fired() -> bool:
        seen.update(list_firing(place.stack))
        assert wanted <= seen, sorted(wanted - seen)
        return True

    try:
        eventually(fired, timeout=360, what="alerts")
    finally:
        for guest in GUESTS:
            place.bazaar.change_mode(guest, fail=0, delay=0)
    print(f"{len(wanted)} alerts fired within {time.monotonic() - began:.0f} s")

    def resolved() -> bool:
        left = wanted & list_firing(place.stack)
        assert not left, sorted(left)
        return True

    eventually(resolved, timeout=480, what="the end of the alerts")
    print(f"and ended after {time.monotonic() - began:.0f} s")


# -- one thing wrong with each -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def wrong(place: Place) -> Iterator[str]:
    """What `make verify` says once each of them has another fault: in its YAML, its password, or itself."""

    def spoil(system: dict[str, Any]) -> None:
        services = system["services"]
        services["shop-app"]["statusLabel"] = "status"
        labels = services["shop-app"]["metrics"]["http_request_duration_seconds_count"]["labels"]
        labels["status"] = labels.pop("status_code")
        services["web-api"]["metrics"]["http_request_duration_seconds"]["buckets"] = [0.1, 0.25, 0.5, 1.0]
        system["objectives"].append(
            {"name": "quick", "service": "web-api", "kind": "latency", "threshold": 0.25, "target": 0.9, "window": "7d"}
        )
        metrics = services["ledger"]["metrics"]
        metrics["http_request_total"] = metrics.pop("http_requests_total")
        services["page"]["probe"] = {"validStatusCodes": [204]}

    place.stack.edit_system_of("bazaar", spoil)
    place.stack.secret("vault-password", "another")
    for guest in GUESTS:
        if guest.key in ("traced", "mail-worker"):
            place.bazaar.stop_guest(guest)
    place.stack.run("up")
    yield eventually(lambda: place.stack.run("verify").text, timeout=60, what="verify")


SAID = {
    "shop-app": "services.shop-app.metrics.http_request_duration_seconds_count",
    "web-api": "0.25",
    "ledger": "and exposes http_requests_total",
    "vault": "401 Unauthorized",
    "traced": "traced",
    "mail-worker": "mail-worker",
    "page": "page: its health endpoint",
}
"""What `make verify` says of each."""


@pytest.mark.parametrize("key", SAID)
def test_verify_says_what_is_wrong(wrong: str, key: str) -> None:
    """Each fault, in words."""
    assert SAID[key] in wrong, wrong[-5000:]


def test_an_alert_says_what_is_wrong(place: Place, wrong: str) -> None:
    """Nobody has to ask: who is not reached, and what cannot be judged."""
    on_cluster = isinstance(place.stack, ClusterStack)
    wanted = {
        ("PrometheusAllTargetsMissing" if on_cluster else "TargetDown", "vault"),
        ("PrometheusTargetEmpty" if on_cluster else "TargetDown", "traced"),
        ("TargetsFewerThanExpected" if on_cluster else "TargetDown", "mail-worker"), ("BlackboxProbeFailed", "page"),
        ("OutcomeUnknown", "shop-app"), ("SLOWithoutData", "web-api"), ("MetricMissing", "ledger"),
    }  # fmt: skip
    seen: set[tuple[str, str]] = set()

    def fired() -> bool:
        seen.update(list_firing(place.stack))
        assert wanted <= seen, sorted(wanted - seen)
        return True

    assert eventually(fired, timeout=420, what="alerts")


# -- from nothing ------------------------------------------------------------------------------------------------------


@pytest.mark.local_engine
def test_a_service_is_watched_in_three_commands(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> None:
    """`init` with the URL that a person has, `up`, and `verify`, which has nothing to complain of."""
    assert engine.client is not None
    load_image(engine.client)
    project = Project(engine.client, "newcomer", lambda _: REFERENCE)
    stack = RunningStack(tmp_path_factory.mktemp("newcomer"), "e2enew", engine, ports=28270)
    (guest,) = (each for each in GUESTS if each.host == "web_api")
    settings = read_yaml(stack.stack_file.read_text())["config"]
    stack.stack_file.unlink()
    try:
        project.create()
        project.run(
            guest.host, "guests", command=guest.program, env=guest.list_environment(), files=guest.list_files(),
            ports={f"{guest.port}/tcp": 28279},
        )  # fmt: skip
        eventually(lambda: _read("http://127.0.0.1:28279/orders/7"), timeout=30, what="the service")
        began = time.monotonic()
        made = stack.run("init", "http://localhost:28279/metrics")
        assert made.code == 0 and "service web_api, in the network newcomer_default" in made.text, made.text
        # beside it, what keeps a test's stack out of the way of others on this machine
        own = ("baseUrl", "traefik", "prometheus", "loki", "grafana", "alertmanager")
        given = {key.partition(":")[2]: value for key, value in settings.items()}
        stack.edit_settings(lambda config: config.update({key: given[key] for key in own if key in given}))
        stack.up()
        took = time.monotonic() - began
        verified = stack.run("verify")
        assert verified.code == 0, verified.text
        seen = [*stack.prom('up{service="web_api"}'), *stack.prom('probe_success{service="web_api"}')]
        assert len(seen) == 3 and {each["value"][1] for each in seen} == {"1"}, "its metrics, its probe, and the answer"
        print(f"watched after {took:.0f} s")
    finally:
        stack.discard()
        project.remove()


def _read(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - loopback
        return bytes(answer.read())
