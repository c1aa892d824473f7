"""The parent of all pods' cgroups: made before the node starts, removed when it is gone, after a kill too."""

from __future__ import annotations

import time
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
_INHERITED = ("cpuset.cpus", "cpuset.mems")
_TRIES = 100
_PAUSE_SECONDS = 0.05


def list_parents(name: str, root: Path = ROOT) -> list[Path]:
    """The cgroup `name` in each hierarchy (version 1), or in the only one (version 2)."""
    if (root / "cgroup.controllers").exists():
        return [root / name]
    # Links such as cpuacct -> cpu,cpuacct name a hierarchy twice.
    return [h / name for h in sorted(root.iterdir()) if h.is_dir() and not h.is_symlink()]


def make_cgroup(name: str, root: Path = ROOT) -> None:
    """Make the cgroup; a new one of version 1 has no processors and no memory nodes until it is told which."""
    for parent in list_parents(name, root):
        parent.mkdir(exist_ok=True)
        for setting in _INHERITED:
            if (parent / setting).exists() and not (parent / setting).read_text().strip():
                (parent / setting).write_text((parent.parent / setting).read_text())


def remove_cgroup(name: str, root: Path = ROOT) -> bool:
    """Remove the cgroup with all below, waiting a little for processes that are being ended; whether that worked."""
    for _ in range(_TRIES):
        if all([_remove_tree(parent) for parent in list_parents(name, root)]):
            return True
        time.sleep(_PAUSE_SECONDS)
    return False


def _remove_tree(top: Path) -> bool:
    if not top.exists():
        return True
    for directory in sorted((d for d in top.rglob("*") if d.is_dir()), reverse=True):
        _remove_directory(directory)
    return _remove_directory(top)


def _remove_directory(directory: Path) -> bool:
    try:
        directory.rmdir()
    except OSError:
        return not directory.exists()
    return True
