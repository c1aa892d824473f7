"""The files of a new stack: the service is where its URL says, and nothing that is there is written over."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cli import init
from cli.init import Place, add_free_ports, build_files, find_health, find_place, is_port_free, write_files
from cli.render import plan_file
from cli.workspace import ROOT
from model.errors import ConfigError
from model.load import parse_model
from model.system import System
from tests.support.calling import call
from tests.support.metrics_server import build_handler
from tests.support.serving import serving
from tests.support.systems import SYSTEM, changed
from tests.support.yaml_files import read_yaml

BODY = '# TYPE http_requests_total counter\nhttp_requests_total{status="200"} 7\n'


def container(networks: tuple[str, ...], host_ip: str = "0.0.0.0", **labels: str) -> Any:  # noqa: S104 - as Docker says it
    """A container as the engine describes it, whose port 8000 is published as 18000."""
    ports = {"8000/tcp": [{"HostIp": host_ip, "HostPort": "18000"}], "9000/tcp": None}
    attrs = {"NetworkSettings": {"Ports": ports, "Networks": {name: {} for name in networks}}}
    return SimpleNamespace(name="shop_web_1", labels=labels, attrs=attrs)


LABELS = {init.COMPOSE_SERVICE: "web_api"}


def test_a_container_is_reached_by_its_name_in_its_network() -> None:
    """By what Compose calls the service, else by the container's own name, at the port inside."""
    by_compose = find_place("http://localhost:18000/metrics", [container(("shop_default",), **LABELS)])
    assert by_compose == Place("web_api", {"port": 8000, "address": "web_api:8000"}, "shop_default")
    by_name = find_place("http://127.0.0.1:18000/metrics", [container(("bridge", "own"))])
    assert by_name == Place("shop_web_1", {"port": 8000, "address": "shop_web_1:8000"}, "own")


def test_others_are_on_the_host_or_elsewhere() -> None:
    """A process that is no container, a container without a network of its own, an address that is not this machine."""
    on_host = {"onHost": True, "port": 9464}
    assert find_place("http://localhost:9464/metrics", [container(("own",))]) == Place("api", on_host)
    found = find_place("http://localhost:18000/metrics", [container(("bridge",))])
    assert found == Place("shop_web_1", {"onHost": True, "port": 18000})
    assert find_place("https://metrics.example.com/metrics", []) == Place("metrics-example-com")


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("user_api", "user_api"),
        ("_Web--API_", "web-api"),
        ("a.b", "a-b"),
        ("10.0.0.7", "api-10-0-0-7"),
        ("x" * 60, "x" * 40),
    ],
)
def test_a_key_is_the_name_as_far_as_it_can_be(name: str, key: str) -> None:
    """Underscores stay, as Compose has them; what no key can have goes."""
    assert find_place(f"https://{name}/metrics", []).name == key
    parse_model(System, changed(SYSTEM, {f"services/{key}": {"port": 1}}), "shop")


def test_a_container_that_nobody_reaches_is_refused() -> None:
    """Published to loopback, in Docker's default network: the words say what to do."""
    with pytest.raises(ConfigError, match="docker network connect"):
        find_place("http://localhost:18000/metrics", [container(("bridge",), "127.0.0.1")])


@pytest.fixture
def served() -> Iterator[str]:
    """The address of a service: it serves metrics at every path that has no query."""
    with serving(build_handler({"body": BODY})) as address:
        yield f"http://{address}"


def test_health_is_looked_for(served: str) -> None:
    """Where services usually have it; nothing where nobody answers."""
    assert find_health(f"{served}/metrics") == "/healthz"
    assert find_health("http://127.0.0.1:1/metrics") is None


def test_what_is_written_is_a_stack(served: str, tmp_path: Path) -> None:
    """Its plan is made without a problem, joins the network, and has the service at its address."""
    place = Place("web_api", {"port": 8000, "address": "web_api:8000"}, "shop_default")
    texts = build_files("shop", f"{served}/metrics", place, "/healthz")
    (tmp_path / "configs/systems").mkdir(parents=True)
    shutil.copy(ROOT / "configs/images.yaml", tmp_path / "configs")
    write_files(tmp_path, texts)
    assert read_yaml(texts["configs/systems/shop.yaml"])["services"]["web_api"]["health"] == ["/healthz"]
    plan = plan_file(tmp_path / "Pulumi.shop.yaml", "shop", root=tmp_path)
    assert plan.settings.docker.external_networks == ("shop_default",) and not plan.settings.demo
    (service,) = plan.system.services.values()
    assert service.address == "web_api:8000" and service.packs == ("http",)


def test_a_process_of_the_host_is_one(served: str) -> None:
    """Its YAML has no address beside that."""
    texts = build_files("shop", f"{served}/metrics", find_place(f"{served}/metrics", []), None)
    (service,) = read_yaml(texts["configs/systems/shop.yaml"])["services"].values()
    assert service["onHost"] is True and service["port"] == int(served.rpartition(":")[2]) and "address" not in service


def test_nothing_is_written_over(served: str, tmp_path: Path) -> None:
    """Where one file is there, both are left as they are, and each that is there is named."""
    texts = build_files("shop", f"{served}/metrics", Place("api", {"onHost": True}), None)
    (tmp_path / "Pulumi.shop.yaml").write_text("mine")
    with pytest.raises(ConfigError, match=r"Pulumi\.shop\.yaml: is there already"):
        write_files(tmp_path, texts)
    assert [path.name for path in tmp_path.iterdir()] == ["Pulumi.shop.yaml"]
    assert (tmp_path / "Pulumi.shop.yaml").read_text() == "mine"


def test_the_command_says_what_comes_next(
    served: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The files that it wrote and the next command; what is no URL is refused before anything is read."""
    monkeypatch.setattr(init, "ROOT", tmp_path)
    monkeypatch.setattr(init, "list_containers", list)
    (tmp_path / "configs/systems").mkdir(parents=True)
    assert call(monkeypatch, "init", f"{served}/metrics", "--stack", "shop", "--name", "till") == 0
    said = capsys.readouterr().out
    assert "wrote configs/systems/shop.yaml" in said and "make up STACK=shop" in said and "service till" in said
    assert call(monkeypatch, "init", "localhost:9464", "--stack", "other") == 2
    assert "http://host:port/metrics" in capsys.readouterr().out


def test_a_second_stack_gets_ports_of_its_own(served: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What another program has is not wanted; pages lead to the entry point's port, and the stack can be planned."""
    shutil.copytree(ROOT / "configs", tmp_path / "configs", ignore=shutil.ignore_patterns("systems"))
    (tmp_path / "configs/systems").mkdir()
    write_files(tmp_path, build_files("shop", f"{served}/metrics", Place("api", {"onHost": True}), None))
    monkeypatch.setattr(init, "is_port_free", lambda number: number not in (8080, 8081, 9090))
    chosen = add_free_ports(tmp_path, "shop")
    assert chosen == {
        "traefik": {"port": 8082}, "baseUrl": "http://127.0.0.1:8082", "prometheus": {"port": 9091},
    }  # fmt: skip
    plan = plan_file(tmp_path / "Pulumi.shop.yaml", "shop", root=tmp_path)
    assert plan.settings.base_url == "http://127.0.0.1:8082"
    assert add_free_ports(tmp_path, "shop") == {}


def test_a_port_that_somebody_listens_on_is_taken() -> None:
    """Only there."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert not is_port_free(port)
    assert is_port_free(port)
