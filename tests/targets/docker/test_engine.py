"""What an engine says of itself, and what stands in the way of a stack on it."""

from __future__ import annotations

import json
import os
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from model.settings import DockerSettings
from targets.docker import engine as docker_engine
from targets.docker.engine import EngineFacts, check_engine, read_facts

CLASSIC: dict[str, Any] = {
    "ID": "A",
    "Name": os.uname().nodename,
    "ServerVersion": "20.10.24",
    "Driver": "overlay2",
    "DriverStatus": [["Backing Filesystem", "extfs"]],
    "DockerRootDir": "/var/lib/docker",
    "MemoryLimit": True,
    "SwapLimit": True,
    "CpuCfsQuota": True,
    "SecurityOptions": ["name=seccomp,profile=default"],
    "RegistryConfig": {
        "InsecureRegistryCIDRs": ["127.0.0.0/8"],
        "IndexConfigs": {"docker.io": {"Secure": True}, "r.example.com:5000": {"Secure": False}},
    },
}
"""What `docker info` says of Debian's engine."""
NEW = {
    "ServerVersion": "29.8.0",
    "Driver": "overlayfs",
    "DriverStatus": [["driver-type", "io.containerd.snapshotter.v1"]],
}
"""What is different on a new installation of Docker 29."""
NETWORKS = [
    {"Name": "bridge", "Driver": "bridge", "Scope": "local"},
    {"Name": "host", "Driver": "host", "Scope": "local"},
    {"Name": "shop_default", "Driver": "bridge", "Scope": "local"},
    {"Name": "fleet", "Driver": "overlay", "Scope": "swarm", "Attachable": False},
]


def asked(
    address: str = "unix:///var/run/docker.sock", api: str = "1.41", product: str = "Engine", **changes: Any
) -> EngineFacts:
    """The facts that an engine's answers give."""
    client = SimpleNamespace(
        info=lambda: {**CLASSIC, **changes},
        version=lambda: {"Components": [{"Name": product}, {"Name": "containerd"}]},
        api=SimpleNamespace(api_version=api, networks=lambda: NETWORKS),
    )
    return read_facts(client, address)  # type: ignore[arg-type]


def far(**changes: Any) -> EngineFacts:
    """The facts of an engine on another machine, whose files cannot be looked at."""
    return asked("tcp://10.0.0.5:2376", Name="elsewhere", **changes)


def test_podman_is_refused_with_the_reason() -> None:
    """Its API is Docker's, and documents would not arrive: that is said instead of what else is different."""
    facts = asked(product="Podman Engine", ServerVersion="4.3.1", DockerRootDir="/var/lib/containers/storage")
    (refusal,) = check_engine(DockerSettings(), facts)
    assert refusal.startswith("the engine is Podman 4.3.1: files that are sent to a container before it starts")


def test_an_ordinary_engine_needs_no_setting() -> None:
    """Debian's engine is what the settings' defaults describe, and nothing is said against it."""
    assert DockerSettings.model_validate(far().list_settings()) == DockerSettings(socket="/var/run/docker.sock")
    assert check_engine(DockerSettings(), far()) == [] and far().list_remarks() == []


def test_the_containerd_store_is_known_by_its_driver_type() -> None:
    """It is what the engine says of its driver that counts, not its version; people are told what they lose."""
    assert far(**NEW).list_settings()["imageStore"] == "containerd"
    assert "no figures of containers' file systems" in far(**NEW).list_remarks()[0]
    assert far(ServerVersion="29.8.0").list_settings()["imageStore"] == "classic"


def test_missing_swap_limits_are_said() -> None:
    """They change what is asked of the engine, and people are told what that means."""
    facts = far(SwapLimit=False)
    assert facts.list_settings()["swapLimit"] is False and "may swap" in facts.list_remarks()[0]


@pytest.mark.parametrize(
    ("changes", "key", "value"),
    [({"DockerRootDir": "/data/docker"}, "dataRoot", "/data/docker"), (NEW, "imageStore", "containerd"),
     ({"SwapLimit": False}, "swapLimit", False), ({"SecurityOptions": ["name=userns"]}, "userNamespaces", True),
     ({"SecurityOptions": ["name=seccomp,profile=builtin", "name=selinux"]}, "selinux", True)],
)  # fmt: skip
def test_settings_that_describe_another_engine_are_refused(changes: dict[str, Any], key: str, value: object) -> None:
    """The sentence names the key, and with the engine's own value nothing is left to be said."""
    facts = far(**changes)
    (said,) = check_engine(DockerSettings(), facts)
    assert said.startswith(f"docker.{key}: ") and json.dumps(value).strip('"') in said
    assert facts.list_settings()[key] == value
    assert check_engine(DockerSettings.model_validate(facts.list_settings()), facts) == []


@pytest.mark.parametrize(("api", "refused"), [("1.40", True), ("1.41", False), ("1.56", False)])
def test_engines_that_are_too_old_are_refused(api: str, refused: bool) -> None:
    """Versions are compared as numbers, and the one that is needed is named."""
    assert [("20.10" in text) for text in check_engine(DockerSettings(), asked("tcp://x", api, Name="x"))] == [
        True
    ] * refused


@pytest.mark.parametrize(("key", "what"), [("MemoryLimit", "memory"), ("CpuCfsQuota", "CPU")])
def test_limits_that_an_engine_cannot_keep_are_refused(key: str, what: str) -> None:
    """Each container asks for them; a rootless engine is told which controllers it lacks."""
    (said,) = check_engine(DockerSettings(), far(**{key: False}))
    assert f"cannot limit {what}" in said and "docker info" in said
    rootless = {key: False, "SecurityOptions": ["name=rootless"]}
    (said,) = check_engine(DockerSettings(), far(**rootless, CgroupVersion="2"))
    assert "delegate the controllers" in said and "cgroup v2" not in said
    (said,) = check_engine(DockerSettings(), far(**rootless, CgroupVersion="1"))
    assert "start its host with cgroup v2, and delegate the controllers" in said


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("shop_defualt", "the engine has no network 'shop_defualt'; did you mean 'shop_default'?"),
        ("host", "'host' is no network that a container can join beside another one"),
        ("fleet", "'fleet' belongs to a swarm and is not attachable"),
    ],
)
def test_networks_that_cannot_be_joined_are_refused(name: str, says: str) -> None:
    """A network that does not exist, or that takes no container, is named with what would be right."""
    (said,) = check_engine(DockerSettings.model_validate({"externalNetworks": ("shop_default", name)}), far())
    assert said.startswith("docker.externalNetworks: ") and says in said


# -- the socket ------------------------------------------------------------------------------------------------------


class Engine(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """An engine that answers with its number alone."""

    daemon_threads = True


def engine_handler(number: str) -> type[BaseHTTPRequestHandler]:
    """Answers every request with the number."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps({"ID": number, "ApiVersion": "1.41"}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def address_string(self) -> str:
            return "unix"

        def log_message(self, *_: object) -> None:
            pass

    return Handler


@contextmanager
def listening(path: Path, number: str) -> Iterator[None]:
    """An engine at a socket."""
    with Engine(str(path), engine_handler(number)) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield
        server.shutdown()


def test_the_socket_of_this_machine_is_found(tmp_path: Path) -> None:
    """The address counts where the engine is on this machine; elsewhere it is a way to it, not its own path."""
    path = f"{tmp_path}/s"
    assert asked(f"unix://{path}").list_settings()["socket"] == path
    assert asked(f"unix://{path}", Name="docker-desktop").list_settings()["socket"] == "/var/run/docker.sock"
    assert asked("tcp://127.0.0.1:2375").list_settings()["socket"] == "/var/run/docker.sock"


def test_the_engines_own_socket_is_right(tmp_path: Path) -> None:
    """Its path, and a link to it, lead to the engine."""
    with listening(tmp_path / "s", "A"):
        (tmp_path / "link").symlink_to("s")
        facts = asked(f"unix://{tmp_path}/s")
        for name in ("s", "link"):
            assert check_engine(DockerSettings(socket=f"{tmp_path}/{name}"), facts) == []


def test_wrong_sockets_are_refused(tmp_path: Path) -> None:
    """A path that is not there, no socket, a dead one and another engine's: each with the path that would be right."""
    (tmp_path / "folder").mkdir()
    with listening(tmp_path / "own", "A"), listening(tmp_path / "other", "B"), listening(tmp_path / "gone", "C"):
        pass
    with listening(tmp_path / "s", "A"), listening(tmp_path / "t", "B"):
        facts = asked(f"unix://{tmp_path}/s")
        wrong = {"no": "there is no", "folder": "is no socket", "gone": "no engine answers at", "t": "another engine"}
        for name, says in wrong.items():
            (said,) = check_engine(DockerSettings(socket=f"{tmp_path}/{name}"), facts)
            assert said.startswith("docker.socket: ") and says in said and f"'{tmp_path}/s'" in said
        assert check_engine(DockerSettings(socket="/nowhere"), replace(facts, local=False)) == []


# -- the registry ----------------------------------------------------------------------------------------------------


@pytest.fixture
def registry() -> Iterator[str]:
    """A registry that speaks plain HTTP on loopback."""
    with ThreadingHTTPServer(("127.0.0.1", 0), engine_handler("-")) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_plain_registry_must_be_known_to_the_engine(registry: str, tmp_path: Path) -> None:
    """Loopback is an exception only where the engine says so: since 29.10 not where others are listed."""
    facts = replace(far(), local=True, socket="/dev/null")
    trusted = ("127.0.0.0/8",), (registry,), ("::1/128", "127.0.0.1/32")

    def said(*insecure: str, mirror: str = registry) -> list[str]:
        settings = DockerSettings.model_validate({"registryMirror": mirror})
        return [t for t in check_engine(settings, replace(facts, insecure=insecure)) if "registryMirror" in t]

    assert [said(*each) for each in trusted] == [[], [], []]
    (refused,) = said("10.0.0.0/8", "r.example.com:5000")
    assert f"add '{registry}'" in refused and "insecure-registries" in refused
    assert said(mirror="127.0.0.1:1") == []  # nobody answers, so nothing is known


def test_names_of_plain_registries_are_read() -> None:
    """What the engine asks by plain HTTP is there by name and by range, and nothing else."""
    assert set(far().insecure) == {"127.0.0.0/8", "r.example.com:5000"}
    assert docker_engine._is_trusted("localhost:5000", ("127.0.0.0/8",))
    assert not docker_engine._is_trusted("localhost:5000", ("10.0.0.0/8",))
