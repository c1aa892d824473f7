"""The newest Docker Engine from its Go modules, to be run beside the distribution's: dockerd, containerd and runc.

Nothing is installed and nothing started: whoever wants the engine puts the folder of its programs first on the PATH of
a dockerd, which starts containerd by itself. Sources: https://pkg.go.dev/github.com/moby/moby/v2,
https://pkg.go.dev/github.com/containerd/containerd/v2, https://pkg.go.dev/github.com/opencontainers/runc.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from toolchain.cache import Inputs
from toolchain.context import Context
from toolchain.debian import DebianPackages
from toolchain.errors import ToolchainError
from toolchain.golang import GoBuild, build_go_environment, find_required_version
from toolchain.host import find_program

ENGINE_VERSION = "29.8.0"
"""What the module's tag is released as: the command-line client that moby v2.0.0-beta.24 builds its images with."""
CONTAINERD_VERSION = find_required_version("docker/containerd", "github.com/containerd/containerd/v2")
RUNC_VERSION = find_required_version("docker/runc", "github.com/opencontainers/runc")


@dataclass(frozen=True)
class CgoBuild(GoBuild):
    """A program with C code of its own, linked statically with the libraries of a Debian package."""

    library: DebianPackages = field(default_factory=lambda: DebianPackages("none", ()))
    name: str = ""
    """What pkg-config calls the library."""

    def list_inputs(self, context: Context) -> Inputs:
        """What decides the program's bytes: the library's as well."""
        return {**super().list_inputs(context), "library": dict(self.library.list_inputs(context))}

    def build_environment(self, context: Context, go: Path, into: Path) -> dict[str, str]:
        """The compiler of the machine, and in the place of pkg-config a script that knows the one library."""
        if find_program("gcc", context.environ, outside=context.cache.root) is None:
            raise ToolchainError(
                f"{self.program} has parts in C, and no gcc is on PATH", advice="apt-get install gcc libc6-dev"
            )
        usr = self.library.ensure(context) / "root" / "usr"
        script = into / "pkg-config"
        folders = " ".join(f"-L{folder}" for folder in sorted(usr.glob("lib/*-linux-gnu")))
        script.write_text(
            f'#!/bin/sh\ncase "$*" in *--cflags*) echo -I{usr}/include ;; *) echo {folders} -l{self.name} ;; esac\n'
        )
        script.chmod(0o755)
        return build_go_environment(context, go) | {"CGO_ENABLED": "1", "PKG_CONFIG": str(script)}

    def list_flags(self) -> list[str]:
        """As for all, and linked statically."""
        *before, link = super().list_flags()
        return [*before, f"{link} -linkmode external -extldflags -static"]


_MOBY = "github.com/moby/moby/v2"
_CONTAINERD = "github.com/containerd/containerd/v2"
_WITHOUT = ("no_btrfs", "no_devmapper", "no_zfs")
DOCKERD = GoBuild(
    "dockerd",
    "docker/moby",
    f"{_MOBY}/cmd/dockerd",
    ("exclude_graphdriver_btrfs", "no_systemd"),
    ((f"{_MOBY}/dockerversion.Version", ENGINE_VERSION),),
    cpu_seconds=390,
)
DOCKER_PROXY = GoBuild("docker-proxy", "docker/moby", f"{_MOBY}/cmd/docker-proxy", cpu_seconds=2)
CONTAINERD = GoBuild(
    "containerd",
    "docker/containerd",
    f"{_CONTAINERD}/cmd/containerd",
    _WITHOUT,
    ((f"{_CONTAINERD}/version.Version", f"v{CONTAINERD_VERSION}"),),
    cpu_seconds=75,
)
SHIM = GoBuild(
    "containerd-shim-runc-v2",
    "docker/containerd",
    f"{_CONTAINERD}/cmd/containerd-shim-runc-v2",
    _WITHOUT,
    cpu_seconds=3,
)
RUNC = CgoBuild(
    "runc",
    "docker/runc",
    "github.com/opencontainers/runc",
    ("seccomp", "urfave_cli_no_docs", "netgo", "osusergo"),
    (("main.version", RUNC_VERSION),),
    cpu_seconds=25,
    library=DebianPackages("libseccomp", ("libseccomp-dev",)),
    name="seccomp",
)
PROGRAMS = (DOCKERD, DOCKER_PROXY, CONTAINERD, SHIM, RUNC)


def ensure_programs(context: Context) -> Path:
    """The folder with all programs of the engine.

    Raises:
        ToolchainError: one of them cannot be built here; the text says what is missing.
    """

    def link(draft: Path) -> None:
        for build in PROGRAMS:
            os.link(build.ensure(context) / "bin" / build.program, draft / build.program)

    inputs = {build.program: dict(build.list_inputs(context)) for build in PROGRAMS}
    return context.cache.ensure("docker-engine", inputs, link)
