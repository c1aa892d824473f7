"""Official downloads: a publisher's archive, checked against the checksum file of the same publisher."""

from __future__ import annotations

import hashlib
import shutil
import socket
import tarfile
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

CONNECT_SECONDS = 5.0
"""A machine without the download answers nothing at all; more than this would only delay the build."""
READ_SECONDS = 60.0


class Unavailable(Exception):
    """The download cannot be had here; the next source is tried."""


@dataclass(frozen=True)
class Download:
    """A tar archive and the publisher's list of checksums that names it."""

    url: str
    checksums: str

    @property
    def file(self) -> str:
        """The archive's own name, as the checksum list spells it."""
        return self.url.rsplit("/", 1)[1]


def fetch_archive(download: Download, into: Path) -> None:
    """Unpack `download` into the directory `into`. Raises Unavailable when it is not to be had as promised."""
    published = find_checksum(_get_bytes(download.checksums).decode(errors="replace"), download.file)
    archive = into / download.file
    archive.write_bytes(_get_bytes(download.url))
    actual = hashlib.new(_find_algorithm(published), archive.read_bytes()).hexdigest()
    if actual != published:
        raise Unavailable(f"{download.url}: checksum {actual} is not the published {published}")
    with tarfile.open(archive) as tar:
        tar.extractall(into, filter="data")
    archive.unlink()


def find_checksum(listing: str, file: str) -> str:
    """The checksum of `file` in lines of the form `<hex>  <name>`. Raises Unavailable when it is not listed."""
    for line in listing.splitlines():
        fields = line.split()
        if len(fields) == 2 and fields[1].lstrip("*./") == file:
            return fields[0].lower()
    raise Unavailable(f"the publisher's checksum list does not name {file}")


def _find_algorithm(checksum: str) -> str:
    return {64: "sha256", 128: "sha512"}.get(len(checksum), "sha256")


def _get_bytes(url: str) -> bytes:
    _probe_host(url)
    request = urllib.request.Request(url, headers={"User-Agent": "observability-toolchain"})  # noqa: S310 - https below
    try:
        with urllib.request.urlopen(request, timeout=READ_SECONDS) as answer:  # noqa: S310 - only our own https URLs
            return bytes(answer.read())
    except (urllib.error.URLError, OSError, ValueError) as error:
        raise Unavailable(f"{url}: {error}") from error


def _probe_host(url: str) -> None:
    """Fail fast where nothing answers; a proxy from the environment is left to answer for itself."""
    if urllib.request.getproxies().get("https"):
        return
    host = urlsplit(url).hostname or ""
    try:
        socket.create_connection((host, 443), timeout=CONNECT_SECONDS).close()
    except OSError as error:
        raise Unavailable(f"{host}: {error}") from error


def empty_directory(directory: Path) -> None:
    """Remove all that a failed attempt left in `directory`."""
    for child in directory.iterdir():
        shutil.rmtree(child) if child.is_dir() else child.unlink()
