"""Images in the cluster's own containerd, under the names that pods use; only what changed is loaded again."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path

from toolchain.cluster.layout import FIRST, SOCKET, Layout, Node
from toolchain.images import ImageSpec
from toolchain.oci import BuiltImage
from toolchain.run import run_command

PAUSE = ImageSpec("pause", "registry.k8s.io/pause", "3.10", None, ("kubernetes",))
COREDNS = ImageSpec("coredns", "registry.k8s.io/coredns/coredns", "v1.14.2", None, ("kubernetes",))
OWN = (PAUSE, COREDNS)
"""What the cluster itself runs; every pod needs the first."""
PAUSE_REFERENCE = PAUSE.reference

Import = Callable[[Path], None]
"""Has a node import an archive that `docker save` could have written."""


class Loader:
    """Loads images into one run of a cluster; `record` remembers what that run has."""

    def __init__(self, scratch: Path, record: Path, bring: Import) -> None:
        self._scratch = scratch
        self._record = record
        self._bring = bring
        self._lock = threading.Lock()

    def read_loaded(self) -> dict[str, str]:
        """Digest by reference of all that was loaded."""
        return dict(json.loads(self._record.read_text())) if self._record.exists() else {}

    def load(self, spec: ImageSpec, image: BuiltImage) -> bool:
        """Load the image unless this very one is there; whether it had to be."""
        with self._lock:  # one at a time: the disk is what takes the time
            loaded = self.read_loaded()
            if loaded.get(spec.reference) == image.digest:
                return False
            self._scratch.mkdir(parents=True, exist_ok=True)
            archive = self._scratch / f"{spec.name}.tar"
            try:
                image.write_archive(spec.reference, archive)
                self._bring(archive)
            finally:
                archive.unlink(missing_ok=True)
            draft = self._record.with_suffix(".draft")
            draft.write_text(json.dumps({**loaded, spec.reference: image.digest}, indent=1, sort_keys=True))
            draft.rename(self._record)
            return True


def build_node_loader(layout: Layout) -> Loader:
    """The loader of our own cluster's nodes: their containerd can only be reached from their mount namespaces."""

    def import_archive(archive: Path) -> None:
        ask = ["ctr", "--address", SOCKET, "--namespace", "k8s.io", "images", "import", str(archive)]
        for node in layout.nodes:
            run_command([*build_entry(layout, node), *ask])

    return Loader(layout.run / "scratch", layout.run / "loaded.json", import_archive)


def build_entry(layout: Layout, node: Node) -> list[str]:
    """What a command is preceded by to run in a node's mount namespace, among the first node's processes."""
    holder = layout.namespace.read_text().strip()
    # that process is itself outside of the process namespace that it made for its children
    first = ["nsenter", "--target", holder, "--mount", f"--pid=/proc/{holder}/ns/pid_for_children", "--"]
    if node == FIRST:
        return first
    return [*first, "nsenter", "--target", layout.find_holder(node).read_text().strip(), "--mount", "--"]
