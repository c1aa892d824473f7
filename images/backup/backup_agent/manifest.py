"""What one backup consists of: a JSON document that is written last, so that half a backup is never one."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import PurePosixPath
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from backup_agent.errors import Failed, Refused

FORMAT = 1
ID = re.compile(r"^\d{8}T\d{6}Z$")
HASH = r"^[0-9a-f]{64}$"
_ID_FORMAT = "%Y%m%dT%H%M%SZ"


def _check_path(text: str) -> str:
    path = PurePosixPath(text)
    if path.is_absolute() or not path.parts or ".." in path.parts or "\0" in text:
        raise ValueError("leads out of the data")
    return text


InnerPath = Annotated[str, AfterValidator(_check_path)]


class Part(BaseModel):
    """A part of a manifest."""

    model_config = ConfigDict(frozen=True, strict=True)


class FileEntry(Part):
    """A file: path below the data, bytes, permissions, time of change in nanoseconds, SHA-256 of its content."""

    path: InnerPath
    size: int = Field(ge=0)
    mode: int = Field(ge=0, le=0o7777)
    mtime_ns: int
    sha256: str = Field(pattern=HASH)


class DirectoryEntry(Part):
    """A directory and its permissions."""

    path: InnerPath
    mode: int = Field(ge=0, le=0o7777)


class LinkEntry(Part):
    """A symbolic link and what it points to."""

    path: InnerPath
    target: str


class Manifest(Part):
    """One backup. `began` and `ended` are RFC 3339, `bytes` is the size of all files, `version` the agent's."""

    format: Literal[1] = 1
    stack: str
    workload: str
    volume: str
    id: str = Field(pattern=ID.pattern)
    began: str
    ended: str
    version: str
    files: tuple[FileEntry, ...]
    directories: tuple[DirectoryEntry, ...] = ()
    links: tuple[LinkEntry, ...] = ()
    bytes: int

    def list_blobs(self) -> dict[str, int]:
        """The contents that it consists of: size by hash."""
        return {file.sha256: file.size for file in self.files}


def parse_manifest(text: bytes, name: str) -> Manifest:
    """The manifest of a JSON text.

    Raises:
        Refused: it is of a newer format.
        Failed: it is no manifest.
    """
    try:
        form = json.loads(text).get("format")
    except (ValueError, AttributeError):
        raise Failed(f"the manifest {name} is no JSON object: it is damaged") from None
    if isinstance(form, int) and form > FORMAT:
        raise Refused(
            f"the backup {name} is of format {form}, and this version reads format {FORMAT}: use a newer version"
        )
    try:
        return Manifest.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise Failed(f"the manifest {name} is damaged: {place}: {first['msg']}") from None


def format_id(time: datetime) -> str:
    """A backup's id: the UTC time at which it began."""
    return time.astimezone(UTC).strftime(_ID_FORMAT)


def parse_id(name: str) -> datetime:
    """The time of an id."""
    return datetime.strptime(name, _ID_FORMAT).replace(tzinfo=UTC)


def choose_id(now: datetime, ids: list[str]) -> str:
    """An id for a backup that begins now; ids are in the order of their backups even where a clock went back."""
    newest = max(ids, default="")
    chosen = format_id(now)
    return chosen if chosen > newest else format_id(parse_id(newest) + timedelta(seconds=1))


def format_time(time: datetime) -> str:
    """A time as RFC 3339 in UTC."""
    return time.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def parse_time(text: str) -> float:
    """Seconds since 1970 of an RFC 3339 time."""
    return datetime.fromisoformat(text).timestamp()
