"""The engine: used where one answers, refused with the command to run where it is not ours to install."""

from __future__ import annotations

from pathlib import Path

import pytest

from toolchain import engine
from toolchain.errors import ToolchainError

from .conftest import MakeContext


@pytest.fixture(autouse=True)
def no_installation(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing may be installed or started here."""

    def refuse(*_: object) -> None:
        raise AssertionError("must not install")

    monkeypatch.setattr(engine, "_install_engine", refuse)
    monkeypatch.setattr(engine, "_start_engine", refuse)


def test_answering_engine_is_used(make_context: MakeContext, monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine that answers is used as it is."""
    monkeypatch.setattr(engine, "find_engine_version", lambda _: "28.0")
    assert engine.ensure_engine(make_context()) == "28.0"


def test_named_engine_is_never_replaced(make_context: MakeContext) -> None:
    """With DOCKER_HOST set, silence is an error: no other engine is started instead."""
    with pytest.raises(ToolchainError, match="DOCKER_HOST=unix:///nowhere"):
        engine.ensure_engine(make_context(DOCKER_HOST="unix:///nowhere/docker.sock"))


@pytest.mark.parametrize(
    ("release", "advice"),
    [({"ID": "fedora"}, "docs.docker.com/engine/install"), ({"ID": "debian"}, "sudo sh -c 'apt-get install")],
)
def test_elsewhere_the_command_is_printed(
    release: dict[str, str], advice: str, make_context: MakeContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Off Debian, or without root, the error says what to run."""
    monkeypatch.setattr(engine, "find_engine_version", lambda _: None)
    monkeypatch.setattr(engine, "read_os_release", lambda _: release)
    with pytest.raises(ToolchainError, match=advice):
        engine.ensure_engine(make_context())


def test_stop_leaves_other_engines_alone(make_context: MakeContext) -> None:
    """Without an engine of our own there is nothing to stop."""
    assert not engine.stop_engine(make_context())


def test_no_socket_is_no_engine(make_context: MakeContext, tmp_path: Path) -> None:
    """An absent socket is answered without waiting."""
    assert engine.find_engine_version(make_context(DOCKER_HOST=f"unix://{tmp_path}/none.sock")) is None
