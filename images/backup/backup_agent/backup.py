"""One backup: read, upload what is new, see that all is there, write the manifest, remove what is too old."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from backup_agent import VERSION
from backup_agent.capture import Captured, Reader, Signature, describe_state
from backup_agent.destination import Destination, opening
from backup_agent.document import Directory, Document
from backup_agent.errors import BackupError, Failed, describe_write_error
from backup_agent.lock import locking
from backup_agent.manifest import Manifest, choose_id, format_time, parse_time
from backup_agent.pending import Pending
from backup_agent.retention import choose_staying
from backup_agent.scan import Vanished
from backup_agent.state import change_state, read_state

PASSES = 3
BATCH_BYTES, BATCH_FILES = 1024**3, 5000
"""What is uploaded before the next step; a run that is ended begins again with this much at most."""
MARKER = ".restore-incomplete"
"""Lies in a directory that a restore has not filled yet."""
Say = Callable[[str], None]


@dataclass(frozen=True)
class Report:
    """What a backup did; sizes are bytes."""

    id: str
    bytes: int
    files: int
    uploaded_bytes: int
    seconds: float


def run_backup(document: Document, say: Say, wait: float = 0) -> Report:
    """Make a backup now.

    Raises:
        Refused: another piece of work is under way for longer than `wait` seconds.
        Failed: there is no backup, and why; or there is one, and older ones could not be removed.
    """
    scratch = Path(document.scratch)
    with locking(scratch / "lock", wait, say, "a backup or verification of this workload is under way") as lock:
        began = time.time()
        change_state(document.scratch, run_at=began)
        try:
            report = _Run(document, say, lock, began).make()
        except Exception as error:
            change_state(document.scratch, run_successful=False, run_error=str(error), run_seconds=time.time() - began)
            raise
        change_state(document.scratch, run_successful=True, run_error="", run_seconds=report.seconds)
        return report


class _Run:
    """One backup with the lock."""

    def __init__(self, document: Document, say: Say, lock: int, began: float) -> None:
        self._document, self._say, self._lock, self._began = document, say, lock, began
        scratch = Path(document.scratch)
        self._copies, self._staging = scratch / "copies", scratch / "staging"
        self._manifests = scratch / "manifests"
        self._pending = Pending(scratch / "pending.json")
        self._uploaded: dict[str, int] = {}

    def make(self) -> Report:
        if (Path(self._document.data) / MARKER).exists():
            raise Failed(f"{self._document.data} is a restore that has not ended: restore it to its end first")
        self._say(f"backup of {self._document.workload} ({self._document.volume})")
        with opening(self._document, (self._lock,)) as destination:
            change_state(self._document.scratch, destination_up=True)
            try:
                manifest = self._make_copy(destination)
            finally:
                self._clean()
        seconds = round(time.time() - self._began, 3)
        return Report(manifest.id, manifest.bytes, len(manifest.files), sum(self._uploaded.values()), seconds)

    def _make_copy(self, destination: Destination) -> Manifest:
        ids = destination.fetch_manifests(self._manifests)
        self._check_ids(destination, ids)
        newest = self._read_newest(destination, ids)
        present = destination.list_blobs()
        self._remove_pending(destination, present, ids)
        reader = Reader(self._document, self._copies, {file.path: file for file in newest.files} if newest else {})
        captured = self._capture(destination, reader, present)
        there = destination.list_blobs()
        manifest = self._finish(destination, captured, ids, there)
        change_state(self._document.scratch, previous_size=newest.bytes if newest else 0)
        self._remove_old(destination, [*ids, manifest.id], there)
        return manifest

    def _check_ids(self, destination: Destination, ids: list[str]) -> None:
        """See that a destination that had backups still has some."""
        state = read_state(self._document.scratch)
        if not ids and state.copies and state.destination == destination.where:
            raise Failed(
                f"the {destination.where} had {state.copies} backups and has none: is another volume mounted there, or "
                "the bucket another one? To begin anew, give it another prefix"
            )

    def _read_newest(self, destination: Destination, ids: list[str]) -> Manifest | None:
        """The newest backup; None where there is none, or where it is one that cannot be read."""
        try:
            return destination.load_manifest(self._manifests, ids[-1]) if ids else None
        except BackupError as error:
            self._say(f"every file is read again: {error}")
            return None

    def _remove_pending(self, destination: Destination, present: dict[str, int], ids: list[str]) -> None:
        """Remove what a run has uploaded that was ended before it saw that the files had stayed the same."""
        if names := self._pending.read() & present.keys():
            names -= self._list_named(destination, ids)
            destination.remove_blobs(names)
            for name in names:
                del present[name]
        self._pending.clear()

    def _list_named(self, destination: Destination, ids: Collection[str]) -> set[str]:
        """The contents that backups consist of."""
        named: set[str] = set()
        for name in ids:
            named |= destination.load_manifest(self._manifests, name).list_blobs().keys()
        return named

    def _capture(self, destination: Destination, reader: Reader, present: dict[str, int]) -> Captured:
        """Read and upload until the set is one that existed."""
        problem = ""
        for number in range(1, PASSES + 1):
            try:
                captured = reader.read()
                if not captured.files:
                    raise Failed(f"nothing to back up: {self._document.data} has no file")
                self._say(f"read {len(captured.files)} files of {sum(f.size for f in captured.files.values())} bytes")
                self._upload_missing(destination, captured, present)
                return captured
            except Vanished as error:
                problem = str(error)
                self._say(f"pass {number} of {PASSES}: {problem}")
        raise Failed(f"{self._document.data} changed in each of {PASSES} passes, in the last one {problem}")

    # -- upload ------------------------------------------------------------------------------------------------------

    def _upload_missing(self, destination: Destination, captured: Captured, present: dict[str, int]) -> None:
        wanted = {file.sha256: file.size for file in captured.files.values()}
        damaged = set(read_state(self._document.scratch).damaged)
        missing = {name: size for name, size in wanted.items() if present.get(name) != size or name in damaged}
        total, done = sum(missing.values()), 0
        for batch in build_batches(missing):
            self._upload_batch(destination, captured, batch, present)
            done += sum(batch.values())
            self._say(f"uploaded {done} of {total} bytes")
        if damaged:
            change_state(self._document.scratch, damaged=tuple(sorted(damaged - missing.keys())))

    def _upload_batch(
        self, destination: Destination, captured: Captured, batch: dict[str, int], present: dict[str, int]
    ) -> None:
        wrong = batch.keys() & present.keys()
        for name in wrong:
            self._say(f"a content at the destination is damaged and uploaded again: {name}")
            del present[name]
        destination.remove_blobs(wrong)
        self._pending.write(batch)
        self._stage(captured, batch)
        problem: Failed | None = None
        try:
            destination.upload(self._staging)
        except Failed as error:
            problem = error
        # what has changed between its reading and now may have been uploaded under the name of another content
        if changed := [name for name in batch if name in captured.places and _has_changed(*captured.places[name])]:
            destination.remove_blobs(changed)
            self._pending.clear()
            raise Vanished(f"{captured.places[changed[0]][0]} has changed or is gone")
        self._pending.clear()
        if problem:
            raise problem
        present |= batch
        self._uploaded |= batch

    def _stage(self, captured: Captured, names: Collection[str]) -> None:
        try:
            make_empty(self._staging)
            for name in names:
                place = captured.copies.get(name) or captured.places[name][0]
                (self._staging / name).symlink_to(place)
        except OSError as error:
            raise describe_write_error(error, self._document.scratch) from None

    # -- end ---------------------------------------------------------------------------------------------------------

    def _finish(
        self, destination: Destination, captured: Captured, ids: list[str], there: Mapping[str, int]
    ) -> Manifest:
        """See that every content is there with its size, and write the manifest."""
        files = tuple(captured.files[path] for path in sorted(captured.files))
        if lost := sorted(file.path for file in files if there.get(file.sha256) != file.size):
            raise Failed(
                f"the {destination.where} does not have {len(lost)} files after their upload, such as {lost[0]}"
            )
        if isinstance(self._document.destination, Directory):
            os.sync()  # the manifest must not outlive a power failure that its contents do not
        manifest = Manifest(
            stack=self._document.stack,
            workload=self._document.workload,
            volume=self._document.volume,
            id=choose_id(datetime.fromtimestamp(self._began, UTC), ids),
            began=format_time(datetime.fromtimestamp(self._began, UTC)),
            ended=format_time(datetime.now(UTC)),
            version=VERSION,
            files=files,
            directories=tuple(captured.directories[path] for path in sorted(captured.directories)),
            links=tuple(captured.links[path] for path in sorted(captured.links)),
            bytes=sum(file.size for file in files),
        )
        destination.write_manifest(manifest, self._manifests)
        self._say(f"the backup {manifest.id} is complete")
        change_state(
            self._document.scratch,
            success_at=time.time(),
            size=manifest.bytes,
            files=len(files),
            uploaded_bytes=sum(self._uploaded.values()),
            newest_at=parse_time(manifest.ended),
            copies=len(ids) + 1,
            destination=destination.where,
        )
        return manifest

    def _remove_old(self, destination: Destination, ids: list[str], there: Mapping[str, int]) -> None:
        """Remove backups that are too old, and then the contents that no other one has."""
        try:
            staying = choose_staying(ids, self._document.keep)
            destination.remove_manifests(set(ids) - staying)
            change_state(self._document.scratch, copies=len(staying))
            destination.remove_blobs(there.keys() - self._list_named(destination, staying))
        except BackupError as error:
            raise Failed(f"the backup {ids[-1]} is complete, but older ones could not be removed: {error}") from None

    def _clean(self) -> None:
        for folder in (self._copies, self._staging):
            shutil.rmtree(folder, ignore_errors=True)


def build_batches(sizes: Mapping[str, int]) -> Iterator[dict[str, int]]:
    """Contents in batches of bounded size, each of one at least."""
    batch: dict[str, int] = {}
    for name, size in sizes.items():
        if batch and (len(batch) >= BATCH_FILES or sum(batch.values()) + size > BATCH_BYTES):
            yield batch
            batch = {}
        batch[name] = size
    if batch:
        yield batch


def make_empty(folder: Path) -> None:
    """Have an empty directory."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


def _has_changed(path: Path, signature: Signature) -> bool:
    try:
        return describe_state(path.lstat()) != signature
    except OSError:
        return True
