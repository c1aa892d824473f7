"""Every field of a Workload by its path, and for each a workload that differs in it alone."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Iterator, Mapping
from typing import Any

from model.workload import (
    Access,
    ConfigDir,
    ExecProbe,
    Exemption,
    HttpProbe,
    Port,
    Reload,
    SecretFile,
    SharedVolume,
    Workload,
)
from tests.support.workloads import AGENT, SERVER

PROBE = HttpProbe(path="/healthy", port=8080, start_period=90)
COMMAND = ExecProbe(command=("check",), start_period=90)
FULL = dataclasses.replace(
    SERVER,
    entrypoint=("/entry",),
    config=ConfigDir(
        path="/etc/server",
        files={"server.yml": "a: 1", "rules/b.yml": "b: 2"},
        validate=("/bin/check", "{dir}"),
        validate_seconds=3,
        validate_ignore="harmless",
        reload=Reload(
            port=8080,
            success_metric="ok",
            digest_metric="digest",
            digest_file="server.yml",
            report_path="/report",
            report_file="server.yml",
            report_time="Date",
            basic_auth=("admin", "/run/secrets/password"),
        ),
        restart_on=frozenset({"server.yml"}),
    ),
    secrets=(SecretFile(path="/run/secrets/password", secret="password"),),
    ports=(Port(number=8080, publish=18080, outside=80), Port(number=9000, name="internal")),
    shared_volumes=(SharedVolume(name="logs", path="/logs"),),
    host_mounts=AGENT.host_mounts,
    exemptions=(Exemption(rule="capability", value="SYS_PTRACE", reason="reads other processes"),),
    after=("other",),
    restart_with=("other",),
    access=(Access(resources=("pods",), namespaces=("shop",)),),
    field_refs={"NODE": "node-name"},
    exposed=True,
    host="m.example.com",
    labels={"app": "server"},
    groups=(4,),
)
"""A workload that says something in each of its fields."""


def leaves(kind: Any = Workload, prefix: str = "") -> Iterator[str]:
    """The paths of all fields of a dataclass; those of dataclasses in it are below the field that holds them."""
    for name, annotation in typing.get_type_hints(kind).items():
        below = dict.fromkeys(leaf for inner in _dataclasses(annotation) for leaf in leaves(inner, f"{prefix}{name}."))
        yield from below or (f"{prefix}{name}",)


def _dataclasses(annotation: Any) -> Iterator[Any]:
    if dataclasses.is_dataclass(annotation):
        yield annotation
    for part in typing.get_args(annotation):
        yield from _dataclasses(part)


def variants(path: str) -> Iterator[tuple[Workload, Workload]]:
    """Two workloads that differ in the field at `path`; one pair for each kind of probe that has it."""
    for probe in (PROBE, COMMAND):
        if path.startswith("probe.") and not hasattr(probe, path.partition(".")[2]):
            continue
        # whoever asks the API of a cluster connects to anything there
        access = () if path == "egress" else FULL.access
        before = dataclasses.replace(FULL, probe=probe, access=access)
        yield before, _changed(before, path)


def _changed(value: Any, path: str) -> Any:
    name, _, below = path.partition(".")
    old = getattr(value, name)
    if not below:
        return dataclasses.replace(value, **{name: _other(old, typing.get_type_hints(type(value))[name])})
    new = (_changed(old[0], below), *old[1:]) if isinstance(old, tuple) else _changed(old, below)
    return dataclasses.replace(value, **{name: new})


def _other(old: Any, annotation: Any) -> Any:
    """Another value of the same type."""
    if typing.get_origin(annotation) is typing.Literal:
        return next(choice for choice in reversed(typing.get_args(annotation)) if choice != old)
    if isinstance(old, Mapping):
        return {**old, "other": next(iter(old.values()))}
    if isinstance(old, frozenset):
        return old | {"rules/b.yml"}
    if isinstance(old, tuple):
        return (_other(old[0], type(old[0])), *old[1:]) if old else ("other",)
    return not old if isinstance(old, bool) else old + ("x" if isinstance(old, str) else old + 1)
