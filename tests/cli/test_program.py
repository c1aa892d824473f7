"""The program is served to Pulumi by the command itself."""

from __future__ import annotations

import os
from pathlib import Path

import grpc  # type: ignore[import-untyped]  # it publishes no types
import pytest
from pulumi import log
from pulumi.runtime.proto import language_pb2, language_pb2_grpc

from cli import program


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A program that says where it would find its tools, and how it is called."""
    path = tmp_path / "__main__.py"
    path.write_text(
        "import os, pathlib\npathlib.Path(__file__).with_name('ran').write_text(os.environ['PATH'] + __name__)"
    )
    return path


def test_pulumi_is_answered_where_it_is_told_to_ask(file: Path) -> None:
    """The argument names an address of this machine alone; it answers as a language host that lacks nothing."""
    with program.serve_program(file, {}) as arguments:
        (client,) = arguments
        word, _, address = client.partition("=")
        assert word == "--client" and address.startswith("127.0.0.1:")
        with grpc.insecure_channel(address) as channel:
            stub = language_pb2_grpc.LanguageRuntimeStub(channel)
            assert not stub.GetRequiredPackages(language_pb2.GetRequiredPackagesRequest()).packages
    with grpc.insecure_channel(address) as channel, pytest.raises(grpc.RpcError):
        language_pb2_grpc.LanguageRuntimeStub(channel).GetRequiredPackages(language_pb2.GetRequiredPackagesRequest())


def test_the_program_is_run_as_a_file(file: Path) -> None:
    """It is the main module, as in a process of its own, and has the run's tools; afterwards all is as before."""
    before = os.environ["PATH"]
    with program.serve_program(file, {"PATH": "/tools"}):
        program._run_program(file)
    assert file.with_name("ran").read_text() == "/tools__main__" and os.environ["PATH"] == before


@pytest.mark.parametrize("wanted", ["", "true"])
def test_what_is_for_debuggers_is_said_on_request(file: Path, monkeypatch: pytest.MonkeyPatch, wanted: str) -> None:
    """Each of these lines costs a call to Pulumi, so they are sent where its logs are wanted."""
    monkeypatch.setenv(program.WANTED_LOGS, wanted)
    before = log.debug
    with program.serve_program(file, {}):
        assert (log.debug is before) == bool(wanted)
    assert log.debug is before
