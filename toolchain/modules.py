"""Go modules fetched ahead of the builds that need them, so that no compiler waits for the network."""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from toolchain.context import Context
from toolchain.errors import ToolchainError
from toolchain.golang import GoBuild, build_go_environment, find_go
from toolchain.run import run_command


@contextmanager
def fetching_modules(context: Context, builds: Iterable[GoBuild]) -> Iterator[None]:
    """Fetch the modules of `builds` in their order while the body runs.

    What cannot be fetched is left to the build, which says why. When the body ends, no further build is begun with.
    """
    over = threading.Event()

    def fetch_all() -> None:
        for build in builds:
            if over.is_set():
                return
            try:
                fetch_modules(context, build)
            except (ToolchainError, OSError):
                continue

    threading.Thread(target=fetch_all, name="go-modules", daemon=True).start()
    try:
        yield
    finally:
        over.set()


def fetch_modules(context: Context, build: GoBuild) -> None:
    """Have every module in the module cache that the build's packages come from, and no other one.

    Raises:
        ToolchainError: the proxy does not answer, or the module's sums do not agree.
    """
    go = find_go(context)
    # -e: pages that a program embeds are not there yet
    ask = [str(go), "list", "-e", "-deps", "-mod=mod", "-f", "", *build.list_tag_flags(), build.package]
    with tempfile.TemporaryDirectory(prefix="go-modules-") as scratch:
        source = Path(scratch) / "source"  # -mod=mod may write to go.sum
        shutil.copytree(build.folder, source)
        run_command(ask, cwd=source, env=build_go_environment(context, go))
