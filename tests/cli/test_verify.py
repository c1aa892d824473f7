"""How a running stack is looked at."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cli import refusals, verify
from cli.lines import find_agent, has_lines
from cli.verify import Health
from model.load import parse_model
from model.system import System
from tests.support import fakes
from tests.support.fakes import FakeItem, target
from tests.support.systems import SYSTEM, changed, plan_shop
from tests.support.validating import accepts, tool
from tests.support.yaml_files import write_yaml

MEND = "make up STACK=dev puts back what is missing or stopped"


def answer(*targets: dict[str, Any]) -> tuple[int, bytes]:
    """Prometheus' answer with these targets."""
    return 0, json.dumps({"status": "success", "data": {"activeTargets": list(targets)}}).encode()


@pytest.mark.parametrize(
    ("state", "good"),
    [("healthy", True), ("running", True), ("starting", False), ("unhealthy", False), ("exited", False)],
)
def test_states_are_judged(state: str, good: bool) -> None:
    """Only a container that answers its probe, or runs without one, is well."""
    assert verify.read_health(fakes.service("web", state=state)).good is good  # type: ignore[arg-type]


def test_health_says_where_and_how_much() -> None:
    """Name, published address and memory limit come from the engine."""
    assert verify.read_health(fakes.service("web", port=5173)) == Health(  # type: ignore[arg-type]
        "web", "healthy", "http://127.0.0.1:5173", 64 * 1024 * 1024
    )
    assert verify.read_health(fakes.service("web")).url == ""  # type: ignore[arg-type]


@pytest.mark.parametrize("health", ["healthy", "unhealthy"])
def test_a_stopped_container_is_not_judged_by_its_last_health(health: str) -> None:
    """The engine remembers the last health of what it stopped or paused."""
    for status in ("exited", "paused", "restarting"):
        container: Any = fakes.service("grafana")
        container.attrs["State"] = {"Status": status, "Health": {"Status": health}}
        assert verify.read_health(container).state == status


def test_of_several_ports_the_one_that_people_open_is_shown() -> None:
    """The container's label says which of its published ports stands in the table."""
    container = fakes.service("traces", port=16686)
    ports = container.attrs["NetworkSettings"]["Ports"]
    container.attrs["NetworkSettings"]["Ports"] = {"14268/tcp": [{"HostIp": "127.0.0.1", "HostPort": "1"}], **ports}
    container.labels["io.observability.port"] = "16686"
    assert verify.read_health(container).url == "http://127.0.0.1:16686"  # type: ignore[arg-type]


def test_only_services_of_the_stack_are_asked_for() -> None:
    """One-shot containers and other stacks are left out, by label."""
    engine = fakes.engine_with(fakes.service("web"), fakes.service("api"))
    assert [c.name for c in verify.list_services(engine, "dev")] == ["dev-api", "dev-web"]
    assert engine.containers.filters == [{"label": ["io.observability.stack=dev", "io.observability.role=service"]}]


def test_waiting_ends_with_what_is_there() -> None:
    """Healthy services are returned at once; after the time-out whatever is there is."""
    assert all(h.good for h in verify.wait_healthy(fakes.engine_with(fakes.service("web")), "dev", 60))
    assert [h.state for h in verify.wait_healthy(fakes.engine_with(fakes.service("a", state="exited")), "dev", 0)] == [
        "exited"
    ]


def test_requests_are_made_inside_the_container() -> None:
    """The probe's client in the workload's own container asks, so a remote engine needs no open port."""
    web = fakes.service("web", outputs=[(0, b"hello")])
    assert verify.fetch_url(fakes.engine_with(web), "dev", "web", "http://127.0.0.1/x", post="a=b") == "hello"
    assert web.commands == [
        ["/tools/busybox", "wget", "-q", "-O", "-", "--post-data", "a=b", "http://127.0.0.1/x"],
    ]


def test_failed_request_raises_with_its_words() -> None:
    """A request that fails names address, workload and reason."""
    web = fakes.service("web", outputs=[(1, b"wget: server returned error: HTTP/1.1 503")])
    with pytest.raises(RuntimeError, match=r"http://x from web: .*503"):
        verify.fetch_url(fakes.engine_with(web), "dev", "web", "http://x")


def test_waits_until_every_target_is_up() -> None:
    """No target at all, or one that is down, is not yet good."""
    prometheus: FakeItem = fakes.service(
        "prometheus", outputs=[answer(), answer(target("api", "unknown")), answer(target("api"))]
    )
    assert verify.wait_targets(fakes.engine_with(prometheus), "dev", 60) == [target("api")]
    assert len(prometheus.commands) == 3


def test_waiting_for_targets_ends() -> None:
    """A target that stays down is reported, not waited for forever."""
    prometheus = fakes.service("prometheus", outputs=[answer(target("api", "down"))])
    assert verify.wait_targets(fakes.engine_with(prometheus), "dev", 0) == [target("api", "down")]


def test_a_target_that_refuses_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """After two scrapes that were refused it stays so."""
    monkeypatch.setattr(refusals, "SECONDS", 0)
    refused = {**target("api", "down"), "lastError": "server returned HTTP status 401 Unauthorized"}
    scrapes = [answer({**refused, "lastScrape": f"00:0{number}"}) for number in (1, 1, 2, 3)]
    prometheus: FakeItem = fakes.service("prometheus", outputs=scrapes)
    (seen,) = verify.wait_targets(fakes.engine_with(prometheus), "dev", 60)
    assert seen["lastScrape"] == "00:02"


def test_what_is_planned_and_absent_is_missing(tmp_path: Path) -> None:
    """Each planned workload of which no container or pod is there is in the table, as one that is not well."""
    plan = plan_shop(tmp_path)
    there = [Health(workload.name, "healthy", "", 1) for workload in plan.list_workloads()]
    assert verify.list_missing(plan, there) == []
    (missing,) = verify.list_missing(plan, [item for item in there if item.workload != "promtail"])
    assert (missing.workload, missing.state, missing.good) == ("promtail", "missing", False)


@pytest.mark.parametrize(
    ("containers", "words"),
    [
        ([], f"there is no container dev-prometheus: {MEND}"),
        ([fakes.service("prometheus", state="exited")], f"the container dev-prometheus is exited: {MEND}"),
    ],
)
def test_who_cannot_be_asked_is_named(containers: list[FakeItem], words: str) -> None:
    """A container that is gone or stopped answers nothing, and the message says which it is."""
    with pytest.raises(RuntimeError, match=words):
        verify.wait_targets(fakes.engine_with(*containers), "dev", 0)


def planned(*names: str) -> Any:
    """A plan with these workloads."""
    system = parse_model(System, SYSTEM, "shop")
    return SimpleNamespace(
        stack="dev", system=system, list_workloads=lambda: [SimpleNamespace(name=name) for name in names]
    )


def metrics(*names: str) -> tuple[int, bytes]:
    """Prometheus' answer with series of containers of these names."""
    series = [{"metric": {"name": name}, "value": [0, "1"]} for name in names]
    return 0, json.dumps({"data": {"result": series}}).encode()


def lines(*names: str) -> tuple[int, bytes]:
    """Loki's answer with lines of containers of these names; it says nothing of data where there are none."""
    return 0, json.dumps({"status": "success", **({"data": names} if names else {})}).encode()


AGENTS = planned("prometheus", "cadvisor", "loki", "promtail")


def watched(seen: tuple[int, bytes], read: tuple[int, bytes], plan: Any = AGENTS) -> list[str]:
    """What is not seen in a stack of two running services, and one that ended."""
    services = fakes.service("prometheus", outputs=[seen]), fakes.service("loki", outputs=[read])
    return verify.list_unseen(fakes.engine_with(*services, fakes.service("gone", state="exited")), plan, 0)


def test_every_running_service_must_have_metrics() -> None:
    """Those without are named, and an agent that names none is told from one that misses some."""
    every = lines("dev-loki")
    assert watched(metrics("dev-prometheus", "dev-loki"), every) == []
    (some,) = watched(metrics("dev-loki"), every)
    assert "no metrics of 1 of 2 containers (dev-prometheus)" in some
    (none,) = watched(metrics(), every)
    assert "no metrics of 2 of 2 containers (all)" in none and "docker logs dev-cadvisor" in none


def test_some_service_must_have_lines() -> None:
    """Lines of containers that are not the stack's are no proof."""
    seen = metrics("dev-prometheus", "dev-loki")
    assert watched(seen, lines("dev-loki", "shop-web")) == []
    for nothing in (lines("shop-web"), lines()):
        (sentence,) = watched(seen, nothing)
        assert "Loki has no line of any container of this stack" in sentence and "dev-promtail" in sentence


def test_the_agent_that_is_deployed_is_named(tmp_path: Path) -> None:
    """With the collector in Promtail's place lines are looked for as well, and its log is the one to read."""
    (sentence,) = watched(metrics("dev-prometheus"), lines(), planned("prometheus", "loki", "collector"))
    assert "docker logs dev-collector" in sentence
    plan = plan_shop(tmp_path, settings={"logs": '{"agent": "collector"}'})
    assert (find_agent(plan), has_lines(plan)) == ("collector", True)


def test_a_service_that_says_where_its_lines_are_must_have_some() -> None:
    """Such a name may be wrong, and its service is then without lines; what says nothing may be silent."""
    plan, seen = planned("prometheus", "cadvisor", "loki", "promtail"), metrics("dev-prometheus", "dev-loki")
    plan.system = parse_model(System, changed(SYSTEM, {"services.api.logs.compose": "shop/backend"}), "shop")
    assert watched(seen, lines("dev-loki", "api"), plan) == []
    (sentence,) = watched(seen, lines("dev-loki", "worker"), plan)
    assert "no line of the last 24 hours of api (logs.compose)" in sentence and "worker" not in sentence


def test_only_what_is_planned_is_asked_for() -> None:
    """Without cAdvisor nobody has metrics, without Promtail nobody has lines, and both are choices."""
    assert watched(metrics(), lines(), planned("prometheus", "loki")) == []
    assert len(watched(metrics(), lines(), planned("prometheus", "cadvisor", "loki"))) == 1
    assert len(watched(metrics(), lines(), planned("prometheus", "promtail", "loki"))) == 1


def test_a_store_that_does_not_answer_is_said() -> None:
    """A query that fails is no success, and ends nothing."""
    (sentence,) = watched(metrics("dev-prometheus", "dev-loki"), (1, b"HTTP/1.1 503"))
    assert "503" in sentence


def test_first_samples_are_waited_for() -> None:
    """Right after a start there are none yet."""
    prometheus = fakes.service("prometheus", outputs=[metrics(), metrics("dev-prometheus")])
    assert verify.list_unseen(fakes.engine_with(prometheus), planned("prometheus", "cadvisor"), 60) == []


@pytest.mark.parametrize(
    ("answers", "blind"),
    [
        ([metrics("x"), metrics()], True),
        ([metrics("x"), metrics("x")], False),
        ([metrics(), metrics()], False),
        ([(1, b"HTTP/1.1 503")], False),
        ([(0, b"")], False),
    ],
)
def test_an_agent_is_blind_when_it_is_up_and_names_nothing(answers: list[tuple[int, bytes]], blind: bool) -> None:
    """One that is down, or of which nobody knows, is none that a new start would help."""
    prometheus = fakes.service("prometheus", outputs=answers)
    assert verify.is_blind(fakes.engine_with(prometheus), "dev") is blind


def test_nobody_is_blind_in_a_stack_that_is_not_there() -> None:
    """Before the first run there is no Prometheus to ask."""
    assert not verify.is_blind(fakes.engine_with(), "dev")


def test_containers_are_seen_beside_the_labels_of_before(tmp_path: Path) -> None:
    """A change of the environment leaves each series twice for five minutes where Prometheus was replaced."""
    labels = {"before": 'environment="before"', "now": 'environment="now"'}
    series = [{"series": f'up{{job="cadvisor", instance="c:1", {each}}}', "values": "1x20"} for each in labels.values()]
    series += [{"series": f'container_last_seen{{name="a", instance="c:1", {labels["now"]}}}', "values": "0+60x20"}]
    expected = [
        {
            "expr": verify._build_seen_query(".+"),
            "eval_time": "10m",
            "exp_samples": [{"labels": '{name="a"}', "value": 1}],
        }
    ]
    tests = [{"interval": "1m", "input_series": series, "promql_expr_test": expected}]
    (tmp_path / "test.yml").write_text(write_yaml({"tests": tests}))
    accepts(tool("promtool"), "test", "rules", tmp_path / "test.yml")


@pytest.mark.parametrize(("labels", "mend"), [({"io.observability.stack": "dev"}, MEND), ({}, "docker start shop-api")])
@pytest.mark.parametrize(("name", "said"), [("shop-api", True), ("api", True), ("web", False), ("none", False)])
def test_a_stopped_container_explains_its_name(name: str, said: bool, labels: dict[str, str], mend: str) -> None:
    """Whether it is called by its own name or by an alias; one that runs, or that nobody knows, explains nothing.

    A part of a stack is put back by `make up`, as `make doctor` says too.
    """
    stopped: Any = SimpleNamespace(
        name="shop-api",
        labels=labels,
        attrs={
            "State": {"Status": "exited"},
            "NetworkSettings": {"Networks": {"shop_default": {"Aliases": ["api"]}, "bridge": {"Aliases": None}}},
        },
    )
    running: Any = SimpleNamespace(
        name="web", attrs={"State": {"Status": "running"}, "NetworkSettings": {"Networks": None}}
    )
    expected = f"the container shop-api is exited: {mend}" if said else ""
    assert verify.explain_absence([running, stopped], name) == expected
