"""What machine this is, as far as the recipes need to know."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from toolchain.errors import ToolchainError

_ARCHITECTURES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
_TRIPLETS = {"amd64": "x86_64-linux-gnu", "arm64": "aarch64-linux-gnu"}


@dataclass(frozen=True)
class Host:
    """Architecture in Go's and Docker's words, the distribution, and whether we may install packages."""

    arch: str
    distribution: str
    """ID and VERSION_CODENAME of os-release, such as debian-bookworm."""
    root: bool

    @property
    def triplet(self) -> str:
        """The multiarch directory of this architecture, such as x86_64-linux-gnu."""
        return _TRIPLETS[self.arch]

    @property
    def has_apt(self) -> bool:
        """Whether packages come by apt."""
        return shutil.which("apt-get") is not None


def detect_host() -> Host:
    """The machine we run on. Raises ToolchainError on anything but Linux on amd64 or arm64."""
    arch = _ARCHITECTURES.get(platform.machine().lower())
    if arch is None or platform.system() != "Linux":
        raise ToolchainError(
            f"the toolchain builds on Linux amd64 and arm64 only, this is {platform.system()} {platform.machine()}",
            advice="put pulumi, its docker and random plugins and the validators on PATH yourself",
        )
    release = read_os_release(Path("/etc/os-release"))
    name = f"{release.get('ID', 'linux')}-{release.get('VERSION_CODENAME', release.get('VERSION_ID', 'unknown'))}"
    return Host(arch=arch, distribution=name, root=os.geteuid() == 0)


def read_os_release(path: Path) -> dict[str, str]:
    """The fields of an os-release file (https://www.freedesktop.org/software/systemd/man/latest/os-release.html)."""
    if not path.exists():
        return {}
    pairs = (line.split("=", 1) for line in path.read_text().splitlines() if "=" in line)
    return {name: value.strip().strip('"') for name, value in pairs}


def find_program(program: str, environ: Mapping[str, str], *, outside: Path) -> Path | None:
    """The program that PATH finds outside the directory `outside` (our own cache, which may be on PATH too)."""
    directories = [d for d in environ.get("PATH", "").split(os.pathsep) if d and not Path(d).is_relative_to(outside)]
    path = shutil.which(program, path=os.pathsep.join(directories))
    return Path(path) if path else None
