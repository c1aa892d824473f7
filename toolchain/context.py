"""What every part of the toolchain is handed: the cache, the machine, the environment and where to tell of progress."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from toolchain.cache import Cache, find_root
from toolchain.host import Host, detect_host
from toolchain.progress import Progress

HERE = Path(__file__).resolve().parent
"""The toolchain's folder, which holds the Go modules and the requirement files."""
PROJECT = Path(os.environ.get("TOOLCHAIN_PROJECT", HERE.parent))
"""The project that is served: configs/images.yaml says which images, images/ has the programs that are its own."""


@dataclass(frozen=True)
class Context:
    """One run of the toolchain."""

    cache: Cache
    host: Host
    environ: Mapping[str, str]
    progress: Progress = field(default_factory=Progress)


def build_default_context() -> Context:
    """The context of this machine and this process."""
    return Context(cache=Cache(find_root(os.environ)), host=detect_host(), environ=dict(os.environ))
