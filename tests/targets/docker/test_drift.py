"""What an engine has otherwise than declared is named, and what each engine writes in another way is not."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from model.deviation import Deviation, Drift
from model.plan import Plan
from targets.docker.drift import OF_VOLUMES, compare_stack, list_moved_images, list_unseen
from targets.docker.reading import Reading
from tests.support.engine_answers import NEW, OLD, declare, number_of, plan_dev, read_as_declared, read_image_settings

BUSYBOX = "sha256:another"


@pytest.fixture(scope="module")
def plan() -> Plan:
    """The stack `dev`."""
    return plan_dev()


@pytest.fixture(scope="module", name="clean")
def read_clean(plan: Plan) -> Reading:
    """An engine that has all of it."""
    return read_as_declared(plan)


@pytest.fixture
def reading(clean: Reading) -> Reading:
    """The same, for a test to change."""
    return copy.deepcopy(clean)


def compare(plan: Plan, reading: Reading, clean: Reading | None = None) -> Drift:
    """What is said of it."""
    return compare_stack(declare(plan, reading), reading, read_image_settings(clean or reading))


@pytest.mark.parametrize("networks", [(), ("shop_default",)], ids=["alone", "in a network of others"])
@pytest.mark.parametrize("version", [OLD, NEW])
def test_a_stack_as_declared_is_silent(plan: Plan, version: str, networks: tuple[str, ...]) -> None:
    """On an old engine and on a new one: defaults, orders, units and the engine's own names are no difference."""
    docker = plan.settings.docker.model_copy(update={"external_networks": networks})
    plan = replace(plan, settings=plan.settings.model_copy(update={"docker": docker}))
    reading = read_as_declared(plan, version)
    assert len(reading.containers) > 20
    assert compare(plan, reading) == Drift()


Change = Callable[[dict[str, Any]], object]
CHANGES: dict[str, tuple[Change, str, str, str]] = {
    "another command": (lambda c: c["Config"].update(Entrypoint=["x"]), "command", "", "x"),
    "another value": (
        lambda c: c["Config"]["Env"].remove("GF_LOG_MODE=console") or c["Config"]["Env"].append("GF_LOG_MODE=file"),
        "environment GF_LOG_MODE",
        "console",
        "file",
    ),
    "a variable less": (
        lambda c: c["Config"]["Env"].remove("GF_LOG_MODE=console"),
        "environment GF_LOG_MODE",
        "console",
        "missing",
    ),
    "a variable more": (
        lambda c: c["Config"]["Env"].append("TOKEN=secret"),
        "environment TOKEN",
        "not declared",
        "there",
    ),
    "another host name": (lambda c: c["Config"].update(Hostname="x"), "host name", "grafana", "x"),
    "no health check": (lambda c: c["Config"].update(Healthcheck=None), "health check test", "", "missing"),
    "another interval": (
        lambda c: c["Config"]["Healthcheck"].update(Interval=10**11),
        "health check interval",
        "10 s",
        "100 s",
    ),
    "another user": (lambda c: c["Config"].update(User="0:0"), "user", "", "0:0"),
    "another label": (
        lambda c: c["Config"]["Labels"].update({"io.observability.restart-digest": "x"}),
        "labels io.observability.restart-digest",
        "",
        "x",
    ),
    "a label less": (
        lambda c: c["Config"]["Labels"].pop("io.observability.role"),
        "labels io.observability.role",
        "service",
        "missing",
    ),
    "another network's id": (
        lambda c: c["Config"]["Labels"].update({"io.observability.network": "x"}),
        "labels io.observability.network",
        "",
        "x",
    ),
    "a group": (lambda c: c["HostConfig"].update(GroupAdd=["999"]), "groups", "none", "999"),
    "a writable root": (lambda c: c["HostConfig"].update(ReadonlyRootfs=False), "read-only root", "yes", "no"),
    "a capability": (lambda c: c["HostConfig"].update(CapAdd=["SYS_ADMIN"]), "capabilities added", "none", "SYS_ADMIN"),
    "capabilities": (lambda c: c["HostConfig"].update(CapDrop=None), "capabilities dropped", "ALL", "none"),
    "privileged": (lambda c: c["HostConfig"].update(Privileged=True), "privileged", "no", "yes"),
    "a device": (lambda c: c["HostConfig"].update(Devices=[{"PathOnHost": "/dev/sda"}]), "devices", "none", "/dev/sda"),
    "the host's processes": (lambda c: c["HostConfig"].update(PidMode="host"), "process namespace", "none", "host"),
    "the host's users": (lambda c: c["HostConfig"].update(UsernsMode="host"), "user namespace", "none", "host"),
    "new privileges": (
        lambda c: c["HostConfig"].update(SecurityOpt=None),
        "security options",
        "no-new-privileges=true",
        "none",
    ),
    "docker update --memory": (lambda c: c["HostConfig"].update(Memory=2**30), "memory limit", "256 MiB", "1024 MiB"),
    "swap": (lambda c: c["HostConfig"].update(MemorySwap=-1), "memory and swap limit", "256 MiB", "no limit"),
    "docker update --cpus": (lambda c: c["HostConfig"].update(NanoCpus=4 * 10**9), "CPU limit", "1", "4"),
    "a quota": (lambda c: c["HostConfig"].update(NanoCpus=0, CpuQuota=50_000), "CPU limit", "1", "0.5"),
    "docker update --pids-limit": (lambda c: c["HostConfig"].update(PidsLimit=5), "process limit", "no limit", "5"),
    "no ulimit": (lambda c: c["HostConfig"].update(Ulimits=None), "resource limits nproc", "256:256", "missing"),
    "no tmpfs": (lambda c: c["HostConfig"].update(Tmpfs=None), "temporary directories /tmp", "", "missing"),
    "docker update --restart": (
        lambda c: c["HostConfig"]["RestartPolicy"].update(Name="no"),
        "restart policy",
        "unless-stopped",
        "no",
    ),
    "another log driver": (
        lambda c: c["HostConfig"]["LogConfig"].update(Type="none"),
        "log driver",
        "json-file",
        "none",
    ),
    "longer logs": (
        lambda c: c["HostConfig"]["LogConfig"]["Config"].update({"max-size": "1g"}),
        "log options max-size",
        "10m",
        "1g",
    ),
    "docker network disconnect": (
        lambda c: c["NetworkSettings"]["Networks"].clear(),
        "networks",
        "dev-monitoring",
        "none",
    ),
    "docker network connect": (
        lambda c: c["NetworkSettings"]["Networks"].update(other={}),
        "networks",
        "dev-monitoring",
        "dev-monitoring, other",
    ),
    "no name in the network": (
        lambda c: c["NetworkSettings"]["Networks"]["dev-monitoring"].update(Aliases=None),
        "names in the network dev-monitoring",
        "",
        "none",
    ),
    "open to all": (
        lambda c: c["HostConfig"].update(PortBindings={"3000/tcp": [{"HostIp": "", "HostPort": "3001"}]}),
        "published ports",
        "127.0.0.1:3001->3000/tcp",
        "0.0.0.0:3001->3000/tcp",
    ),
    "a host": (lambda c: c["HostConfig"].update(ExtraHosts=["a:1"]), "hosts", "none", "a:1"),
    "another volume": (
        lambda c: next(m for m in c["Mounts"] if m["Destination"] == "/run/secrets").update(Name="other"),
        "mounts /run/secrets",
        "volume dev-grafana-secrets, read-only",
        "volume other, read-only",
    ),
    "a mount": (
        lambda c: c["Mounts"].append({"Type": "bind", "Source": "/", "Destination": "/host", "RW": True}),
        "mounts /host",
        "not declared",
        "there",
    ),
    "a writable mount": (
        lambda c: next(m for m in c["Mounts"] if m["Destination"] == "/tools").update(RW=True),
        "mounts /tools",
        "volume dev-tools, read-only",
        "volume dev-tools",
    ),
    "stopped": (
        lambda c: c["State"].update(Status="exited", ExitCode=137),
        "state",
        "running",
        "exited (exit status 137)",
    ),
    "paused": (lambda c: c["State"].update(Status="paused"), "state", "running", "paused"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_every_change_of_a_container_is_named(plan: Plan, reading: Reading, name: str) -> None:
    """By its property, with what is declared and what runs; nothing else is said."""
    change, what, declared, running = CHANGES[name]
    change(reading.containers["dev-grafana"])  # type: ignore[arg-type]
    said = compare(plan, reading)
    assert {item.what for item in said.deviations} >= {what} and not said.unread
    assert {item.name for item in said.deviations} == {"dev-grafana"}
    item = next(item for item in said.deviations if item.what == what)
    assert (item.kind, item.running) == ("container", running)
    assert declared in ("", item.declared)


def test_a_value_that_nobody_declares_is_not_shown(plan: Plan, reading: Reading) -> None:
    """What somebody put into an environment may be a secret."""
    reading.containers["dev-loki"]["Config"]["Env"].append("TOKEN=hunter2")
    assert "hunter2" not in repr(compare(plan, reading))


def without(things: Any, name: str) -> dict[str, Any]:
    """A mapping without one of its keys."""
    return {key: value for key, value in things.items() if key != name}


def test_what_is_missing_or_more_is_named(plan: Plan, reading: Reading) -> None:
    """Containers, networks, volumes and images that are not there, and containers and networks that nobody declares."""
    extra = {**reading.containers["dev-loki"], "Name": "/dev-x"}
    changed = replace(
        reading,
        containers={**without(reading.containers, "dev-api"), "dev-x": extra},
        networks={"dev-y": {}},
        volumes={**without(reading.volumes, "dev-tools"), "dev-old-data": {}},
        images=without(reading.images, "grafana/loki:3.7.8"),
        gone=("0123456789abcdef",),
    )
    said = compare(plan, changed, reading)
    assert {(item.kind, item.name, item.running) for item in said.deviations} >= {
        ("container", "dev-api", "missing"),
        ("container", "dev-x", "there, running"),
        ("network", "dev-monitoring", "missing"),
        ("network", "dev-y", "there"),
        ("volume", "dev-tools", "missing"),
        ("image", "grafana/loki:3.7.8", "missing"),
    }
    assert all(item.what == "presence" for item in said.deviations)
    assert said.unread == ("container 0123456789ab: it was removed while it was looked at",)
    assert len(said.notes) == 1 and "volume dev-old-data: no part of the stack uses it" in said.notes[0]


def test_a_delivery_that_failed_is_named(plan: Plan, reading: Reading) -> None:
    """A one-shot container that ended with an error, or has not ended; one that never runs is as declared."""
    reading.containers["dev-loki-configure"]["State"].update(ExitCode=1)
    reading.containers["dev-tools"]["State"].update(Status="running")
    assert [(item.name, item.running) for item in compare(plan, reading).deviations] == [
        ("dev-loki-configure", "exited (exit status 1)"),
        ("dev-tools", "running"),
    ]


def test_networks_and_volumes_are_compared(plan: Plan, reading: Reading) -> None:
    """Driver, labels, options and what a network lets in; a volume's are its own for life."""
    reading.networks["dev-monitoring"].update(Internal=True, Driver="macvlan")  # type: ignore[attr-defined]
    reading.networks["dev-monitoring"]["Labels"]["a"] = "b"
    reading.volumes["dev-loki-data"].update(Labels=None, Options={"type": "nfs"})  # type: ignore[attr-defined]
    said = [(item.kind, item.what, item.repair == OF_VOLUMES) for item in compare(plan, reading).deviations]
    assert said == [
        ("network", "internal", False),
        ("network", "driver", False),
        ("network", "label a", False),
        ("volume", "label io.observability.stack", True),
        ("volume", "options", True),
    ]


def test_a_name_that_means_another_image_is_named(plan: Plan, reading: Reading) -> None:
    """Once, and not its containers; an image that still has a name of its own is an older version."""
    name, old = "grafana/loki:3.7.8", f"sha256:{number_of('grafana/loki:3.7.8')}"
    moved = replace(reading, images={**reading.images, name: BUSYBOX, "grafana/loki@sha256:1": old})
    (item,) = compare(plan, moved).deviations
    assert (item.kind, item.name, item.what) == ("image", name, "what its name means")
    assert (item.declared, item.running) == (old, BUSYBOX)
    assert list_moved_images(declare(plan, moved), moved) == {name: old}
    mirrored = replace(moved, images={**moved.images, "127.0.0.1:5000/grafana/loki:3.7.8": old})
    assert list_moved_images(declare(plan, mirrored), mirrored) == {name: old}, "a name elsewhere is another one"
    older = replace(moved, images={**moved.images, "grafana/loki:3.7.7": old})
    said = compare(plan, older).deviations
    assert {(item.name, item.running) for item in said} == {
        ("dev-loki", "grafana/loki:3.7.7"),
        ("dev-loki-configure", "grafana/loki:3.7.7"),
    }
    assert list_moved_images(declare(plan, older), older) == {}


def test_a_container_of_another_image_is_named(plan: Plan, reading: Reading) -> None:
    """One that somebody made by hand."""
    reading.containers["dev-loki"].update(Image=BUSYBOX)  # type: ignore[attr-defined]
    reading.containers["dev-loki"]["Config"].update(Image="busybox")
    said = compare(plan, replace(reading, images={**reading.images, "busybox:1": BUSYBOX}))
    assert [(item.name, item.what, item.running) for item in said.deviations] == [("dev-loki", "image", "busybox:1")]


def test_what_depends_on_an_image_that_is_gone_is_not_judged(plan: Plan, reading: Reading) -> None:
    """What it gave to its containers is not known: that is said, and is neither drift nor its absence."""
    reading.containers["dev-loki"]["Config"].update(User="0", Cmd=["x"])
    settings = without(read_image_settings(reading), str(reading.containers["dev-loki"]["Image"]))
    said = compare_stack(declare(plan, reading), reading, settings)
    assert said.deviations == () and len(said.unread) == 2
    assert all("its image is gone" in text for text in said.unread)


def test_what_the_provider_does_not_see_is_made_again() -> None:
    """Places in networks and the limit of processes; the rest is read back by Pulumi."""

    def changed(name: str, what: str, kind: str = "container") -> Deviation:
        return Deviation(kind=kind, name=name, what=what, declared="a", running="b")

    every = (
        changed("a", "networks"), changed("a", "names in the network x"), changed("b", "process limit"),
        changed("c", "memory limit"), changed("d", "networks", "volume"),
    )  # fmt: skip
    assert list_unseen(Drift(deviations=every)) == ["a", "b"]
