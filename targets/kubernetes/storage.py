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
from targets.kubernetes.shared import (
    SLASH,
    ClusterScope,
    Object,
    build_metadata,
    build_selector,
    build_workload_metadata,
    find_controller_kind,
    format_quantity,
)

MARK = ".mark"
"""A file beside the secrets that are read again: a text that is another one when one of them changes."""
REVISION_KEY = ".revision"
ARCHIVE_KEY = ".documents.tar.gz"
LARGEST = 900_000
"""Bytes of documents that a ConfigMap takes as text; it may hold 1 MiB in all, so more than this goes in packed."""


def build_config_map(scope: ClusterScope, workload: Workload) -> Object | None:
    """A workload's documents, slashes in their names replaced; packed into one archive where they are too large."""
    config = workload.config
    if config is None:
        return None
    content: Object = {"data": {path.replace("/", SLASH): text for path, text in sorted(config.files.items())}}
    if sum(len(text.encode()) for text in config.files.values()) > LARGEST:
        content = {"data": {}, "binaryData": {ARCHIVE_KEY: b64encode(pack_archive(config.files)).decode()}}
    content["data"][REVISION_KEY] = config.compute_revision()
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": build_workload_metadata(scope, workload, "-config"),
        **content,
    }


def pack_archive(files: Mapping[str, str]) -> bytes:
    """The files as a tar.gz, the same bytes for the same content."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as tar:
        for path, text in sorted(files.items()):
            content = text.encode()
            entry = tarfile.TarInfo(path)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return gzip.compress(raw.getvalue(), mtime=0)


def build_claims(scope: ClusterScope, workload: Workload) -> Iterator[tuple[DataVolume, Object]]:
    """A claim for each data volume of each instance, named as the StatefulSet looks for it, so that it can grow."""
    for volume in workload.volumes if find_controller_kind(workload) == "StatefulSet" else ():
        for number in range(workload.replicas):
            name = name_claim(volume.name, workload.name, number)
            meta = build_metadata(scope, name, scope.find_namespace(workload), **build_selector(scope, workload.name))
            yield (
                volume,
                {**build_claim(scope, volume), "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": meta},
            )


def name_pod(workload: str, number: int = 0) -> str:
    """The pod of an instance of a workload with data volumes."""
    return f"{workload}-{number}"


def name_claim(volume: str, workload: str, number: int = 0) -> str:
    """The claim of an instance of a workload for one of its data volumes."""
    return f"{volume}-{name_pod(workload, number)}"


def build_claim(scope: ClusterScope, volume: DataVolume) -> Object:
    """What is claimed for a data volume."""
    chosen = scope.settings.storage_class
    return {
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": format_quantity(volume.size)}},
            **({"storageClassName": chosen} if chosen else {}),
        }
    }


def group_secret_files(workload: Workload) -> dict[str, tuple[SecretFile, ...]]:
    """A workload's secret files by the name of their Secret: those of new pods, and those that running ones read again.

    The former never changes: new content is another Secret, with a random end to its name.
    """
    groups = {name_secret(workload, again=again): workload.list_secrets_read(again=again) for again in (False, True)}
    return {name: files for name, files in groups.items() if files}


def name_secret(workload: Workload, *, again: bool) -> str:
    """The name of the Secret with the files that running pods read again, or the begin of the other one's."""
    return f"{workload.name}-{'reread' if again else 'secrets'}"
