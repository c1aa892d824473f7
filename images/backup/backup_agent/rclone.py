"""Calls of rclone (https://rclone.org/docs/), which encrypts (https://rclone.org/crypt/) and knows the destinations.

Secrets reach it in a configuration file of mode 0600, which is removed after the work, and never as arguments or in the
environment.
"""

from __future__ import annotations

import configparser
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from backup_agent.document import S3, Directory, Document, Sftp
from backup_agent.errors import Failed

PLAIN, CRYPT = "destination", "backup"
"""Names of the two remotes: what lies at the destination as it is, and the same decrypted."""
NOT_THERE = 3
"""Exit code for a directory that is not there: https://rclone.org/docs/#list-of-exit-codes."""
_PASSED = ("PATH", "SSL_CERT_FILE", "SSL_CERT_DIR")
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")
_COMMON = ("--contimeout", "15s", "--timeout", "60s", "--low-level-retries", "3")
_LIST_SECONDS = 1800
"""After this a destination that neither answers nor closes is one that is away."""
_STAMP = re.compile(r"^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d (?P<level>[A-Z]+) *: *")


def find_rclone() -> str:
    """The program on PATH, else beside this Python.

    Raises:
        Failed: there is none.
    """
    for path in (None, str(Path(sys.executable).parent)):
        if program := shutil.which("rclone", path=path):
            return program
    raise Failed("there is no program rclone on PATH")


def read_secret(path: str, what: str) -> str:
    """The secret in a file, without the line's end.

    Raises:
        Failed: the file is absent, unreadable, empty or has several lines.
    """
    try:
        text = Path(path).read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise Failed(f"{what}: {path} cannot be read: {reason}") from None
    if not text.strip() or "\n" in text:
        raise Failed(f"{what}: {path} must hold one line that is not empty")
    return text


def obscure(secret: str) -> str:
    """A secret as rclone's configuration has passwords; it goes through standard input."""
    done = subprocess.run(
        [find_rclone(), "obscure", "-"], input=secret, capture_output=True, text=True, check=False, env=build_env()
    )
    if done.returncode:
        raise Failed(f"rclone obscure failed: {shorten_errors(done.stderr)}")
    return done.stdout.strip()


def build_env() -> dict[str, str]:
    """What rclone gets of the environment; settings that it would take from there are left out."""
    passed = {name: os.environ[name] for name in (*_PASSED, *_PROXIES) if name in os.environ}
    return {**passed, "HOME": tempfile.gettempdir(), "TMPDIR": tempfile.gettempdir()}


def describe_destination(document: Document) -> str:
    """The destination in words; nothing of it is a secret."""
    at = document.destination
    match at:
        case S3():
            return f"bucket {at.bucket}{f'/{at.prefix}' if at.prefix else ''} at {at.endpoint}"
        case Directory():
            return f"directory {at.path}{f'/{at.prefix}' if at.prefix else ''}"
        case Sftp():
            return f"{at.user}@{at.host}:{at.path}{f'/{at.prefix}' if at.prefix else ''}"


def build_settings(document: Document, folder: Path) -> dict[str, dict[str, str]]:
    """The sections of rclone's configuration; files that they name are written to `folder`."""
    at, secrets = document.destination, document.secrets
    match at:
        case S3():
            plain = {
                "type": "s3",
                "provider": at.provider,
                "endpoint": at.endpoint,
                "region": at.region,
                "env_auth": "false",
                "no_check_bucket": "true",  # a bucket is never made, and the key needs no right to make one
                "access_key_id": read_secret(secrets.accessKeyId or "", "the access key's id"),
                "secret_access_key": read_secret(secrets.secretAccessKey or "", "the secret access key"),
            }
            base = at.bucket
        case Directory():
            plain, base = {"type": "local"}, at.path
        case Sftp():
            known = folder / "known_hosts"
            known.write_text(f"[{at.host}]:{at.port} {at.hostKey}\n{at.host} {at.hostKey}\n", encoding="utf-8")
            plain = {
                "type": "sftp",
                "host": at.host,
                "port": str(at.port),
                "user": at.user,
                "key_file": secrets.privateKey or "",
                "known_hosts_file": str(known),
                "shell_type": "none",
                "disable_hashcheck": "true",
            }
            base = at.path
    root = "/".join(part for part in (base.rstrip("/") or "/", at.prefix.strip("/")) if part)
    crypt = {
        "type": "crypt",
        "remote": f"{PLAIN}:{root}",
        "filename_encryption": "standard",
        "directory_name_encryption": "true",
        "password": obscure(read_secret(secrets.passphrase, "the passphrase")),
    }
    return {PLAIN: plain, CRYPT: crypt}


def build_options(document: Document, folder: Path) -> tuple[str, ...]:
    """What its configuration has no place for, as arguments; files that they name are written to `folder`."""
    at = document.destination
    if not isinstance(at, S3) or not at.caCertificate:
        return ()
    trusted = folder / "ca.pem"
    trusted.write_text(at.caCertificate, encoding="utf-8")
    return ("--ca-cert", str(trusted))


class Rclone:
    """Calls with one configuration.

    Attributes:
        where: the destination in words.
        root: the destination's root as it is, such as destination:bucket/prefix.
    """

    def __init__(
        self, config: Path, where: str, root: str, inherited: tuple[int, ...] = (), options: tuple[str, ...] = ()
    ) -> None:
        self._base = [find_rclone(), "--config", str(config), *_COMMON, *options]
        self.where, self.root, self._inherited = where, root, inherited

    def run(
        self,
        *words: str,
        retries: int = 1,
        allowed: Iterable[int] = (0,),
        given: bytes | None = None,
        seconds: float | None = None,
    ) -> subprocess.CompletedProcess[bytes]:
        """Run a command to its end.

        The locks of the work go to the program: what a kill of this one leaves running still has them.

        Raises:
            Failed: it ends with a code that is not in `allowed`, or takes longer than `seconds`.
        """
        pause = ("--retries-sleep", "2s") if retries > 1 else ()  # rclone makes it after the last try as well
        command = [*self._base, "--retries", str(retries), *pause, *words]
        try:
            done = subprocess.run(
                command,
                input=given,
                stdin=subprocess.DEVNULL if given is None else None,
                capture_output=True,
                check=False,
                timeout=seconds,
                env=build_env(),
                pass_fds=self._inherited,
            )
        except subprocess.TimeoutExpired:
            raise Failed(f"the {self.where} does not answer: rclone {words[0]} took over {seconds:.0f} s") from None
        if done.returncode not in allowed:
            raise Failed(f"the {self.where}: rclone {words[0]}: {shorten_errors(done.stderr.decode(errors='replace'))}")
        return done

    def list_names(self, remote: str, *words: str) -> dict[str, int] | None:
        """Sizes by name of what lies directly in a directory, -1 for directories; None where it is not there."""
        done = self.run(
            *("lsf", "--format", "sp", "--separator", ";", *words, remote),
            allowed=(0, NOT_THERE), seconds=_LIST_SECONDS,
        )  # fmt: skip
        if done.returncode == NOT_THERE:
            return None
        pairs = (line.partition(";") for line in done.stdout.decode(errors="replace").splitlines())
        return {name: int(size) for size, _, name in pairs}

    def list_directories(self, remote: str) -> tuple[list[str], str]:
        """Names of the directories in a directory, none where it is not there, and what rclone says of others."""
        words = ("lsf", "--dirs-only", "--log-level", "NOTICE", remote)
        done = self.run(*words, allowed=(0, NOT_THERE), seconds=_LIST_SECONDS)
        names = [name.removesuffix("/") for name in done.stdout.decode(errors="replace").splitlines()]
        return names, done.stderr.decode(errors="replace")


def shorten_errors(text: str) -> str:
    """rclone's last words, without its clock: the error that ended it, or the last three lines."""
    lines = [line for line in text.splitlines() if line.strip()]
    errors = [_STAMP.sub("", line) for line in lines if (match := _STAMP.match(line)) and match["level"] != "INFO"]
    chosen = list(dict.fromkeys(errors or lines))[-2:]
    return "; ".join(chosen)[:800] or "it ended without a word"


@contextmanager
def configuring(document: Document, inherited: tuple[int, ...] = ()) -> Iterator[Rclone]:
    """Calls for a document's destination; their configuration is there for as long as the block runs.

    Raises:
        Failed: a secret cannot be read.
    """
    with tempfile.TemporaryDirectory(prefix="backup-") as name:  # of mode 0700
        folder = Path(name)
        settings = build_settings(document, folder)
        config = folder / "rclone.conf"
        _write_config(config, settings)
        options = build_options(document, folder)
        yield Rclone(config, describe_destination(document), settings[CRYPT]["remote"], inherited, options)


def _write_config(path: Path, settings: Mapping[str, Mapping[str, str]]) -> None:
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read_dict(settings)
    path.touch(0o600, exist_ok=False)
    with path.open("w", encoding="utf-8") as file:
        parser.write(file)
