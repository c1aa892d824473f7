"""What a recipe of an image is: files from sources, users, places to write, and how it starts."""

from __future__ import annotations

from dataclasses import dataclass, field

from toolchain.debian import DebianPackages
from toolchain.golang import GoBuild
from toolchain.npm import NpmPackages
from toolchain.oci import ImageConfig
from toolchain.own_files import OwnFiles
from toolchain.prometheus_ui import PrometheusUi
from toolchain.pypi import PypiPackage
from toolchain.web import WebBuild

BUSYBOX = DebianPackages("busybox", ("busybox-static",), ("bin/busybox",))
CERTIFICATES = DebianPackages("certificates", ("ca-certificates",))

Source = GoBuild | DebianPackages | PypiPackage | NpmPackages | PrometheusUi | WebBuild | OwnFiles


@dataclass(frozen=True)
class File:
    """`path` inside the source's directory (a file or a folder) at `at` in the image, with all libraries it needs."""

    source: Source
    path: str
    at: str


@dataclass(frozen=True)
class Owned:
    """A directory that belongs to `owner` (uid and gid), where the service writes."""

    path: str
    owner: int
    mode: int = 0o755


@dataclass(frozen=True)
class Recipe:
    """One image."""

    files: tuple[File, ...]
    config: ImageConfig
    directories: tuple[Owned, ...] = ()
    users: dict[str, int] = field(default_factory=dict)
    """Names for /etc/passwd beside root and nobody."""
    busybox: bool = False
    """Whether busybox and its applets are put in, as bin/sh and the rest."""
    scripts: str = ""
    """A folder below toolchain/rootfs whose files are put in as they lie."""
    local: bool = False
    """Ours alone: no registry serves it, so it is always built."""

    def list_sources(self) -> tuple[Source, ...]:
        """All that must be there before the image can be put together."""
        extra: tuple[Source, ...] = (CERTIFICATES, BUSYBOX) if self.busybox else (CERTIFICATES,)
        return tuple(dict.fromkeys((*(f.source for f in self.files), *extra)))
