"""`make down`."""

from __future__ import annotations

import pytest

from tests.support.running import RunningStack


def test_what_others_use_is_named_before_anything_goes(stack: RunningStack) -> None:
    """A container of somebody else in the network, or with a data volume: nothing is touched, and both are named."""
    network, volume, before = f"{stack.name}-monitoring", f"{stack.name}-prometheus-data", stack.identities()
    image = str(stack.client.containers.get(f"{stack.name}-tools").attrs["Config"]["Image"])
    other = stack.client.containers.run(
        image, ["/bin/busybox", "sleep", "600"], detach=True, network=network, volumes=[f"{volume}:/data"]
    )
    try:
        run = stack.run("down", "--purge")
    finally:
        other.remove(force=True)
    assert run.code == 2, run.text
    assert f"docker network disconnect {network} {other.name}" in run.text
    assert f"its volume {volume}: docker rm {other.name}" in run.text
    assert stack.identities() == before


@pytest.fixture
def removed(stack: RunningStack) -> RunningStack:
    """The stack after `make down`; it remembers which password Grafana's administrator had."""
    if not stack.remembered:
        stack.remembered = stack.password("grafana-admin-password")
        run = stack.run("down")
        assert run.code == 0, run.text[-3000:]
    return stack


def test_down_leaves_nothing_but_data(removed: RunningStack) -> None:
    """`make down` removes every container, network and file, and keeps the data volumes."""
    stack = removed
    label = {"label": f"io.observability.stack={stack.name}"}
    assert stack.containers() == []
    assert stack.client.networks.list(filters=label) == []
    kept = {str(v.name) for v in stack.client.volumes.list(filters=label)}
    assert f"{stack.name}-prometheus-data" in kept
    assert not [name for name in kept if name.endswith(("-config", "-secrets", "-tools"))]
    assert _left(stack) == {f"Pulumi.{stack.name}.yaml", "Pulumi.yaml", "machine.yaml"}
    assert (
        "grafana-admin-password:\n    secure:"
        in (stack.state / "work" / stack.name / stack.stack_file.name).read_text()
    )


def _left(stack: RunningStack) -> set[str]:
    """Files of the stack below the state directory: its stack file holds the secrets that the kept data needs."""
    files = [
        path for path in stack.state.rglob("*") if path.is_file() and stack.name in path.relative_to(stack.state).parts
    ]
    backend = [path for path in stack.state.rglob(f"{stack.name}.json*") if path.is_file()]
    return {path.name for path in [*files, *backend]}


def test_data_is_there_after_the_next_up(removed: RunningStack) -> None:
    """The next `make up` finds the data again; `PURGE=1` then removes it."""
    stack = removed
    stack.up()
    assert stack.password("grafana-admin-password") == stack.remembered
    assert stack.prom('count_over_time(up{service="prometheus"}[1h])')[0]["value"][1] != "1"
    run = stack.run("down", "--purge")
    assert run.code == 0, run.text[-3000:]
    assert stack.client.volumes.list(filters={"label": f"io.observability.stack={stack.name}"}) == []
    assert _left(stack) <= {f"Pulumi.{stack.name}.yaml", "Pulumi.yaml", "machine.yaml"}
