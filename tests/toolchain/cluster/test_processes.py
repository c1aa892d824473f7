"""Processes inside the namespaces."""

from __future__ import annotations

from pathlib import Path

import pytest

from toolchain.cluster.processes import ProcessEnded, Processes


def test_an_early_end_is_told_with_its_last_words(tmp_path: Path) -> None:
    """A process that ends while others wait for it is named, with what it said."""
    processes = Processes(tmp_path)
    processes.start("etcd", ["sh", "-c", "echo no space; exit 3"])
    with pytest.raises(ProcessEnded, match=r"(?s)etcd ended with status 3.*no space"):
        processes.await_ready("etcd", lambda: False, seconds=10)


def test_no_answer_yet_is_waited_for(tmp_path: Path) -> None:
    """A refused connection is `not yet`, until the time is over."""

    def refused() -> bool:
        raise ConnectionRefusedError

    with pytest.raises(ProcessEnded, match="the API after 0 s: no"):
        Processes(tmp_path).await_ready("the API", refused, seconds=0.05)
