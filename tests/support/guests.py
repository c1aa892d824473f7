"""Services of other people, written with the libraries that people use: what they are, and how they are run and asked.

Their sources lie in tests/e2e/guests, their libraries in an image of the toolchain, and there are the kits as well.
"""

from __future__ import annotations

import base64
import json
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import docker
import trustme

from cli.describe import describe_source
from tests.support.foreign import Project
from tests.support.running import ROOT
from tests.support.yaml_files import read_yaml
from toolchain.assemble import ensure_image
from toolchain.cluster.images import build_node_loader
from toolchain.cluster.service import build_cluster_layout
from toolchain.context import build_default_context
from toolchain.guests import GUESTS as IMAGE
from toolchain.guests import KITS

Kubectl = Callable[..., "subprocess.CompletedProcess[str]"]
SOURCES = ROOT / "tests/e2e/guests"
HOME = "/app"
"""Where their sources lie as they run."""
REFERENCE = f"{IMAGE.repository}:{IMAGE.tag}"
PASSWORD, TOKEN = "theirs-b64e", "token-77f1"
LOGIN = f"Basic {base64.b64encode(f'prometheus:{PASSWORD}'.encode()).decode()}"
LABEL = "app.kubernetes.io/name"
NAME = "vault.internal"
"""What the certificate of the service behind TLS is for."""


@dataclass(frozen=True)
class Guest:
    """A service: its name where it runs, its program, the ports of its work and of its metrics, and what its YAML says
    that nobody can read off its metrics. It has so many `instances`. One without a mode of its own fails, and is slow,
    when another guest does: `at_fault`."""

    host: str
    program: tuple[str, ...]
    port: int
    metrics: int = 0
    env: Mapping[str, str] = field(default_factory=dict)
    says: Mapping[str, Any] = field(default_factory=dict)
    login: str = ""
    scheme: str = "http"
    instances: int = 1
    at_fault: Guest | None = None

    @property
    def key(self) -> str:
        """What the system's YAML calls it."""
        return self.host.replace("_", "-")

    @property
    def url(self) -> str:
        """Where its metrics are."""
        return f"{self.scheme}://{self.host}:{self.metrics or self.port}/metrics"

    @property
    def serves(self) -> bool:
        """Whether it answers requests; the others work by themselves."""
        return "worker.py" not in self.program[-1]

    def list_files(self) -> dict[str, str]:
        """Its source by the path that its program has; that of a kit is in the image."""
        path = Path(self.program[-1])
        return {str(path): (SOURCES / path.name).read_text()} if path.is_relative_to(HOME) else {}

    def list_environment(self) -> dict[str, str]:
        """Its environment."""
        more = {"METRICS_PORT": str(self.metrics)} if self.metrics else {}
        return {"PORT": str(self.port), **more, **self.env}


def _work(name: str) -> tuple[str, str]:
    return ("node" if name.endswith(".js") else "python3", f"{HOME}/{name}")


STOCK = Guest("stock", _work("web.py"), 8004)
"""What the kits ask, one through the other; nobody watches it."""


def _build_kit(language: str, port: int, *program: str, asks: str, **env: str) -> Guest:
    health = {"health": ["/livez", "/readyz", "/health"]}
    return Guest(
        f"kit-{language}", program, port, env={"STOCK_URL": f"http://{asks}", **env}, says=health, at_fault=STOCK
    )


GUESTS = (
    Guest("web_api", _work("web.py"), 8000),
    Guest("shop_app", _work("shop.js"), 3000),
    Guest("traced", _work("traced.js"), 3001, 9464, says={"probe": {"port": 3001}}),
    Guest("ledger", ("guest",), 8080),
    Guest("mail_worker", _work("worker.py"), 8001, instances=2),
    Guest(
        "vault", _work("worker.py"), 8443, scheme="https", login=LOGIN,
        env={"LOGIN": LOGIN, "CERTIFICATE": "/app/server.pem"},
        says={
            "scrape": {
                "scheme": "https", "tls": {"serverName": NAME},
                "basicAuth": {"username": "prometheus", "passwordSecret": "vault-password"},
            },
            "probe": {"scheme": "https", "tls": {"serverName": NAME}},
        },
    ),
    Guest(
        "page", _work("worker.py"), 8002, login=f"Bearer {TOKEN}",
        env={"LOGIN": f"Bearer {TOKEN}", "CONTENT_TYPE": "text/html"},
        says={"scrape": {"bearerTokenSecret": "page-token"}},
    ),
    _build_kit("node", 3002, "node", f"{KITS}/node/service.js", asks="kit-python:8003"),
    _build_kit(
        "python", 8003, "python3", f"{KITS}/python/service.py", asks="kit-go:8081", PYTHONPATH=f"{KITS}/python-packages"
    ),
    _build_kit("go", 8081, "kit-go", asks=f"{STOCK.host}:{STOCK.port}"),
)  # fmt: skip
"""FastAPI, Express, OpenTelemetry, client_golang, prometheus_client; the last two want a login, and one of them TLS.
Then the kits."""
SERVING = tuple(guest for guest in GUESTS if guest.serves)
LOADED = tuple(guest for guest in SERVING if guest.key not in ("kit-python", "kit-go"))
"""Whom the load asks; one of them asks the others."""


def issue_certificate() -> tuple[str, str]:
    """A certificate of an authority of its own, as PEM: the authority's, and the server's with its key."""
    authority = trustme.CA()
    issued = authority.issue_cert(NAME)
    pair = issued.private_key_pem.bytes() + b"".join(each.bytes() for each in issued.cert_chain_pems)
    return authority.cert_pem.bytes().decode(), pair.decode()


def load_image(client: docker.DockerClient) -> None:
    """Has an engine know the image of all guests."""
    image = ensure_image(build_default_context(), IMAGE)
    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder) / "image.tar"
        image.write_archive(f"docker.io/{REFERENCE}", archive)
        with archive.open("rb") as data:
            client.images.load(data)


def load_node_image() -> None:
    """Has the node of the cluster know the image of all guests."""
    context = build_default_context()
    build_node_loader(build_cluster_layout(context)).load(IMAGE, ensure_image(context, IMAGE))


class Bazaar:
    """All guests in a project of their own on an engine, as compose would have started them, under load."""

    def __init__(self, client: docker.DockerClient, name: str = "bazaar") -> None:
        self.project = Project(client, name, lambda _: REFERENCE)
        self.authority, self._certificate = issue_certificate()

    def edit_settings(self, config: dict[str, Any]) -> None:
        """What a stack's settings say of them: the network that they are in."""
        config["docker"] = {**config.get("docker", {}), "externalNetworks": [self.project.network]}

    def locate(self, guest: Guest) -> dict[str, Any]:
        """Where the YAML of a service says that it is: of several instances each by its container's name."""
        port = guest.metrics or guest.port
        if guest.instances == 1:
            return {"address": f"{guest.host}:{port}"}
        return {"addresses": [f"{name}:{port}" for name in self._list_names(guest)], "logs": {"compose": guest.host}}

    def _list_names(self, guest: Guest) -> list[str]:
        return [f"{self.project.name}-{guest.host}-{number + 1}" for number in range(guest.instances)]

    def start(self) -> None:
        """Starts them."""
        load_image(self.project.client)
        self.project.create()
        for guest in (STOCK, *GUESTS):
            self.start_guest(guest)
        sources = {f"/app/{name}": (SOURCES / name).read_text() for name in ("load.py", "ask.py")}
        urls = [f"http://{guest.host}:{guest.port}" for guest in LOADED]
        self.project.run("load", "guests", command=("python3", "/app/load.py", *urls), files=sources)

    def start_guest(self, guest: Guest) -> None:
        """Starts one of them."""
        files = guest.list_files() | ({"/app/server.pem": self._certificate} if "CERTIFICATE" in guest.env else {})
        for number in range(guest.instances):
            self.project.run(
                guest.host, "guests", command=guest.program, env=guest.list_environment(), files=files,
                number=number + 1,
            )  # fmt: skip

    def stop_guest(self, guest: Guest) -> None:
        """Removes one of them; of several instances the last one."""
        self.project.client.containers.get(self._list_names(guest)[-1]).remove(force=True, v=True)

    def ask(self, url: str, body: str = "", login: str = "") -> str:
        """What a URL answers within their network.

        Raises:
            RuntimeError: nothing, or that something is wrong.
        """
        asker = self.project.client.containers.get(f"{self.project.name}-load-1")
        code, said = asker.exec_run(["python3", "/app/ask.py", url, body, login])
        assert isinstance(said, bytes)
        if code:
            raise RuntimeError(f"{url}: {said.decode().strip().splitlines()[-1]}")
        return said.decode()

    def change_mode(self, guest: Guest, fail: float, delay: float) -> None:
        """From now on this share of its requests or jobs fails, and each takes so many seconds longer."""
        guest = guest.at_fault or guest
        for name in [guest.host] if guest.instances == 1 else self._list_names(guest):
            self.ask(f"{guest.scheme}://{name}:{guest.port}/-/mode", json.dumps({"fail": fail, "delay": delay}))

    def remove(self) -> None:
        """Removes all of it."""
        self.project.remove()


class ClusterBazaar:
    """The same in a namespace of a cluster that is not the stack's, whose policy lets one other namespace in.

    Each has a Service; `ledger` has two pods, which declare no port, and `mail-worker` two.
    """

    def __init__(self, kubectl: Kubectl, watched_by: str, name: str = "bazaar") -> None:
        self.kubectl, self.watched_by, self.namespace = kubectl, watched_by, name
        self.authority, self._certificate = issue_certificate()

    def edit_settings(self, config: dict[str, Any]) -> None:
        """What a stack's settings say of them: nothing."""

    def locate(self, guest: Guest) -> dict[str, Any]:
        """Where the YAML of a service says that it is."""
        count = self._count_pods(guest)
        replicas = {"expected": count} if count > 1 else {}
        return {"kubernetes": {"namespace": self.namespace, "selector": {LABEL: guest.key}, **replicas}}

    def start(self) -> None:
        """Starts them, and waits until all are there."""
        load_node_image()
        self.remove()
        self._apply({"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": self.namespace}})
        self._apply(self._build_policy())
        for guest in (STOCK, *GUESTS):
            self._apply(self._build_service(guest))
            self.start_guest(guest)
        urls = [f"http://{guest.key}:{guest.port}" for guest in LOADED]
        files = {"/app/load.py": (SOURCES / "load.py").read_text()}
        self._deploy("load", ("python3", "/app/load.py", *urls), files)
        for name in ("load", *(guest.key for guest in (STOCK, *GUESTS))):
            self.kubectl("rollout", "status", f"deployment/{name}", f"--namespace={self.namespace}", "--timeout=110s")

    def start_guest(self, guest: Guest) -> None:
        """Starts one of them."""
        files = guest.list_files() | ({"/app/server.pem": self._certificate} if "CERTIFICATE" in guest.env else {})
        self._deploy(guest.key, guest.program, files, guest)

    @staticmethod
    def _count_pods(guest: Guest) -> int:
        return 2 if guest.host == "ledger" else guest.instances

    def stop_guest(self, guest: Guest) -> None:
        """Removes one of them; of several pods the last one."""
        left = f"--replicas={self._count_pods(guest) - 1}"
        self.kubectl("scale", f"deployment/{guest.key}", left, f"--namespace={self.namespace}")

    def ask(self, url: str, body: str = "", login: str = "") -> str:
        """What a URL answers within their namespace.

        Raises:
            RuntimeError: nothing, or that something is wrong.
        """
        where = ("exec", f"--namespace={self.namespace}", "deployment/load", "--")
        done = self.kubectl(*where, "python3", "/app/ask.py", url.replace("_", "-"), body, login, check=False)
        if done.returncode:
            raise RuntimeError(f"{url}: {(done.stderr.strip() or 'no answer').splitlines()[-1]}")
        return done.stdout

    def change_mode(self, guest: Guest, fail: float, delay: float) -> None:
        """From now on this share of what each of its pods does fails, and takes so many seconds longer."""
        guest = guest.at_fault or guest
        mine = (f"--namespace={self.namespace}", f"--selector={LABEL}={guest.key}", "--output=name")
        url = f"{guest.scheme}://127.0.0.1:{guest.port}/-/mode"
        for pod in self.kubectl("get", "pods", *mine).stdout.split():
            said = json.dumps({"fail": fail, "delay": delay})
            self.kubectl("exec", f"--namespace={self.namespace}", pod, "--", "python3", "/app/ask.py", url, said)

    def remove(self) -> None:
        """Removes all of it."""
        self.kubectl("delete", "namespace", self.namespace, "--ignore-not-found", "--wait=true", "--timeout=110s")

    def _apply(self, document: Mapping[str, Any]) -> None:
        self.kubectl("apply", "--filename=-", document=document)

    def _name(self, name: str) -> dict[str, Any]:
        return {"name": name, "namespace": self.namespace, "labels": {LABEL: name}}

    def _build_policy(self) -> dict[str, Any]:
        near = [
            {"podSelector": {}},
            {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": self.watched_by}}},
        ]
        return {
            "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": self._name("watched"),
            "spec": {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{"from": near}]},
        }  # fmt: skip

    def _build_service(self, guest: Guest) -> dict[str, Any]:
        ports = [{"name": f"p{port}", "port": port} for port in (guest.port, guest.metrics) if port]
        return {
            "apiVersion": "v1", "kind": "Service", "metadata": self._name(guest.key),
            "spec": {"selector": {LABEL: guest.key}, "ports": ports},
        }  # fmt: skip

    def _deploy(self, name: str, command: Sequence[str], files: Mapping[str, str], guest: Guest | None = None) -> None:
        data = {path.rpartition("/")[2]: text for path, text in files.items()}
        data["ask.py"] = (SOURCES / "ask.py").read_text()
        self._apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": self._name(name), "data": data})
        silent = guest is None or guest.host == "ledger"
        ports = [] if guest is None or silent else [port for port in (guest.port, guest.metrics) if port]
        container = {
            "name": "main", "image": IMAGE.reference, "imagePullPolicy": "Never", "command": list(command),
            "env": [{"name": k, "value": v} for k, v in (guest.list_environment() if guest else {}).items()],
            "ports": [{"containerPort": port} for port in ports],
            "volumeMounts": [{"name": "app", "mountPath": "/app"}],
        }  # fmt: skip
        pod = {"containers": [container], "volumes": [{"name": "app", "configMap": {"name": name}}]}
        spec = {
            "replicas": self._count_pods(guest) if guest else 1,
            "selector": {"matchLabels": {LABEL: name}},
            "template": {"metadata": {"labels": {LABEL: name}}, "spec": pod},
        }
        self._apply({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": self._name(name), "spec": spec})


def describe_guest(text: str, guest: Guest, folder: Path, place: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of its service: what `observability describe` makes of its metrics, and what a person adds to that.

    `place` says where it runs.
    """
    source = folder / f"{guest.key}.metrics"
    source.write_text(text)
    (made,) = read_yaml(describe_source(str(source), guest.key))["services"].values()
    where = {"port": guest.metrics or guest.port, **place}
    return {**made, **where, "health": ["/healthz"], **guest.says}
