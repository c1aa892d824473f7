"""Looks at a running stack from inside its engine: health, targets, and what is watched by nobody."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import unquote_plus

import docker
from docker.errors import DockerException, NotFound
from docker.models.containers import Container

from cli import lines
from cli.engine import execute_command
from cli.exposed import query_series
from cli.refusals import Waiting
from cli.waiting import SHOWN, Wait
from components.loki.settings import PORT as LOKI_PORT
from model.checks.needs import shorten_names
from model.naming import LABEL
from model.plan import Plan

PROMETHEUS = "http://127.0.0.1:9090/prometheus"
LOKI = f"http://127.0.0.1:{LOKI_PORT}"
METRICS_OF = {"cadvisor", "prometheus"}
"""Workloads without which there are no metrics of containers."""
LINES_OF = {"loki"}
"""Workloads without which, and without an agent that reads them, there are no lines of containers."""
Check = Callable[[docker.DockerClient, str], str | None]
"""What finds out something of a stack: a sentence about what is wrong, or None."""


@dataclass(frozen=True)
class Health:
    """How one container is.

    Attributes:
        workload: its name in the plan.
        state: the word of its health, or of its state where it has no probe or does not run.
        url: the address where it is published; empty where it is not.
        memory_limit: bytes.
        api: whether its address is for programs alone, and opens nothing in a browser.
        replacement: the image of ours that runs in the place of the one that it is named for; empty where none does.
    """

    workload: str
    state: str
    url: str
    memory_limit: int
    api: bool = False
    replacement: str = ""

    @property
    def good(self) -> bool:
        """Whether it runs and, where it has a probe, answers it."""
        return self.state in ("healthy", "running")

    @property
    def shown(self) -> str:
        """What it is called for people: by what it is."""
        return self.replacement or self.workload


def list_services(client: docker.DockerClient, stack: str) -> list[Container]:
    """The stack's service containers, by name, without the one-shot ones."""
    selector: dict[str, Any] = {"label": [f"{LABEL}.stack={stack}", f"{LABEL}.role=service"]}
    return sorted(client.containers.list(all=True, filters=selector), key=lambda c: str(c.name))


def read_health(container: Container) -> Health:
    """The state of one container as its engine sees it now."""
    state = container.attrs["State"]
    status = state["Status"]
    # what is not running has the health that it had last, or that its end gave it
    word = (state.get("Health", {}).get("Status") or status) if status == "running" else status
    ports = container.attrs["NetworkSettings"]["Ports"] or {}
    first = f"{container.labels.get(f'{LABEL}.port')}/tcp"  # said where several are published
    bound = [b for name in sorted(ports, key=lambda name: name != first) for b in ports[name] or ()]
    url = f"http://{bound[0]['HostIp']}:{bound[0]['HostPort']}" if bound else ""
    name = container.labels[f"{LABEL}.workload"]
    return Health(name, word, url, int(container.attrs["HostConfig"]["Memory"]))


def wait_healthy(client: docker.DockerClient, stack: str, timeout: float) -> list[Health]:
    """Waits until every service is healthy, at most `timeout` seconds; returns how they are then."""
    wait = Wait(timeout)
    while True:
        result = [read_health(container) for container in list_services(client, stack)]
        if all(item.good for item in result) or not wait.goes_on(describe_unwell(result)):
            return result


def describe_unwell(health: Sequence[Health]) -> str:
    """Who is not well, and how it is."""
    return shorten_names([f"{item.workload} ({item.state})" for item in health if not item.good], SHOWN)


def read_last_log_lines(container: Container, lines: int = 5) -> str:
    """The last lines of a container's log, to be shown beside a bad health."""
    return container.logs(tail=lines).decode(errors="replace").strip()


def get_running(client: docker.DockerClient, stack: str, workload: str) -> Container:
    """The container of a workload, which runs.

    Raises:
        RuntimeError: it is not there, or does not run.
    """
    name = f"{stack}-{workload}"
    try:
        container = client.containers.get(name)
    except NotFound:
        raise RuntimeError(f"there is no container {name}: {describe_mend(stack)}") from None
    state = container.attrs["State"]["Status"]
    if state != "running":
        raise RuntimeError(f"the container {name} is {state}: {describe_mend(stack)}")
    return container


def fetch_url(
    client: docker.DockerClient, stack: str, workload: str, url: str, post: str | None = None, *, kind: str = ""
) -> str:
    """What `url` answers, asked from inside the container of `workload`, so that remote engines work alike.

    With `post` it is a POST of that body, whose type is `kind`.

    Raises:
        RuntimeError: the request failed, or the container is not there or does not run.
    """
    container = get_running(client, stack, workload)
    body = ["--post-data", post] if post is not None else []
    body += ["--header", f"Content-Type: {kind}"] if kind and post is not None else []
    code, text = execute_command(container, ["/tools/busybox", "wget", "-q", "-O", "-", *body, url])
    if code:
        raise RuntimeError(f"{unquote_plus(url)} from {workload}: {text.strip()}")
    return text


def ask_prometheus(client: docker.DockerClient, stack: str, path: str) -> Any:
    """The data that Prometheus' API answers to a path below /api/v1/, with its query.

    Raises:
        RuntimeError: it does not answer.
    """
    return json.loads(fetch_url(client, stack, "prometheus", f"{PROMETHEUS}/api/v1/{path}"))["data"]


def ask_loki(client: docker.DockerClient, stack: str, path: str) -> Any:
    """The data that Loki's API answers to a path below /loki/api/v1/, with its query; None where it has nothing.

    Raises:
        RuntimeError: it does not answer.
    """
    return json.loads(fetch_url(client, stack, "loki", f"{LOKI}/loki/api/v1/{path}")).get("data")


def list_targets(client: docker.DockerClient, stack: str) -> list[dict[str, Any]]:
    """Prometheus' active targets as its API describes them."""
    return list(ask_prometheus(client, stack, "targets?state=active")["activeTargets"])


def describe_mend(stack: str) -> str:
    """What to do where a part of a stack is not there or does not run; whoever says that says it in these words."""
    return f"make up STACK={stack} puts back what is missing or stopped"


def explain_absence(containers: Iterable[Container], name: str) -> str:
    """That the container of a name does not run, with what to do; empty where there is none such.

    One that is in no stack is somebody else's to start.
    """
    for container in containers:
        networks = container.attrs["NetworkSettings"]["Networks"] or {}
        aliases = {alias for each in networks.values() for alias in each.get("Aliases") or ()}
        if name in {container.name, *aliases} and (state := container.attrs["State"]["Status"]) != "running":
            own = container.labels.get(f"{LABEL}.stack")
            mend = describe_mend(own) if own else f"docker start {container.name}"
            return f"the container {container.name} is {state}: {mend}"
    return ""


def wait_targets(client: docker.DockerClient, stack: str, timeout: float) -> list[dict[str, Any]]:
    """Waits until every target is up or refused for good, at most `timeout` seconds; returns them as they are then."""
    wait, waiting = Wait(timeout), Waiting()
    while True:
        active = list_targets(client, stack)
        if waiting.is_over(active) or not wait.goes_on(describe_down(active)):
            return active


def describe_down(scraped: Sequence[Mapping[str, Any]]) -> str:
    """Which services are not scraped."""
    down = sorted({find_service(target) for target in scraped if target["health"] != "up"})
    return f"the first answer to a scrape of {shorten_names(down, SHOWN)}" if down else "Prometheus to know any target"


def find_service(target: Mapping[str, Any]) -> str:
    """Whose a target is; one that says no service is its job's."""
    return str(target["labels"].get("service", target["labels"]["job"]))


def list_lacking(plan: Plan, scraped: Sequence[Mapping[str, Any]]) -> list[str]:
    """Services that have fewer targets than they should, as sentences.

    A target that is not known is down for nobody: neither Prometheus nor its list of targets speaks of it. With an
    operator, which names its jobs itself, those are compared that are found by their pods.
    """
    found, written = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for job in plan.telemetry.scrape:
        if job.discovery:
            labels = {"job": job.name, "service": job.name, **job.discovery.labels}
            found[labels["service"], labels["job"]] += job.discovery.least
        for target in () if plan.operator else job.targets:
            written[target.labels.get("service", job.name), job.name] += 1
    known = Counter((find_service(target), target["labels"]["job"]) for target in scraped)
    wanted = found + written
    return [
        f"{service}: {known[service, job]} of {count} targets of the job {job} are known; "
        + (
            "are its pods there, and does its selector find them?"
            if found[service, job]
            else "what does Prometheus say of its configuration, in its log?"
        )
        for (service, job), count in sorted(wanted.items())
        if known[service, job] < count
    ]


def list_unseen(client: docker.DockerClient, plan: Plan, timeout: float) -> list[str]:
    """What runs without metrics or lines of its own although all is up, after at most `timeout` seconds, as sentences.

    An agent may be up and scraped and see nothing: then there is no figure that an alert could stand on.
    """
    planned = {workload.name for workload in plan.list_workloads()}
    known: list[tuple[set[str], Check]] = [(METRICS_OF, check_metrics)]
    if agent := lines.find_agent(plan):
        known += [(LINES_OF, partial(check_lines, agent)), (LINES_OF, partial(_check_service_lines, plan))]
    checks = [check for needed, check in known if needed <= planned]
    wait = Wait(timeout)
    while True:
        sentences = [sentence for check in checks if (sentence := _ask_safely(check, client, plan.stack))]
        if not sentences or not wait.goes_on(f"this to change: {sentences[0]}"):
            return sentences


def _ask_safely(check: Check, client: docker.DockerClient, stack: str) -> str | None:
    try:
        return check(client, stack)
    except RuntimeError as error:  # whoever would know does not answer
        return str(error)


def _query_prometheus(client: docker.DockerClient, stack: str, query: str) -> list[dict[str, Any]]:
    return query_series(partial(ask_prometheus, client, stack), query)


def _build_seen_query(names: str) -> str:
    """Containers that cAdvisor named in its last answer; without the comparison those of 5 minutes ago count too."""
    # after a change of labels there may be the last answer of before beside the new one
    fresh = 'on(instance) group_left() (max by (instance) (timestamp(up{job="cadvisor"})) - 60)'
    return f'group by (name) (container_last_seen{{name=~"{names}"}} > {fresh})'


def is_blind(client: docker.DockerClient, stack: str) -> bool:
    """Whether cAdvisor is scraped and names no container: it looks for the engine once, at its start.

    False where nobody can say, as in a stack that is not there yet.
    """
    try:
        up = _query_prometheus(client, stack, 'up{job="cadvisor"} == 1')
        return bool(up) and not _query_prometheus(client, stack, _build_seen_query(".+"))
    except (DockerException, LookupError, RuntimeError, ValueError):
        return False


def check_metrics(client: docker.DockerClient, stack: str) -> str | None:
    """Which running services cAdvisor has no metrics of; None when it has some of each."""
    running = {str(c.name) for c in list_services(client, stack) if c.attrs["State"]["Status"] == "running"}
    named = _query_prometheus(client, stack, _build_seen_query(f"{stack}-.+"))
    missing = running - {series["metric"]["name"] for series in named}
    if not missing:
        return None
    names = ", ".join(sorted(missing)) if len(missing) < len(running) else "all"
    return (
        f"there are no metrics of {len(missing)} of {len(running)} containers ({names});"
        f" see docker logs {stack}-cadvisor, and docs/operations.md, Docker engines"
    )


def check_lines(agent: str, client: docker.DockerClient, stack: str) -> str | None:
    """That Loki has no line of any of the stack's containers; None when it has."""
    known = lines.list_label_values(partial(ask_loki, client, stack), stack, "container")
    if any(name.startswith(f"{stack}-") for name in known):
        return None
    return (
        "Loki has no line of any container of this stack;"
        f" see docker logs {stack}-{agent} and {stack}-socket-proxy, and docs/operations.md, Docker engines"
    )


def _check_service_lines(plan: Plan, client: docker.DockerClient, stack: str) -> str | None:
    return lines.check_service_lines(plan.system, partial(ask_loki, client, stack), stack)


def list_missing(plan: Plan, health: Sequence[Health]) -> list[Health]:
    """The planned workloads of which nothing is there."""
    present = {item.workload for item in health}
    return [Health(w.name, "missing", "", 0) for w in plan.list_workloads() if w.name not in present]
