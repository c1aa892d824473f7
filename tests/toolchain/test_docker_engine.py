"""The newest Docker Engine, whose programs the toolchain builds."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from toolchain.context import Context
from toolchain.debian import DebianPackages
from toolchain.docker_engine import ENGINE_VERSION, PROGRAMS, RUNC, ensure_programs
from toolchain.errors import ToolchainError
from toolchain.golang import GoBuild

from .conftest import MakeContext


def test_c_code_needs_a_compiler(context: Context, tmp_path: Path) -> None:
    """Without gcc the error names it and says how to have it, before anything is downloaded."""
    with pytest.raises(ToolchainError, match=r"runc has parts in C, and no gcc is on PATH"):
        RUNC.build_environment(context, Path("/go"), tmp_path)


def test_a_library_is_linked_statically_from_its_package(
    make_context: MakeContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """cgo is on, pkg-config's answers lead into the unpacked package, and cflags hold no linker's flags."""
    (tmp_path / "gcc").touch(0o755)
    folder = tmp_path / "package" / "root" / "usr" / "lib" / "x86_64-linux-gnu"
    folder.mkdir(parents=True)
    monkeypatch.setattr(DebianPackages, "ensure", lambda self, context: tmp_path / "package")
    monkeypatch.setattr("toolchain.docker_engine.build_go_environment", lambda context, go: {"CGO_ENABLED": "0"})
    env: Mapping[str, str] = RUNC.build_environment(make_context(PATH=str(tmp_path)), Path("/go"), tmp_path)
    answers = [
        subprocess.run([env["PKG_CONFIG"], flag, "--", "libseccomp"], capture_output=True, text=True, check=True).stdout
        for flag in ("--cflags", "--libs")
    ]
    assert env["CGO_ENABLED"] == "1"
    assert answers == [f"-I{folder.parents[1]}/include\n", f"-L{folder} -lseccomp\n"]
    assert RUNC.list_flags()[-1].endswith("-linkmode external -extldflags -static")


def test_another_library_is_another_program(context: Context) -> None:
    """The package that is linked is part of the artefact's key."""
    other = replace(RUNC, library=DebianPackages("other", ("other-dev",)))
    assert other.find_path(context) != RUNC.find_path(context)


def test_all_programs_are_in_one_folder(context: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What stands first on the PATH of a dockerd has every program that it starts."""

    def build(self: GoBuild, context: Context) -> Path:
        place = tmp_path / self.program / "bin"
        place.mkdir(parents=True)
        (place / self.program).write_text(self.program)
        return place.parent

    monkeypatch.setattr(GoBuild, "ensure", build)
    folder = ensure_programs(context)
    assert {path.name for path in folder.iterdir()} >= {
        "dockerd", "docker-proxy", "containerd", "containerd-shim-runc-v2", "runc",
    }  # fmt: skip


def test_programs_say_their_versions() -> None:
    """What --version prints comes from go.mod, or is the release that moby's tag stands for."""
    stamps = {build.program: value for build in PROGRAMS for _, value in build.stamps}
    assert stamps["dockerd"] == ENGINE_VERSION and {"containerd", "runc"} <= set(stamps)
    assert all(re.fullmatch(r"v?\d+\.\d+\.\d+", value) for value in stamps.values())
