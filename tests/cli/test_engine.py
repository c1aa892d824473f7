"""The toolchain's environment and the engine a stack is deployed to."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from cli import engine
from model.load import parse_model
from model.settings import DockerSettings
from tests.support import fakes


def test_own_python_comes_first() -> None:
    """Pulumi's Python host must find this project's environment before any other Python."""
    env = engine.build_tool_env()
    assert env["PATH"].split(os.pathsep)[0] == str(Path(sys.executable).parent)
    assert env["VIRTUAL_ENV"] == str(Path(sys.executable).parent.parent)
    assert env["PULUMI_HOME"]


def test_unreachable_engine_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says where the engine was looked for: the setting first, then DOCKER_HOST."""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/env.sock")
    with pytest.raises(
        SystemExit, match=r"no Docker engine answers at unix://.*/own\.sock: No such file or directory$"
    ):
        engine.connect_engine(DockerSettings(host=f"unix://{tmp_path}/own.sock"))
    with pytest.raises(SystemExit, match=r"no Docker engine answers at unix://.*/env\.sock"):
        engine.connect_engine(DockerSettings())


def test_certificates_are_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """certPath gives the client's certificate and the authority it trusts, under Docker's usual names."""
    values: dict[str, Any] = {}

    class Client:
        def __init__(self, **options: Any) -> None:
            values.update(options)
            self.api = type("Api", (), {"trust_env": True})()

        def version(self, api_version: bool) -> dict[str, str]:
            return {"ApiVersion": "1.41"}

    monkeypatch.setattr("docker.DockerClient", Client)
    for name in ("ca.pem", "cert.pem", "key.pem"):
        (tmp_path / name).write_text("")
    client = engine.connect_engine(
        parse_model(DockerSettings, {"host": "tcp://10.0.0.5:2376", "certPath": str(tmp_path)}, "x")
    )
    assert client.api.trust_env is False and values["version"] == "1.41"
    assert values["base_url"] == "tcp://10.0.0.5:2376"
    assert values["tls"].cert == (str(tmp_path / "cert.pem"), str(tmp_path / "key.pem"))
    assert values["tls"].ca_cert == str(tmp_path / "ca.pem") and values["tls"].verify


def test_output_is_read_whole() -> None:
    """What a command prints arrives complete, whether in one frame or in several, with its exit status."""
    item = fakes.FakeItem("x", outputs=[(3, b"said")])
    assert engine.execute_command(item, ["true"]) == (3, "said")  # type: ignore[arg-type]
    assert item.commands == [["true"]]


def test_a_command_without_output_that_still_runs_is_no_success(monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine has no exit status of it, however long it is asked."""
    item = fakes.FakeItem("x", outputs=[(0, b"")])
    monkeypatch.setattr(fakes.FakeExec, "exec_inspect", lambda *_: {"ExitCode": None})
    monkeypatch.setattr(engine, "_ENDED_SECONDS", 0)
    with pytest.raises(RuntimeError, match="still runs"):
        engine.execute_command(item, ["true"])  # type: ignore[arg-type]


def test_ssh_ends_with_its_own_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine behind ssh is reached by the system's ssh with the stack's options; its complaint is shown."""
    fake = tmp_path / "bin" / "ssh"
    fake.parent.mkdir()
    fake.write_text('#!/bin/sh\necho "$@: permission denied" >&2\nexit 255\n')
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{fake.parent}:{os.environ['PATH']}")
    with pytest.raises(SystemExit, match=r"ssh://me@far:2222: -p 2222 .* me@far: permission denied"):
        engine.connect_engine(DockerSettings(host="ssh://me@far:2222"))


def test_the_address_is_said_or_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The setting counts, then DOCKER_HOST, then the local socket."""
    monkeypatch.setenv("DOCKER_HOST", "unix:///run/user/1000/docker.sock")
    assert engine.find_address(DockerSettings(host="tcp://10.0.0.5:2376")) == "tcp://10.0.0.5:2376"
    assert engine.find_address(DockerSettings()) == "unix:///run/user/1000/docker.sock"
    monkeypatch.delenv("DOCKER_HOST")
    assert engine.find_address(DockerSettings()) == "unix:///var/run/docker.sock"


def test_lines_are_handed_on() -> None:
    """As they come, with the command's exit status at the end."""
    said: list[str] = []
    item = fakes.FakeItem("x", outputs=[(3, b"one\ntwo")])
    assert engine.stream_command(item, ["true"], said.append) == 3 and said == ["one", "two"]  # type: ignore[arg-type]
