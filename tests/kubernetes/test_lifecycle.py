"""The cluster is found again, and leaves nothing behind when it is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kubernetes.conftest import WAIT_SECONDS
from tests.support.systems import ROOT
from tests.support.waiting import eventually
from toolchain.cluster import cgroups
from toolchain.cluster.layout import FIRST, Layout
from toolchain.cluster.service import build_cluster_daemon, build_cluster_layout
from toolchain.context import Context, build_default_context

QUICK_SECONDS = 5.0
"""A second call looks at some files and asks the API once."""


@pytest.fixture
def own(kubeconfig: Path) -> Iterator[Context]:
    """The context of the cluster that runs here; other clusters have a life of their own."""
    context = build_default_context()
    if kubeconfig != build_cluster_layout(context).kubeconfig:
        pytest.skip("a cluster of somebody else is in use")
    yield context


def start() -> float:
    """Seconds that `python -m toolchain cluster` took."""
    begun = time.monotonic()
    subprocess.run([sys.executable, "-m", "toolchain", "cluster"], cwd=ROOT, check=True, capture_output=True)
    return time.monotonic() - begun


def processes(layout: Layout) -> list[str]:
    """Commands of all processes that name the cluster's directory or programs."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_text().replace("\0", " ")
        except OSError:
            continue
        if str(layout.run) in command or str(layout.programs) in command:
            found.append(command)
    return found


def test_a_second_start_is_quick(own: Context) -> None:
    """The cluster that runs is used, with the same process."""
    pid = build_cluster_daemon(own).find_pid()
    assert start() < QUICK_SECONDS
    assert build_cluster_daemon(own).find_pid() == pid


def test_a_killed_cluster_leaves_no_process(own: Context) -> None:
    """SIGKILL of its one process ends all others, and the next start cleans up after it."""
    layout, pid = build_cluster_layout(own), build_cluster_daemon(own).find_pid()
    assert pid is not None
    assert processes(layout)
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: not processes(layout), timeout=WAIT_SECONDS, what="every process is gone")
    start()
    assert build_cluster_daemon(own).find_pid() not in {None, pid}


def test_a_stopped_cluster_leaves_nothing(own: Context) -> None:
    """No process, cgroup, kubeconfig or run directory stays."""
    layout = build_cluster_layout(own)
    subprocess.run([sys.executable, "-m", "toolchain", "cluster", "--stop"], cwd=ROOT, check=True)
    assert not processes(layout)
    assert not layout.kubeconfig.exists()
    assert not layout.run.exists()
    assert not [parent for parent in cgroups.list_parents(layout.find_cgroup(FIRST)) if parent.exists()]
    start()
