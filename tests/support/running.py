"""A stack that really runs: a copy of the checkout, deployed by the same commands that people use."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import docker
from docker.models.containers import Container

from cli.engine import execute_command
from tests.support.yaml_files import read_yaml, write_yaml

ROOT = Path(__file__).resolve().parents[2]
SKIPPED = shutil.ignore_patterns(".git", ".venv", "build", "__pycache__", ".*_cache", "node_modules")
PORTS = {"prometheus": 9090, "loki": 3100, "grafana": 3000, "alertmanager": 9093}
"""What these listen on in their containers."""
PROMETHEUS = "http://127.0.0.1:9090/prometheus/api/v1"


@dataclass(frozen=True)
class Run:
    """One command that ended: its exit status, what it printed (both streams) and how long it took in seconds."""

    code: int
    text: str
    seconds: float


@dataclass(frozen=True)
class SecretCopy:
    """A secret file as its reader sees it: path, permission bits, owner, and what is in it."""

    path: str
    mode: int
    owner: int
    text: str


@dataclass
class Engine:
    """A Docker engine for tests: a client, what a stack's settings say of it, how processes reach it.

    `restart` starts it anew with the given daemon.json; None where the engine is not the tests' own. `network` and
    `files` go before a command that is to run in the network, or with the files, of the engine's host.
    """

    client: docker.DockerClient | None
    settings: Mapping[str, Any] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    restart: Callable[[Mapping[str, Any]], None] | None = None
    network: Callable[[], tuple[str, ...]] = tuple
    files: Callable[[], tuple[str, ...]] = tuple

    def find_host_gateway(self) -> str:
        """The address at which containers reach a process of the engine's host."""
        assert self.client is not None
        subnet = self.client.networks.get("bridge").attrs["IPAM"]["Config"][0]["Subnet"]
        return str(next(ip_network(subnet).hosts()))


class RunningStack:
    """A copy of the checkout with a stack file of its own, and the stack that is deployed from it."""

    def __init__(
        self, folder: Path, name: str, engine: Engine, ports: int, system: str = "plue", *, source: Path = ROOT
    ) -> None:
        self.name, self.engine, self.system = name, engine, system
        self.root = folder / "checkout"
        self.state = folder / "state"
        shutil.copytree(source, self.root, ignore=SKIPPED)
        (self.root / ".venv").symlink_to(Path(sys.executable).parents[1])
        self.env = {**os.environ, **engine.env, "OBSERVABILITY_STATE": str(self.state)}
        self.env.pop("PULUMI_BACKEND_URL", None)
        self.first_up: Run | None = None
        self.remembered = ""
        given = self._settings(ports)
        near = engine.client is not None and not engine.settings
        self._published = {(name, PORTS[name]): given[name]["port"] for name in PORTS if near and "port" in given[name]}
        self.edit_settings(lambda config: config.update(given))
        self.edit_system(lambda system: system.pop("ports", None))
        self.clear()

    def discard(self) -> None:
        """Removes the stack with its data by the engine alone, in a few seconds: `make down` is test_down's subject."""
        self.clear()

    @property
    def client(self) -> docker.DockerClient:
        """The engine's client."""
        assert self.engine.client is not None, "this stack is not on a Docker engine"
        return self.engine.client

    def clear(self) -> None:
        """Removes all of this stack without Pulumi: what is lost with a machine, or left of a run ended by force."""
        for container in self.containers():
            container.remove(force=True, v=True)
        mine = {"label": f"io.observability.stack={self.name}"}
        for volume in self.client.volumes.list(filters=mine):
            volume.remove()
        for network in self.client.networks.list(filters=mine):
            network.remove()

    def _settings(self, ports: int) -> dict[str, Any]:
        """Own host ports from `ports` on, so that a stack that is up on this machine is left alone."""
        return {
            "system": self.system,
            "environment": "test",
            "demo": True,
            "scrapeInterval": "5s",
            "baseUrl": f"http://127.0.0.1:{ports}",
            "traefik": {"port": ports},
            "prometheus": {"port": ports + 1, "evaluationInterval": "5s"},
            "loki": {"port": ports + 2},
            "grafana": {"port": ports + 3},
            "alertmanager": {"port": ports + 4},
            "demoWorkload": {"publish": False},
            **({"docker": dict(self.engine.settings)} if self.engine.settings else {}),
        }

    # -- the checkout ------------------------------------------------------------------------------------------------

    @property
    def commands(self) -> str:
        """The package of the commands: versions before 0.2 call it `ops`."""
        return "cli" if (self.root / "cli").is_dir() else "ops"

    @property
    def stack_file(self) -> Path:
        """The stack's settings."""
        return self.root / f"Pulumi.{self.name}.yaml"

    def edit_settings(self, change: Callable[[dict[str, Any]], object]) -> None:
        """Edits the stack's configuration, keys without the namespace."""
        text = read_yaml(self.stack_file.read_text()) if self.stack_file.exists() else {"config": {}}
        config = {key.partition(":")[2]: value for key, value in text["config"].items()}
        change(config)
        text["config"] = {f"observability:{key}": value for key, value in config.items()}
        self.stack_file.write_text(write_yaml(text))

    def edit_system(self, change: Callable[[dict[str, Any]], object]) -> None:
        """Edits the system's file in the copy."""
        self.edit_system_of(self.system, change)

    def edit_system_of(self, name: str, change: Callable[[dict[str, Any]], object]) -> None:
        """Edits the file of a system in the copy."""
        path = self.root / f"configs/systems/{name}.yaml"
        document = read_yaml(path.read_text())
        change(document)
        path.write_text(write_yaml(document))

    # -- commands ----------------------------------------------------------------------------------------------------

    def run(self, *args: str, timeout: float = 600, stdin: str | None = None) -> Run:
        """`observability ARGS --stack NAME`, as the Makefile calls it; `stdin` is what it reads on standard input."""
        began = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-m", self.commands, *args, "--stack", self.name],
            cwd=self.root, env=self.env, input=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            timeout=timeout, check=False,
        )  # fmt: skip
        return Run(done.returncode, done.stdout, time.monotonic() - began)

    def secret(self, name: str, value: str) -> None:
        """`make secret NAME=...` with the value on standard input."""
        subprocess.run(
            [sys.executable, "-m", self.commands, "secret", "--stack", self.name, "--name", name],
            cwd=self.root, env=self.env, input=value, text=True, check=True, timeout=60,
        )  # fmt: skip

    def pulumi(self, *args: str) -> str:
        """What a plain Pulumi command on the stack prints, without what `make` asks before it; it must succeed."""
        script = (
            "import sys; from cli.engine import build_tool_env; from cli.workspace import open_workspace;"
            "open_workspace(sys.argv[1], build_tool_env()).run_pulumi(*sys.argv[2:], '--stack', sys.argv[1])"
        )
        command = [sys.executable, "-c", script, self.name, *args]
        done = subprocess.run(
            command, cwd=self.root, env=self.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            timeout=600, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout[-6000:]
        return done.stdout

    def up(self) -> Run:
        """`make up`; it must succeed."""
        run = self.run("up")
        assert run.code == 0, run.text[-6000:]
        return run

    def password(self, name: str) -> str:
        """A generated secret, as `make password` prints it."""
        return self.run("password").text.split(f"{name}: ", 1)[1].split()[0]

    def start(self, *args: str) -> subprocess.Popen[bytes]:
        """A command left running in a session of its own, to be killed by the test."""
        return subprocess.Popen(
            [sys.executable, "-m", self.commands, *args, "--stack", self.name],
            cwd=self.root, env=self.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip

    @contextmanager
    def opened(self) -> Iterator[dict[str, str]]:
        """Addresses by name as `make open` prints them, while it runs; Ctrl-C ends it, and it ends well."""
        command = [sys.executable, "-u", "-m", self.commands, "open", "--stack", self.name]
        with subprocess.Popen(command, cwd=self.root, env=self.env, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            said = [process.stdout.readline()]  # the title; empty where it ended at once
            while said[-1] and "traefik" not in said[-1]:  # the last of the pages
                said.append(process.stdout.readline())
            try:
                yield dict(line.split()[:2] for line in said if "://" in line)
            finally:
                process.send_signal(signal.SIGINT)
                try:
                    assert process.wait(30) == 0, said
                finally:
                    process.kill()

    @staticmethod
    def kill_run(process: subprocess.Popen[bytes]) -> None:
        """SIGKILL for such a command and everything that it started; Pulumi's plugins have groups of their own."""
        for folder in Path("/proc").glob("[0-9]*"):
            with suppress(ProcessLookupError):
                if os.getsid(int(folder.name)) == process.pid:
                    os.kill(int(folder.name), signal.SIGKILL)
        process.wait()

    # -- the engine --------------------------------------------------------------------------------------------------

    watches_containers = "cadvisor"
    """The service whose metrics are about containers."""
    logs_reader = "loki"
    """The workload that answers queries of log lines."""

    def container_name(self, workload: str) -> str:
        """What the label `container` of a workload's log lines holds."""
        return f"{self.name}-{workload}"

    def container(self, workload: str) -> Container:
        """The container of a workload."""
        return self.client.containers.get(f"{self.name}-{workload}")

    def run_workload(self, workload: str, *, runs: bool) -> None:
        """Has a workload run nowhere, and again; its volume stays."""
        self.container(workload).start() if runs else self.container(workload).stop()

    def containers(self, role: str | None = None) -> list[Container]:
        """All containers of the stack, running or not; of one role only where given."""
        labels = [f"io.observability.stack={self.name}", *([f"io.observability.role={role}"] if role else [])]
        return self.client.containers.list(all=True, filters={"label": labels})

    def identities(self) -> dict[str, tuple[str, str]]:
        """ID and start time of every service's container: what must not change when only documents do."""
        return {str(c.name): (str(c.id), c.attrs["State"]["StartedAt"]) for c in self.containers("service")}

    def sh(self, workload: str, script: str) -> str:
        """Output of a shell script in the container of a workload.

        Raises:
            RuntimeError: it failed.
        """
        code, text = execute_command(self.container(workload), ["/tools/busybox", "sh", "-c", script])
        if code:
            raise RuntimeError(f"{workload}: {script}: exit status {code}: {text}")
        return text

    def shown(self) -> Iterator[tuple[str, str]]:
        """All that the platform shows of the stack to whoever may look at it, secret files apart, as (where, text)."""
        for container in self.containers():
            container.reload()
            yield f"docker inspect of {container.name}", json.dumps(container.attrs)
            yield f"the log of {container.name}", container.logs().decode(errors="replace")
        for container in self.containers("configure"):
            stream, _ = container.get_archive("/config")
            yield f"/config of {container.name}", b"".join(stream).decode(errors="replace")

    def secret_copies(self) -> Iterator[SecretCopy]:
        """The stack's secret files."""
        for carrier in self.containers("secrets"):
            stream, _ = carrier.get_archive("/run/secrets")
            with tarfile.open(fileobj=io.BytesIO(b"".join(stream))) as archive:
                for member in (item for item in archive.getmembers() if item.isfile()):
                    text = archive.extractfile(member).read().decode()  # type: ignore[union-attr]
                    yield SecretCopy(f"{carrier.name}:{member.name}", member.mode & 0o777, member.uid, text)

    # -- what runs in it ---------------------------------------------------------------------------------------------

    def http(self, workload: str, port: int, method: str, path: str, body: object = None) -> Any:
        """The JSON (else text) that a service answers; asked inside its own container, so any engine will do."""
        if method == "GET":
            return _parsed(self.sh(workload, f"/tools/busybox wget -q -O - 'http://127.0.0.1:{port}{path}'"))
        data = "" if body is None else json.dumps(body)
        request = (
            f"{method} {path} HTTP/1.0\\r\\nHost: {workload}\\r\\nContent-Type: application/json\\r\\n"
            f"Content-Length: {len(data)}\\r\\n\\r\\n"
        )
        quoted = data.replace("'", "'\\''")
        send = f"/tools/busybox printf '{request}'; /tools/busybox printf '%s' '{quoted}'"
        script = f"({send}) | /tools/busybox nc 127.0.0.1 {port}"
        head, _, text = self.sh(workload, script).partition("\r\n\r\n")
        status = int(head.split()[1])
        if status >= 400:
            raise RuntimeError(f"{method} {path} of {workload}: {head.splitlines()[0]}: {text.strip()}")
        return _parsed(text)

    def get_text(self, workload: str, url: str) -> str:
        """What `url` answers to a GET from inside the container of a workload; it may hold user and password.

        Raises:
            RuntimeError: it answered with another status than 200; the message has it.
        """
        return self.sh(workload, f"/tools/busybox wget -q -O - '{url}' 2>&1")

    def get(self, workload: str, url: str) -> Any:
        """The JSON that `url` answers to a GET from inside the container of a workload.

        Where its port is published on this machine it is asked there, which takes a hundredth of the time.

        Raises:
            RuntimeError: it answered with another status than 200.
        """
        asked = urlsplit(url)
        port = None if asked.username else self._published.get((workload, asked.port or 80))
        near = _fetch(f"http://127.0.0.1:{port}{asked.path}?{asked.query}") if port else None
        if near is not None:
            return json.loads(near)
        return json.loads(self.sh(workload, f"/tools/busybox wget -q -O - '{url}'"))

    def prom(self, query: str) -> list[dict[str, Any]]:
        """The result of an instant PromQL query."""
        return list(self.get("prometheus", f"{PROMETHEUS}/query?{urlencode({'query': query})}")["data"]["result"])

    def loki(self, query: str, *, since: float = 3600, limit: int = 1000) -> list[str]:
        """Log lines that a LogQL query finds in the last `since` seconds, newest first, at most `limit`."""
        begin = int((time.time() - since) * 1e9)
        options = urlencode({"query": query, "start": begin, "limit": limit})
        answer = self.get(self.logs_reader, f"http://127.0.0.1:3100/loki/api/v1/query_range?{options}")
        return [line for stream in answer["data"]["result"] for _, line in stream["values"]]

    def fault(self, service: str, port: int, name: str, **parameters: object) -> None:
        """Switches a fault of a demo service on."""
        self.http(service, port, "PUT", f"/demo/faults/{name}", parameters)

    def heal(self, service: str, port: int, name: str = "") -> None:
        """Switches a fault of a demo service off, or all of them."""
        self.http(service, port, "DELETE", f"/demo/faults/{name}".rstrip("/"))

    def notifications(self) -> list[dict[str, Any]]:
        """What the webhook receiver got from Alertmanager so far."""
        answer = self.http("demo-webhook", 8080, "GET", "/demo/webhook")
        return list(answer["notifications"])

    def list_sent_alerts(
        self, status: str | None = None, name: str | None = None, service: str | None = None
    ) -> list[Any]:
        """Every alert in these notifications; only those of a status, a name and a service where given."""
        return [
            alert
            for item in self.notifications()
            for alert in item["payload"]["alerts"]
            if status in (None, alert["status"])
            and name in (None, alert["labels"]["alertname"])
            and service in (None, alert["labels"].get("service"))
        ]


def _fetch(url: str) -> bytes | None:
    """What is answered at a port of this machine; None where nobody listens."""
    try:
        with urllib.request.urlopen(url, timeout=60) as answer:  # noqa: S310 - loopback
            return bytes(answer.read())
    except urllib.error.HTTPError as error:
        raise RuntimeError(f"{url}: {error.code}: {error.read()[:300]!r}") from None
    except urllib.error.URLError:
        return None


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
