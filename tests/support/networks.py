"""Sockets in the network of the cluster of `make cluster`, which is one of its own."""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from toolchain.cluster.layout import read_layout

T = TypeVar("T")
_NETWORK = 0x40000000
"""CLONE_NEWNET of setns(2)."""


def on_node(kubeconfig: Path, make: Callable[[], T]) -> T:
    """What `make` returns when it is called in the network of the node of the cluster with this kubeconfig.

    A socket belongs to the network of the thread that made it, so any thread may use it afterwards.

    Raises:
        OSError: there is no such cluster, or this user may not enter its network.
    """
    layout = read_layout(kubeconfig.parent / "layout.json")
    made: list[T] = []
    failed: list[Exception] = []

    def enter() -> None:
        try:
            with Path(f"/proc/{layout.namespace.read_text().strip()}/ns/net").open() as network:
                if ctypes.CDLL(None, use_errno=True).setns(network.fileno(), _NETWORK):
                    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
            made.append(make())
        except Exception as error:  # it is raised where it is waited for
            failed.append(error)

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    if failed:
        raise failed[0]
    return made[0]
