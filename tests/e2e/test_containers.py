"""Every container has metrics on whichever image store, and whoever sees none is found and started anew."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from cli import verify
from tests.e2e.test_no_change import unchanged
from tests.support.running import RunningStack
from tests.support.waiting import eventually


def named(stack: RunningStack, metric: str = "container_last_seen") -> set[str]:
    """The stack's containers that have a metric, which those that are gone lose five minutes later."""
    found = stack.prom(f'group by (name) ({metric}{{name=~"{stack.name}-.+"}})')
    return {series["metric"]["name"] for series in found}


def services(stack: RunningStack) -> set[str]:
    """The stack's running services."""
    return {str(container.name) for container in stack.containers("service")}


def in_containerd(stack: RunningStack) -> bool:
    """Whether the engine keeps images in containerd."""
    return ["driver-type", "io.containerd.snapshotter.v1"] in (stack.client.info()["DriverStatus"] or [])


@pytest.mark.parametrize(
    "metric",
    ["container_last_seen", "container_memory_working_set_bytes", "container_cpu_usage_seconds_total",
     "container_start_time_seconds", "container_health_state"],
)  # fmt: skip
def test_every_container_is_named(stack: RunningStack, metric: str) -> None:
    """cAdvisor has each figure that alerts and panels stand on, of each service, on whichever image store."""
    eventually(lambda: services(stack) <= named(stack, metric), timeout=60, what=f"{metric} of every service")


def test_files_are_counted_where_layers_can_be_seen(stack: RunningStack) -> None:
    """File systems have figures with the classic image store alone, and cAdvisor is root for nothing else."""
    user = stack.container("cadvisor").attrs["Config"]["User"]
    if in_containerd(stack):
        assert not named(stack, "container_fs_usage_bytes") and not user.startswith("0:")
    else:
        assert user == "0:0"
        what = "files of every service"
        eventually(lambda: services(stack) <= named(stack, "container_fs_usage_bytes"), timeout=60, what=what)


def test_who_sees_nothing_is_found_and_mended(stack: RunningStack) -> None:
    """cAdvisor that started while nobody answered stays up and names nothing: verify is red, and `up` mends it."""
    agent, proxy = stack.container("cadvisor"), stack.container("socket-proxy")
    agent.stop()
    proxy.stop()
    since = datetime.now(UTC)
    agent.start()
    failed = b"Registration of the docker container factory failed"

    def has_failed() -> bool:
        assert failed in (said := agent.logs(since=since)), said.decode()[-2000:]
        return True

    eventually(
        has_failed, timeout=180, what="a start without an engine"
    )  # a resolver that does not answer is waited for
    proxy.start()
    eventually(lambda: verify.is_blind(stack.client, stack.name), timeout=150, what="a blind cAdvisor")
    run = stack.run("verify")
    assert run.code == 1 and re.search(r"no metrics of (\d+) of \1 containers", run.text), run.text[-3000:]
    stack.up()
    assert not verify.check_metrics(stack.client, stack.name)
    run = stack.up()
    assert unchanged(run.text), run.text[-3000:]
