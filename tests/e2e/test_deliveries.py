"""Whatever was removed by hand or killed half-way: the next `make up` lands, and the data is there."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from docker.errors import APIError
from docker.models.containers import Container

from cli import runs
from cli.engine import build_tool_env
from tests.e2e.test_no_change import unchanged
from tests.support.keeping import Remembered
from tests.support.running import PROMETHEUS, Run, RunningStack
from tests.support.waiting import eventually

EACH = bool(os.environ.get("E2E_EACH"))
"""Remove each thing alone, with an `up` after each, and not what is independent at once: an hour instead of minutes."""


@contextmanager
def landing(stack: RunningStack, what: str) -> Iterator[None]:
    """Around what is done to a stack: then `make up` lands, with the data of before.

    `make up` itself ends well only when every service is healthy and every target up.
    """
    before = Remembered(stack)
    yield
    run = stack.up()
    before.kept()
    print(f"{what}: {run.seconds:.1f} s")


def label(stack: RunningStack) -> dict[str, str]:
    """What selects the stack's own things."""
    return {"label": f"io.observability.stack={stack.name}"}


def batches(items: Iterable[str], number: int) -> list[list[str]]:
    """The items in so many parts, or each by itself."""
    names = sorted(items)
    return [[name] for name in names] if EACH else [part for i in range(number) if (part := names[i::number])]


def one_shots(stack: RunningStack) -> dict[str, Container]:
    """The containers that deliver something and are no longer running, by name."""
    return {str(c.name): c for c in stack.containers() if c.status in ("exited", "created")}


# -- what people remove ----------------------------------------------------------------------------------------------


def test_container_prune_restarts_nothing(stack: RunningStack) -> None:
    """`docker container prune`: every delivery is made again, and accepted as what runs already."""
    pruned, started = one_shots(stack), stack.identities()
    assert {f"{stack.name}-tools", f"{stack.name}-traefik-configure", f"{stack.name}-grafana-secrets"} <= pruned.keys()
    with landing(stack, "container prune"):
        deleted = stack.client.containers.prune(filters=label(stack))["ContainersDeleted"]
        assert set(deleted) == {c.id for c in pruned.values()}
    assert stack.identities() == started
    assert one_shots(stack).keys() == pruned.keys()


def test_a_container_outside_of_its_network_comes_back(stack: RunningStack) -> None:
    """`docker network disconnect`: the provider sees no change, and nobody finds Prometheus by its name."""
    network = stack.client.networks.get(f"{stack.name}-monitoring")
    with landing(stack, "outside of its network"):
        network.disconnect(f"{stack.name}-prometheus")
    network.reload()
    assert f"{stack.name}-prometheus" in {item["Name"] for item in network.attrs["Containers"].values()}


def test_another_environment_with_another_prometheus(stack: RunningStack) -> None:
    """Series of before have a last answer for five minutes: `make up` ends well, and nothing fires for what is up."""
    stack.edit_settings(lambda config: config.update(environment="another"))
    stack.edit_settings(lambda config: config["prometheus"].update(queryTimeout="90s"))
    stack.up()
    eventually(lambda: stack.prom('min(up{environment="another"}) == 1'), timeout=60, what="targets of the new name")
    assert stack.prom('up{environment="test"}'), "the last answers of before are still there"
    # asked of the rules: the series ALERTS has a last value of before, as `up` has
    active = stack.get("prometheus", f"{PROMETHEUS}/alerts")["data"]["alerts"]
    assert not [alert for alert in active if alert["labels"]["alertname"] == "TargetDown"]


def test_each_one_shot_can_be_removed(stack: RunningStack) -> None:
    """What delivers documents or secrets, or fetches the tools, one after the other."""
    started = stack.identities()
    for names in batches(one_shots(stack), 2):
        with landing(stack, f"without {', '.join(names)}"):
            for name in names:
                stack.client.containers.get(name).remove()
    assert stack.identities() == started


def test_each_service_can_be_removed(stack: RunningStack) -> None:
    """The container of every service, running, by force."""
    for names in batches((str(c.name) for c in stack.containers("service")), 3):
        with landing(stack, f"without {', '.join(names)}"):
            for name in names:
                stack.client.containers.get(name).remove(force=True)


def carriers(stack: RunningStack) -> set[str]:
    """Names of the volumes that hold documents, secrets or tools, and no data."""
    data = {f"{stack.name}-{suffix}" for suffix in ("config", "secrets", "tools")}
    names = {str(volume.name) for volume in stack.client.volumes.list(filters=label(stack))}
    return {name for name in names if name in data or name.endswith(("-config", "-secrets"))}


def test_each_volume_without_data_can_be_removed(stack: RunningStack) -> None:
    """The engine lets a volume go only with every container that uses it; then all of them are made again."""
    for names in [*batches(carriers(stack) - {f"{stack.name}-tools"}, 2), [f"{stack.name}-tools"]]:
        with landing(stack, f"without {', '.join(names)}"):
            for name in names:
                remove_volume(stack, name)


def remove_volume(stack: RunningStack, name: str) -> None:
    """Removes a volume and first, as the engine demands, every container that uses it."""
    volume = stack.client.volumes.get(name)
    with pytest.raises(APIError, match="volume is in use"):
        volume.remove()
    for container in stack.client.containers.list(all=True, filters={"volume": name}):
        container.remove(force=True)
    volume.remove()


def test_the_network_can_be_removed(stack: RunningStack) -> None:
    """By force, while everything runs: nothing reaches anything any more, and only containers made anew do again."""
    with landing(stack, "without the network"):
        remove_network(stack)


def remove_network(stack: RunningStack) -> None:
    """Takes the network away from what runs."""
    network = stack.client.networks.get(f"{stack.name}-monitoring")
    network.reload()
    for container in network.containers:
        network.disconnect(container, force=True)
    network.remove()


def test_system_prune_after_a_stop(stack: RunningStack) -> None:
    """`docker stop` of everything, then `docker system prune`: containers, network and images are gone."""
    images = {str(c.image.id) for c in stack.containers() if c.image}
    with landing(stack, "stop and system prune"):
        for container in stack.containers("service"):
            container.stop(timeout=10)
        stack.client.containers.prune(filters=label(stack))
        stack.client.networks.prune(filters=label(stack))
        assert not stack.containers() and not stack.client.networks.list(filters=label(stack))
        for image in images:
            try:
                stack.client.images.remove(image, force=True)
            except APIError as error:  # another stack's container uses it
                assert error.status_code == 409


def test_stopped_containers_without_a_network(stack: RunningStack) -> None:
    """`docker stop` of everything, then `docker network prune`: the containers are there, and could not be started."""
    with landing(stack, "stop and network prune"):
        for container in stack.containers("service"):
            container.stop(timeout=10)
        stack.client.networks.prune(filters=label(stack))
        assert not stack.client.networks.list(filters=label(stack))


def test_stopped_containers_are_started(stack: RunningStack) -> None:
    """`docker stop` of everything: all run again, and only those that publish a port are made anew for it.

    Of a stopped container the provider reads no ports, which is a difference that needs another container.
    """
    before = {str(c.name): c for c in stack.containers("service")}
    published = {name for name, container in before.items() if container.attrs["HostConfig"]["PortBindings"]}
    with landing(stack, "stop"):
        for container in before.values():
            container.stop(timeout=10)
    after = stack.identities()
    assert {name for name, container in before.items() if after[name][0] != container.id} <= published


def is_well(stack: RunningStack) -> bool:
    """Whether `make verify` succeeds; an error says what it is that is not well."""
    run = stack.run("verify")
    assert run.code == 0, run.text[-3000:]
    return True


def test_plain_pulumi_lands_too(stack: RunningStack) -> None:
    """`pulumi up` alone, without what `make up` does before it: pruned, without a service, without the network."""
    before = Remembered(stack)
    stack.client.containers.prune(filters=label(stack))
    stack.container("loki").remove(force=True)
    remove_network(stack)
    env = {
        **build_tool_env(),
        **stack.engine.env,
        "PULUMI_BACKEND_URL": f"file://{stack.state / 'backend'}",
        "PULUMI_CONFIG_PASSPHRASE_FILE": str(stack.state / "passphrase"),
    }
    command = ["pulumi", "up", "--yes", "--skip-preview", "--stack", stack.name]
    done = subprocess.run(
        command, cwd=stack.state / "work" / stack.name, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:]
    eventually(lambda: is_well(stack), timeout=180, what="all is well")
    before.kept()


# -- what is killed --------------------------------------------------------------------------------------------------


def key(stack: RunningStack) -> str:
    """What marks the processes of the stack's runs."""
    return runs.derive_stack_key(stack.state / "work" / stack.name, stack.name, f"file://{stack.state / 'backend'}")


def of_run(stack: RunningStack) -> dict[str, int]:
    """Names and numbers of the processes of a run."""
    return {process.name: process.pid for process in runs.list_processes(key(stack))}


def _edit(stack: RunningStack, timeout: str) -> None:
    """A change that makes Prometheus' container anew and delivers to it."""

    def change(config: dict[str, Any]) -> None:
        config["prometheus"]["queryTimeout"] = timeout

    stack.edit_settings(change)


def make(stack: RunningStack) -> subprocess.Popen[bytes]:
    """`make up` in a session of its own, at work: Pulumi and its provider run."""
    process = subprocess.Popen(
        ["make", "--assume-old", ".venv/.ready", "up", f"STACK={stack.name}"],
        cwd=stack.root, env=stack.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    eventually(lambda: {"pulumi", "pulumi-resource"} <= of_run(stack).keys(), timeout=120, what="a provider runs")
    return process


def command(process: subprocess.Popen[bytes]) -> int:
    """The number of the process that make runs."""
    return int(Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()[0])


KILLED: dict[str, Callable[[RunningStack, subprocess.Popen[bytes]], Iterable[int]]] = {
    "make": lambda _, process: [process.pid],
    "the command": lambda _, process: [command(process)],
    "pulumi": lambda stack, _: [of_run(stack)["pulumi"]],
    "the provider": lambda stack, _: [of_run(stack)["pulumi-resource"]],
    "make, the command and pulumi": lambda stack, process: [process.pid, command(process), of_run(stack)["pulumi"]],
}
"""Five kills with SIGKILL: who is killed, by what is said of it."""


@pytest.mark.parametrize("who", KILLED)
def test_nothing_outlives_a_killed_run(stack: RunningStack, who: str) -> None:
    """Neither a language host nor a provider is left of a run of which one process was killed; the next one lands."""
    with landing(stack, f"killed: {who}"):
        _edit(stack, f"{70 + list(KILLED).index(who)}s")
        process = make(stack)
        for pid in KILLED[who](stack, process):
            os.kill(pid, signal.SIGKILL)
        began = time.monotonic()
        eventually(lambda: not of_run(stack), timeout=90, what="the run's processes are gone")
        process.wait(90)
        print(f"killed: {who}: all is gone after {time.monotonic() - began:.1f} s")


def test_ctrl_c_ends_a_run(stack: RunningStack) -> None:
    """As from a terminal, which interrupts make, the command and Pulumi: no lock and no process is left."""
    with landing(stack, "Ctrl-C"):
        _edit(stack, "80s")
        process = make(stack)
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(90) != 0
        assert not of_run(stack)
        assert not list(stack.state.glob("backend/.pulumi/locks/**/*.json"))


def test_a_second_run_is_told_of_the_first(stack: RunningStack) -> None:
    """It ends at once, names the process that holds the stack, and takes nothing away from it."""
    with landing(stack, "two runs at once"):
        _edit(stack, "90s")
        first = make(stack)
        locks = stack.state / "backend/.pulumi/locks"
        eventually(lambda: list(locks.glob(f"**/{stack.name}/*.json")), timeout=60, what="the first holds the lock")
        holder = of_run(stack)["pulumi"]
        second: Run = stack.run("up")
        assert second.code == 1
        assert f"stack {stack.name} is being changed by another run" in second.text, second.text
        assert f"process {holder} of " in second.text and f"kill {holder}" in second.text
        assert first.wait(300) == 0


def test_the_stack_is_left_as_it_was_made(stack: RunningStack) -> None:
    """After all that is done to it in this file, nothing is left for a run to change."""
    run = stack.up()
    assert unchanged(run.text), run.text[-3000:]
