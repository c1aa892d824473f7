"""What a workload reads and writes: documents, secrets by name, and claims for its data volumes, as plain data.

Formats: https://kubernetes.io/docs/reference/kubernetes-api/config-and-storage-resources/.
"""

from __future__ import annotations

import gzip
import io
import tarfile
from base64 import b64encode
from collections.abc import Iterator, Mapping

from model.workload import DataVolume, SecretFile, Workload
from targets.kubernetes.shared import SLASH, ClusterScope, Object, controller, metadata, own, quantity, selector

MARK = ".mark"
"""A file beside the secrets that are read again: a text that is another one when one of them changes."""
REVISION_KEY = ".revision"
ARCHIVE_KEY = ".documents.tar.gz"
LARGEST = 900_000
"""Bytes of documents that a ConfigMap takes as text; it may hold 1 MiB in all, so more than this goes in packed."""


def config_map(scope: ClusterScope, workload: Workload) -> Object | None:
    """A workload's documents, slashes in their names replaced; packed into one archive where they are too large."""
    config = workload.config
    if config is None:
        return None
    held: Object = {"data": {path.replace("/", SLASH): text for path, text in sorted(config.files.items())}}
    if sum(len(text.encode()) for text in config.files.values()) > LARGEST:
        held = {"data": {}, "binaryData": {ARCHIVE_KEY: b64encode(archive(config.files)).decode()}}
    held["data"][REVISION_KEY] = config.compute_revision()
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": own(scope, workload, "-config"), **held}


def archive(files: Mapping[str, str]) -> bytes:
    """The files as a tar.gz, the same bytes for the same content."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as tar:
        for path, text in sorted(files.items()):
            content = text.encode()
            entry = tarfile.TarInfo(path)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return gzip.compress(raw.getvalue(), mtime=0)


def claims(scope: ClusterScope, workload: Workload) -> Iterator[tuple[DataVolume, Object]]:
    """A claim for each data volume of each instance, named as the StatefulSet looks for it, so that it can grow."""
    for volume in workload.volumes if controller(workload) == "StatefulSet" else ():
        for number in range(workload.replicas):
            name = f"{volume.name}-{workload.name}-{number}"
            meta = metadata(scope, name, scope.home(workload), **selector(scope, workload.name))
            yield (
                volume,
                {**claim(scope, volume), "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": meta},
            )


def claim(scope: ClusterScope, volume: DataVolume) -> Object:
    """What is claimed for a data volume."""
    chosen = scope.settings.storage_class
    return {
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": quantity(volume.size)}},
            **({"storageClassName": chosen} if chosen else {}),
        }
    }


def secret_files(workload: Workload) -> dict[str, tuple[SecretFile, ...]]:
    """A workload's secret files by the name of their Secret: those of new pods, and those that running ones read again.

    The former never changes: new content is another Secret, with a random end to its name.
    """
    found = {secret_name(workload, again=again): workload.list_secrets_read(again=again) for again in (False, True)}
    return {name: files for name, files in found.items() if files}


def secret_name(workload: Workload, *, again: bool) -> str:
    """The name of the Secret with the files that running pods read again, or the begin of the other one's."""
    return f"{workload.name}-{'reread' if again else 'secrets'}"
