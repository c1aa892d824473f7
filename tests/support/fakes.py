"""Stand-ins for the programs and engines that the commands talk to."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import docker

from cli.workspace import Workspace


def fake_pulumi(folder: Path, answers: dict[str, str] | None = None, *, fails: Sequence[str] = ()) -> Path:
    """A `pulumi` in `folder`/bin that logs its arguments and environment, and prints `answers` by its first words.

    Commands whose arguments begin with an entry of `fails` end with status 1.
    """
    program = folder / "bin" / "pulumi"
    program.parent.mkdir(parents=True, exist_ok=True)
    cases = [f"\"{words}\"*) cat '{_stored(folder, words, text)}' ;;" for words, text in (answers or {}).items()]
    cases += [f'"{words}"*) echo "refused: $*" >&2; exit 1 ;;' for words in fails]
    program.write_text(
        "#!/bin/sh\n"
        f"echo \"$*\" >>'{folder}/calls'\n"
        f"env >'{folder}/env'\n"
        f"[ -t 0 ] || cat >'{folder}/stdin' </dev/stdin\n"
        f'case "$*" in\n{chr(10).join(cases)}\nesac\n'
    )
    program.chmod(0o755)
    return program.parent


def _stored(folder: Path, words: str, text: str) -> Path:
    path = folder / f"answer-{words.replace(' ', '-')}"
    path.write_text(text)
    return path


def calls(folder: Path) -> list[str]:
    """The command lines that the fake was called with, without where it would ask for the program."""
    log = folder / "calls"
    return re.sub(r" --client=127\.0\.0\.1:\d+", "", log.read_text()).splitlines() if log.exists() else []


def workspace(folder: Path, answers: dict[str, str] | None = None, **env: str) -> Workspace:
    """A workspace of stack dev in `folder` whose pulumi is the fake."""
    path = f"{fake_pulumi(folder, answers)}:/usr/bin:/bin"
    return Workspace("dev", folder, {"PATH": path, **env}, local=True)


@dataclass
class FakeItem:
    """A container, network or volume of the fake engine; remembers what was done to it."""

    name: str
    id: str = ""
    attrs: dict[str, Any] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    done: list[str] = field(default_factory=list)
    outputs: list[tuple[int, bytes]] = field(default_factory=list)
    commands: list[list[str]] = field(default_factory=list)

    @property
    def status(self) -> str:
        """How the engine calls its state."""
        return str(self.attrs.get("State", {}).get("Status", "created"))

    def stop(self, timeout: int) -> None:
        """Remembers that it was stopped."""
        self.done.append("stop")

    def reload(self) -> None:
        """It is as it was."""

    def disconnect(self, container: str, force: bool) -> None:
        """Remembers who is not in the network any more."""
        self.done.append(f"disconnect {container}")

    def remove(self, force: bool = False) -> None:
        """Remembers that it was removed."""
        self.done.append("remove")

    @property
    def client(self) -> Any:
        """A client whose engine runs commands in this container."""
        return SimpleNamespace(api=FakeExec(self))


class FakeExec:
    """The part of the engine's API that runs commands: each gets the next prepared output, the last one stays."""

    base_url, api_version = "http+docker://fake", "1.41"

    def __init__(self, item: FakeItem) -> None:
        self._item, self._code, self._early = item, 0, True

    def exec_create(self, container: str, command: list[str]) -> dict[str, str]:
        """Remembers the command."""
        self._item.commands.append(command)
        return {"Id": "1"}

    def post(self, url: str, **options: Any) -> Any:
        """The output in a frame, as the engine sends it."""
        outputs = self._item.outputs
        self._code, text = outputs.pop(0) if len(outputs) > 1 else outputs[0]
        raw = BytesIO(b"\x01\0\0\0" + len(text).to_bytes(4, "big") + text if text else b"")
        return SimpleNamespace(raw=raw, raise_for_status=lambda: None)

    def exec_inspect(self, number: str) -> dict[str, int | None]:
        """How the last command ended, of which the engine knows nothing yet when its output has just ended."""
        self._early = not self._early
        return {"ExitCode": self._code if self._early else None}


@dataclass
class FakeCollection:
    """`client.containers` and its like."""

    items: list[FakeItem] = field(default_factory=list)
    filters: list[dict[str, Any]] = field(default_factory=list)

    def list(self, *, all: bool = False, filters: dict[str, Any] | None = None) -> list[FakeItem]:
        """Every item, whatever is asked for; the question is remembered."""
        self.filters.append(filters or {})
        return self.items

    def get(self, name: str) -> FakeItem:
        """The item of a name."""
        if found := [item for item in self.items if item.name == name]:
            return found[0]
        raise docker.errors.NotFound(f"No such container: {name}")


@dataclass
class FakeEngine:
    """As much of `docker.DockerClient` as the commands use."""

    containers: FakeCollection = field(default_factory=FakeCollection)
    networks: FakeCollection = field(default_factory=FakeCollection)
    volumes: FakeCollection = field(default_factory=FakeCollection)


def engine_with(*containers: FakeItem, networks: Sequence[FakeItem] = (), volumes: Sequence[FakeItem] = ()) -> Any:
    """A fake engine that holds these things."""
    return FakeEngine(FakeCollection(list(containers)), FakeCollection(list(networks)), FakeCollection(list(volumes)))


def service(workload: str, *, state: str = "healthy", port: int | None = None, **more: Any) -> FakeItem:
    """A service's container of stack dev as the engine describes it; without a probe where `state` is running."""
    health = {} if state in ("running", "exited") else {"Health": {"Status": state}}
    bindings = {f"{port}/tcp": [{"HostIp": "127.0.0.1", "HostPort": str(port)}]} if port else {"1/tcp": None}
    attrs = {
        "State": {"Status": state if not health else "running", **health},
        "NetworkSettings": {"Ports": bindings},
        "HostConfig": {"Memory": 64 * 1024 * 1024},
    }
    labels = {"io.observability.workload": workload}
    return FakeItem(f"dev-{workload}", id=f"id-{workload}", attrs=attrs, labels=labels, **more)


def target(service: str, health: str = "up") -> dict[str, Any]:
    """A target as Prometheus' API describes it."""
    return {
        "labels": {"job": service, "service": service},
        "health": health,
        "scrapeUrl": f"http://{service}:1/metrics",
        "lastError": "" if health == "up" else "connection refused [a-z]",
    }
