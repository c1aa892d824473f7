"""A toolchain context that touches neither the network nor the user's cache."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest

from toolchain.cache import Cache
from toolchain.context import Context
from toolchain.host import Host
from toolchain.progress import Progress

MakeContext = Callable[..., Context]


@pytest.fixture
def make_context(tmp_path: Path) -> MakeContext:
    """A maker of contexts whose cache lies in the test's own directory and whose PATH is empty unless given."""

    def make(*, arch: str = "amd64", distribution: str = "debian-bookworm", **environ: str) -> Context:
        host = Host(arch=arch, distribution=distribution, root=False)
        return Context(Cache(tmp_path / "cache"), host, {"PATH": "", **environ}, Progress(io.StringIO()))

    return make


@pytest.fixture
def context(make_context: MakeContext) -> Context:
    """The usual one of these contexts."""
    return make_context()
