"""A stack as a Compose file: by its structure, since no engine is asked."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cli import render
from cli.render import plan_file, render_compose_files
from model.settings import DockerSettings
from model.workload import DataVolume, Exemption, SecretFile, SharedVolume
from targets.compose import GROUP, build_compose_file
from targets.docker.shared import Scope
from tests.support.systems import ROOT, plan_shop
from tests.support.workloads import AGENT, IMAGES, PLAIN, SERVER
from tests.support.yaml_files import read_yaml

SCOPE = Scope(stack="dev", settings=DockerSettings(), images=IMAGES)
STACKS = sorted(
    path.name.split(".")[1]
    for path in ROOT.glob("Pulumi.*.yaml")
    if "target: kubernetes" not in path.read_text(encoding="utf-8")
)
KEYS = {
    "cap_add", "cap_drop", "command", "container_name", "cpus", "depends_on", "entrypoint", "environment",
    "extra_hosts", "group_add", "healthcheck", "hostname", "image", "labels", "logging", "mem_limit", "memswap_limit",
    "network_mode", "networks", "ports", "read_only", "restart", "secrets", "security_opt", "stop_grace_period",
    "tmpfs", "ulimits", "user", "userns_mode", "volumes",
}  # fmt: skip
"""Elements of a service in the Compose specification, as far as they are used."""


def service(name: str, *workloads: Any) -> dict[str, Any]:
    """A service of the file of these workloads."""
    return dict(build_compose_file(SCOPE, workloads)["services"][name])


@pytest.mark.parametrize("stack", STACKS)
def test_what_services_refer_to_is_declared(stack: str) -> None:
    """Networks, volumes, secrets, services and directories of documents that a shipped stack's file names are in it."""
    plan = plan_file(ROOT / f"Pulumi.{stack}.yaml", stack, target="docker")
    files = render_compose_files(plan)
    made = build_compose_file(
        Scope(stack=stack, settings=plan.settings.docker, images=plan.images), plan.list_workloads()
    )
    folders = {f"./{path.partition('/')[0]}" for path in files}
    for name, item in made["services"].items():
        assert item.keys() <= KEYS, name
        assert item.get("networks", {}).keys() <= made["networks"].keys()
        assert item.get("depends_on", {}).keys() <= made["services"].keys()
        assert {secret["source"] for secret in item.get("secrets", ())} <= made.get("secrets", {}).keys()
        for mount in item["volumes"]:
            assert mount["source"] in (made["volumes"] if mount["type"] == "volume" else folders) or (
                mount["type"] == "bind" and mount["source"].startswith("/")
            )
    assert json.loads(json.dumps(made)) == made


def test_a_process_is_confined_as_by_the_docker_target() -> None:
    """Limits, rights and probe of a container are those that the Docker target asks for."""
    made = service("server", SERVER)
    assert (made["mem_limit"], made["memswap_limit"], made["cpus"]) == ("256m", "256m", 1.5)
    assert made["cap_drop"] == ["ALL"] and made["read_only"] is True
    assert made["ulimits"] == {"nproc": {"soft": 99, "hard": 99}}
    assert made["healthcheck"]["test"][-1] == "http://127.0.0.1:8080/healthy"
    assert made["ports"] == [{"target": 8080, "published": "18080", "host_ip": "127.0.0.1", "protocol": "tcp"}]


def test_secrets_are_files_that_people_write() -> None:
    """The file says where each is read from and what belongs into it, never a value."""
    workload = replace(SERVER, secrets=(SecretFile(path="/run/secrets/users", secret="password", template="u:{}"),))
    made = build_compose_file(SCOPE, [workload])
    assert made["secrets"] == {"server-users": {"file": "./secrets/server-users"}}
    assert made["x-secrets"] == {"server-users": "u:<password>"}
    assert made["services"]["server"]["secrets"] == [{"source": "server-users", "target": "/run/secrets/users"}]
    assert "secrets" not in build_compose_file(SCOPE, [PLAIN])


def test_documents_are_directories_beside_the_file() -> None:
    """Each workload reads its own; no volume waits for a delivery that never comes."""
    mounts = {item["target"]: item for item in service("server", SERVER)["volumes"]}
    assert mounts["/etc/server"]["source"] == "./server" and mounts["/etc/server"]["read_only"] is True
    assert not [item for item in mounts.values() if item["source"] in ("dev-server-config", "dev-server-secrets")]


def test_data_belongs_to_its_process_before_it_starts() -> None:
    """A one-shot gives the volumes away, and the process waits for it."""
    made = build_compose_file(SCOPE, [SERVER])["services"]
    assert made["server-volumes"]["entrypoint"][-2:] == ["/data", "/cache"]
    assert made["server"]["depends_on"]["server-volumes"] == {"condition": "service_completed_successfully"}
    assert service("plain", PLAIN)["depends_on"].keys() == {"tools"}


def test_what_compose_would_take_for_a_variable_is_escaped() -> None:
    """A dollar sign of a process's own text reaches the process; the one variable is the socket's group."""
    dollar = replace(PLAIN, env={"A": "$__file{x}"}, exemptions=(Exemption(rule="docker-socket", reason="r"),))
    made = service("plain", dollar)
    assert made["environment"] == ["A=$$__file{x}"] and made["group_add"] == [GROUP]


def test_a_reader_of_another_one_restarts_with_it() -> None:
    """Compose has that as a kind of dependency."""
    made = service("agent", replace(AGENT, restart_with=("server",), after=("plain",)), SERVER, PLAIN)
    assert made["depends_on"]["server"]["restart"] is True and "restart" not in made["depends_on"]["plain"]


def test_a_file_of_a_secret_is_never_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stack is written again beside what people put into `secrets/`; documents that are gone go."""
    plan = plan_shop(tmp_path / "project")
    monkeypatch.setattr(render, "plan_file", lambda path, stack, target: plan)
    folder = tmp_path / "out"
    (folder / "secrets").mkdir(parents=True)
    for name in ("secrets/mine", "gone.yml"):
        (folder / name).write_text("x")
    assert render.write_compose("dev", folder) == 0
    assert (folder / "secrets" / "mine").exists() and not (folder / "gone.yml").exists()
    shown = read_yaml((folder / "compose.yaml").read_text())
    assert shown["services"]["prometheus"]["image"].startswith("prom/prometheus:v")
    assert (folder / "prometheus" / "prometheus.yml").exists()


def test_what_stands_beside_a_workload_has_its_user() -> None:
    """Also the directory that it writes to by itself; a path of the host is written to where that is said."""
    view = (SharedVolume(name="server-data", path="/seen"),)
    mount = replace(AGENT.host_mounts[0], writable=True)
    beside = replace(SERVER, name="helper", beside="server", volumes=(DataVolume(name="scratch", path="/scratch"),))
    beside = replace(beside, shared_volumes=view, host_mounts=(mount,), exemptions=AGENT.exemptions[-2:])
    made = build_compose_file(SCOPE, [SERVER, beside])["services"]
    assert made["helper"]["user"] == made["server"]["user"] == made["helper-volumes"]["entrypoint"][2]
    mounts = {item["target"]: item["read_only"] for item in made["helper"]["volumes"]}
    assert (mounts["/seen"], mounts[mount.path], mounts["/scratch"]) == (True, False, False)
