"""The document that says what is backed up, when and where to; the stack's program writes it.

No value in it is a secret: those are files, whose paths stand in `secrets`.
"""

from __future__ import annotations

import hashlib
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from backup_agent.schedule import parse_crontab

FORMAT = 1
NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"
"""Names of stacks and workloads: they are folders at the destination."""


def _check_crontab(text: str) -> str:
    parse_crontab(text)
    return text


def _check_inner_path(text: str) -> str:
    path = PurePosixPath(text)
    if path.is_absolute() or ".." in path.parts or not path.parts:
        raise ValueError("must be a path below the data, such as wal or plugins/state.db")
    return text


def _check_absolute(text: str) -> str:
    if not PurePosixPath(text).is_absolute() or "\n" in text:
        raise ValueError("must be an absolute path, such as /data")
    return text


def _check_line(text: str) -> str:
    if any(ord(character) < 32 for character in text):
        raise ValueError("must be one line")  # a second one would be a setting of its own for rclone
    return text


Crontab = Annotated[str, AfterValidator(_check_crontab)]
InnerPath = Annotated[str, AfterValidator(_check_inner_path)]
AbsolutePath = Annotated[str, AfterValidator(_check_absolute)]
Line = Annotated[str, AfterValidator(_check_line)]
Filled = Annotated[str, Field(min_length=1), AfterValidator(_check_line)]


class Part(BaseModel):
    """A part of the document; keys that nobody reads are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Keep(Part):
    """How many backups stay: the newest one of each of so many days, ISO weeks and months that have one."""

    daily: int = Field(7, ge=0)
    weekly: int = Field(4, ge=0)
    monthly: int = Field(6, ge=0)


class S3(Part):
    """A bucket of an S3 service: https://rclone.org/s3/."""

    type: Literal["s3"]
    endpoint: Filled
    region: Line = ""
    bucket: Filled
    prefix: Line = ""
    provider: Filled = "Other"
    caCertificate: str = ""
    """PEM text of who signed the server's certificate; what this machine trusts when empty."""


class Directory(Part):
    """A directory of this machine, or one of another machine that is mounted."""

    type: Literal["directory"]
    path: AbsolutePath
    prefix: Line = ""


class Sftp(Part):
    """A directory of an SFTP server, whose only accepted key is `hostKey`: https://rclone.org/sftp/."""

    type: Literal["sftp"]
    host: Filled
    port: int = Field(22, ge=1, le=65535)
    user: Filled
    path: Filled
    prefix: Line = ""
    hostKey: Filled


class Secrets(Part):
    """Files with secrets: the passphrase of every destination, and what its type needs beside it."""

    passphrase: AbsolutePath
    accessKeyId: AbsolutePath | None = None
    secretAccessKey: AbsolutePath | None = None
    privateKey: AbsolutePath | None = None


SECRETS = {"s3": ("accessKeyId", "secretAccessKey"), "directory": (), "sftp": ("privateKey",)}
"""The secrets that each type of destination needs beside the passphrase."""


class Document(Part):
    """What is backed up, when and where to.

    `order` are path prefixes that are read first, in that order. `exclude` are patterns of whole paths below the data,
    in which * stands for any text, also over several folders. `sqlite` are databases that SQLite itself copies.
    `schedule` and `verify` are crontab expressions in UTC.
    """

    format: Literal[1]
    stack: str = Field(pattern=NAME)
    workload: str = Field(pattern=NAME)
    volume: Filled
    data: AbsolutePath
    scratch: AbsolutePath
    order: tuple[InnerPath, ...] = ()
    exclude: tuple[Filled, ...] = ()
    sqlite: tuple[InnerPath, ...] = ()
    schedule: Crontab
    verify: Crontab
    keep: Keep = Field(default_factory=Keep)
    destination: Annotated[S3 | Directory | Sftp, Field(discriminator="type")]
    secrets: Secrets

    @model_validator(mode="after")
    def _check_secrets(self) -> Document:
        kind = self.destination.type
        missing = [name for name in SECRETS[kind] if getattr(self.secrets, name) is None]
        if missing:
            raise ValueError(f"secrets: a destination of type {kind} needs the files {', '.join(missing)}")
        return self


def parse_document(text: bytes) -> Document:
    """The document of a JSON text.

    Raises:
        ValueError: the text is no document; every problem is named with its place.
    """
    try:
        return Document.model_validate_json(text)
    except ValidationError as error:
        problems = [f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors(include_input=False)]
        raise ValueError("; ".join(problem.removeprefix(": ") for problem in problems)) from None


class DocumentFile:
    """A document in a file, read again when the file has become another one.

    Attributes:
        digest: SHA-256 of the text that is used, in hexadecimal digits.
        error: why the newest text was refused, "" where it was not; the one before it is used then.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seen: tuple[int, ...] = ()
        self.error = ""
        self._read(self._describe_file())

    def get(self) -> Document:
        """The document as it stands in the file now, or the last one that could be read."""
        if (seen := self._describe_file()) != self._seen:
            try:
                self._read(seen)
            except (OSError, ValueError) as error:
                self._seen, self.error = seen, str(error)
        return self._document

    def _describe_file(self) -> tuple[int, ...]:
        try:
            state = self.path.stat()  # through links, which a delivery switches
        except OSError:
            return self._seen
        return (state.st_ino, state.st_dev, state.st_mtime_ns, state.st_size)

    def _read(self, seen: tuple[int, ...]) -> None:
        text = self.path.read_bytes()
        self._document = parse_document(text)
        self.digest, self._seen, self.error = hashlib.sha256(text).hexdigest(), seen, ""
