"""Stand-ins for the programs and engines that the commands talk to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ops.workspace import Workspace


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
    """The command lines that the fake was called with."""
    log = folder / "calls"
    return log.read_text().splitlines() if log.exists() else []


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

    def stop(self, timeout: int) -> None:
        """Remembers that it was stopped."""
        self.done.append("stop")

    def remove(self, force: bool = False) -> None:
        """Remembers that it was removed."""
        self.done.append("remove")

    def exec_run(self, command: list[str]) -> tuple[int, bytes]:
        """The next of its prepared outputs; the last one stays."""
        self.commands.append(command)
        return self.outputs.pop(0) if len(self.outputs) > 1 else self.outputs[0]


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
        return next(item for item in self.items if item.name == name)


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
