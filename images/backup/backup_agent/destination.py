"""What lies at the destination: contents by their hash, and the manifests that name them.

    <prefix>/<stack>/<workload>/blobs/<sha256>
    <prefix>/<stack>/<workload>/manifests/<id>.json

The names below the prefix are encrypted as well as the contents.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from backup_agent.document import NAME, Directory, Document
from backup_agent.errors import Failed, describe_write_error
from backup_agent.manifest import ID, Manifest, parse_manifest
from backup_agent.rclone import CRYPT, NOT_THERE, Rclone, configuring

_SKIPPED = re.compile(r"([0-9a-v]{26,}): Skipping undecryptable dir name")
"""What rclone says of a name that is encrypted (blocks of 16 bytes in base32) by another passphrase."""
_HASH = re.compile(r"^[0-9a-f]{64}$")


class Destination:
    """Where the backups of one workload of one stack are."""

    def __init__(self, rclone: Rclone, stack: str, workload: str) -> None:
        self._rclone, self.stack, self.workload = rclone, stack, workload
        self.where = rclone.where
        self._base = f"{CRYPT}:{stack}/{workload}"

    def check_access(self) -> None:
        """See that the destination answers, and that the passphrase is the one by which its names are encrypted.

        Raises:
            Failed: it does not answer, or it has backups that another passphrase encrypts.
        """
        names, words = self._rclone.list_directories(f"{CRYPT}:")
        strange = [name for name in names if not re.match(NAME, name)] + _SKIPPED.findall(words)
        if self.stack not in names and strange:
            raise Failed(
                f"the {self.where} has backups that this passphrase does not decrypt: set the passphrase that they "
                "were made with, or a prefix of its own for the new one"
            )

    # -- manifests ---------------------------------------------------------------------------------------------------

    def list_ids(self) -> list[str]:
        """The ids of all complete backups, oldest first."""
        names = self._rclone.list_names(f"{self._base}/manifests", "--files-only") or {}
        return sorted(name.removesuffix(".json") for name in names if ID.match(name.removesuffix(".json")))

    def read_manifest(self, name: str) -> Manifest:
        """The manifest of a backup.

        Raises:
            Failed: it cannot be read or is damaged.
            Refused: it is of a newer format.
        """
        done = self._rclone.run("cat", f"{self._base}/manifests/{name}.json", retries=2)
        return self._accept(parse_manifest(done.stdout, name), name)

    def _accept(self, manifest: Manifest, name: str) -> Manifest:
        expected = (self.stack, self.workload, name)
        if (manifest.stack, manifest.workload, manifest.id) != expected:
            raise Failed(
                f"the manifest {name} is of another backup: {manifest.id} of {manifest.workload} of {manifest.stack}"
            )
        return manifest

    def fetch_manifests(self, folder: Path) -> list[str]:
        """Have in `folder` the manifests that are at the destination, and no others; gives the ids, oldest first."""
        folder.mkdir(parents=True, exist_ok=True)
        words = ("sync", "--size-only", "--include", "/????????T??????Z.json")
        done = self._rclone.run(*words, f"{self._base}/manifests", str(folder), allowed=(0, NOT_THERE))
        if done.returncode == NOT_THERE:  # nothing was compared, so what is here is of another time
            for path in folder.glob("*.json"):
                path.unlink()
        return sorted(path.stem for path in folder.glob("*.json") if ID.match(path.stem))

    def load_manifest(self, folder: Path, name: str) -> Manifest:
        """A manifest out of the folder of `fetch_manifests`."""
        return self._accept(parse_manifest((folder / f"{name}.json").read_bytes(), name), name)

    def write_manifest(self, manifest: Manifest, folder: Path) -> None:
        """Put the manifest of a new backup there and into `folder`: from then on it is one. None is ever replaced."""
        local = folder / f"{manifest.id}.json"
        try:
            local.write_bytes(manifest.model_dump_json().encode())
        except OSError as error:
            raise describe_write_error(error, str(folder)) from None
        words = ("copy", "--immutable", "--include", f"/{local.name}")  # copyto would replace one all the same
        self._rclone.run(*words, str(folder), f"{self._base}/manifests", retries=3)
        if self.read_manifest(manifest.id) != manifest:
            raise Failed(f"the manifest {manifest.id} is not what was written")

    def remove_manifests(self, ids: Collection[str]) -> None:
        """Remove backups; their contents stay."""
        self._delete("manifests", [f"{name}.json" for name in ids])

    # -- contents ----------------------------------------------------------------------------------------------------

    def list_blobs(self) -> dict[str, int]:
        """Sizes of all contents by name; what is left of uploads that were interrupted is among them."""
        return self._rclone.list_names(f"{self._base}/blobs", "--files-only") or {}

    def upload(self, staging: Path) -> None:
        """Put files, or what links point to, there by their names; what is there is never written again."""
        words = ("copy", "--copy-links", "--immutable", "--ignore-existing", "--transfers", "2", "--no-traverse")
        self._rclone.run(*words, str(staging), f"{self._base}/blobs", retries=3)

    def remove_blobs(self, names: Collection[str]) -> None:
        """Remove contents that no manifest names."""
        self._delete("blobs", names)

    def download(self, names: Collection[str], folder: Path) -> str:
        """Have contents in `folder`; gives what went wrong in words, "" where nothing did. Contents are not checked."""
        with _listing(names) as listed:
            words = ("copy", "--transfers", "4", "--files-from-raw", str(listed), "--no-traverse")
            try:
                self._rclone.run(*words, f"{self._base}/blobs", str(folder), retries=2)
            except Failed as error:
                return str(error)
        return ""

    def hash_blobs(self, names: Collection[str]) -> tuple[dict[str, str], str]:
        """SHA-256 of the decrypted contents by name, of those that can be read, and what went wrong in words."""
        with _listing(names) as listed:
            words = ("hashsum", "SHA256", "--download", "--checkers", "2", "--files-from-raw", str(listed))
            done = self._rclone.run(*words, f"{self._base}/blobs", allowed=range(256))
        lines = (line.split() for line in done.stdout.decode(errors="replace").splitlines())
        hashes = {words[1]: words[0] for words in lines if len(words) == 2 and _HASH.match(words[0])}
        return hashes, done.stderr.decode(errors="replace") if done.returncode else ""

    def _delete(self, folder: str, names: Collection[str]) -> None:
        if names:
            with _listing(names) as listed:
                self._rclone.run(
                    "delete", "--files-from-raw", str(listed), "--no-traverse", f"{self._base}/{folder}", retries=2
                )


@contextmanager
def opening(document: Document, inherited: tuple[int, ...] = (), stack: str = "") -> Iterator[Destination]:
    """The destination of a document, or of another stack's backups of the same workload.

    Raises:
        Failed: it is not there, does not answer, or the passphrase is not its own.
    """
    if isinstance(document.destination, Directory):
        _check_directory(Path(document.destination.path))
    with configuring(document, inherited) as rclone:
        destination = Destination(rclone, stack or document.stack, document.workload)
        destination.check_access()
        yield destination


def _check_directory(path: Path) -> None:
    if not path.is_dir():
        raise Failed(f"the directory {path} is not there: mount it, or name another destination")
    if not os.access(path, os.R_OK | os.W_OK | os.X_OK):
        raise Failed(f"the directory {path} cannot be written by user {os.getuid()}")


@contextmanager
def _listing(names: Collection[str]) -> Iterator[Path]:
    with tempfile.NamedTemporaryFile("w", prefix="names-", encoding="utf-8") as file:
        file.writelines(f"{name}\n" for name in sorted(names))
        file.flush()
        yield Path(file.name)
