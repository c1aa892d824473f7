"""A copy of a stack's Pulumi state and secrets, beside its backups.

A copy is encrypted by the passphrase of the backups before an agent sees it, so whoever has that passphrase needs
nothing else of the machine that deployed the stack: neither its backend nor the passphrase that this encrypts with.

Encryption: https://cryptography.io/en/latest/fernet/, with a key by scrypt
(https://www.rfc-editor.org/rfc/rfc7914). Deployment: https://www.pulumi.com/docs/iac/cli/commands/pulumi_stack_export/.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import secrets
import subprocess
import textwrap
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.markup import escape

from cli import state
from cli.backups import STATE, Opened, build_command, describe_run, find_folder, list_agents, parse_run, read_secrets
from cli.hosts import Host
from cli.tasks import Task
from cli.workspace import ROOT, Workspace
from components.backup.settings import PASSPHRASE
from model.plan import Plan
from model.scope import TARGETS
from model.workload import Workload

HEADER = "observability-state-1"
_PIECE = 48_000
"""Characters of a copy that one call hands to an agent: a cluster's API takes a command as a URL."""
_LINE = 1_000
_MARK = "state-copy"
"""The file that remembers which state was copied."""
_WAIT = 60.0


@dataclass(frozen=True, kw_only=True)
class StateCopy:
    """A stack's deployment, as Pulumi exports it, and the secrets of its configuration by name; both in clear.

    Attributes:
        stack: whose it is; the names of all resources have it in them.
        saved: when it was taken (RFC 3339).
        settings: the stack's own file as it was, for people.
    """

    stack: str
    saved: str
    deployment: Mapping[str, Any]
    secrets: Mapping[str, str]
    settings: str


# -- encryption ------------------------------------------------------------------------------------------------------


def seal_copy(copy: StateCopy, passphrase: str) -> str:
    """A copy as a text that the passphrase opens, in lines of printable characters."""
    from cryptography.fernet import Fernet  # noqa: PLC0415 - few commands need it

    salt = secrets.token_bytes(16)
    packed = zlib.compress(json.dumps(asdict(copy)).encode(), 9)
    token = Fernet(_derive_key(passphrase, salt)).encrypt(packed).decode()
    return "\n".join([HEADER, base64.urlsafe_b64encode(salt).decode(), *textwrap.wrap(token, _LINE), "."])


def open_copy(lines: Sequence[str], passphrase: str) -> StateCopy:
    """The copy of a text, around which there may be other lines.

    Raises:
        RuntimeError: there is none, it is damaged, or another passphrase opens it.
    """
    from cryptography.fernet import Fernet, InvalidToken  # noqa: PLC0415

    every = [line.strip() for line in lines]
    if HEADER not in every:
        raise RuntimeError(f"no copy of a state: {' '.join(every)[-500:]}")
    body = [line for line in every[every.index(HEADER) + 1 :] if re.fullmatch(r"[A-Za-z0-9_=-]+", line)]
    try:
        salt = base64.urlsafe_b64decode(body[0])
        packed = Fernet(_derive_key(passphrase, salt)).decrypt("".join(body[1:]))
        return StateCopy(**json.loads(zlib.decompress(packed)))
    except (InvalidToken, IndexError, ValueError, TypeError):
        raise RuntimeError(f"the copy of the state is damaged, or {PASSPHRASE} is not the one of then") from None


def _derive_key(passphrase: str, salt: bytes) -> bytes:
    return base64.urlsafe_b64encode(
        hashlib.scrypt(passphrase.encode(), salt=salt, n=2**15, r=8, p=1, maxmem=2**26, dklen=32)
    )


# -- taking one ------------------------------------------------------------------------------------------------------


def take_copy(space: Workspace) -> StateCopy:
    """What is needed to go on with a stack where nothing of its machine is left.

    Raises:
        subprocess.CalledProcessError: the state cannot be read.
    """
    return StateCopy(
        stack=space.stack,
        saved=datetime.now(UTC).isoformat(timespec="seconds"),
        deployment=state.export_deployment(space),
        secrets=state.read_secrets(space),
        settings=(ROOT / f"Pulumi.{space.stack}.yaml").read_text(encoding="utf-8"),
    )


def compute_digest(copy: StateCopy) -> str:
    """Which state it is, whenever it was taken, in hexadecimal digits.

    What an engine or a cluster says of a resource, which each reading writes down anew, makes no other state, and
    neither does the order of resources, which is that of the moment.
    """
    every = sorted(
        json.dumps(
            [item["urn"], item.get("id"), item.get("inputs"), not _is_read(item) and item.get("outputs")],
            sort_keys=True,
        )
        for item in copy.deployment.get("resources") or ()
    )
    return hashlib.sha256(json.dumps([every, copy.secrets], sort_keys=True).encode()).hexdigest()


def _is_read(resource: Mapping[str, Any]) -> bool:
    return str(resource.get("type")).partition(":")[0] in TARGETS


def save_state(space: Workspace, plan: Plan, host: Host, console: Console, *, changed: bool = False) -> bool:
    """Stores a copy; with `changed` only where the state is another one than that of the last. Whether one is there.

    A run that deployed well is well, even where this fails: it is said, and `make backups` shows how old the copy is.
    """
    agent = list_agents(plan)[0]
    try:
        copy = take_copy(space)
        mark, digest = space.memory / _MARK, compute_digest(copy)
        if changed and mark.exists() and mark.read_text(encoding="utf-8") == digest:
            return True
        console.print(f"[bold]== {STATE}[/]")
        store_text(host, agent, seal_copy(copy, copy.secrets[PASSPHRASE]), console)
    except (RuntimeError, subprocess.CalledProcessError) as error:
        words = escape(str(getattr(error, "stderr", None) or error).strip())
        console.print(f"   [red]there is no copy of the state of now: {words}[/]")
        return False
    space.memory.mkdir(parents=True, exist_ok=True)
    mark.write_text(digest, encoding="utf-8")
    return True


def store_text(host: Host, agent: Workload, text: str, console: Console) -> None:
    """Has an agent make a backup of a text, which it gets in pieces.

    Raises:
        RuntimeError: it does not run, or there is no backup of it.
    """
    lines: list[str] = []
    for begin in range(0, len(text), _PIECE):
        first = ("--begin",) if begin == 0 else ()
        command = build_command("append", "--name", STATE, *first, f"--text={text[begin : begin + _PIECE]}")
        if host.run_program(agent.name, command, lines.append):
            raise RuntimeError(" ".join(lines)[-500:])
    digest = hashlib.sha256(text.encode()).hexdigest()
    command = build_command("store", "--name", STATE, "--sha256", digest, "--wait", str(_WAIT))
    code = host.run_program(agent.name, command, lines.append)
    done = parse_run(lines[-1] if lines else "")
    if code or done is None:
        raise RuntimeError(" ".join(lines)[-500:])
    console.print(f"   {describe_run(done)}")


def fetch_copy(opened: Opened, wanted: str) -> StateCopy:
    """A copy from the destination: of an ID, or the newest one (`latest`). Nothing of the stack need run.

    Raises:
        RuntimeError: there is none, it cannot be reached, or the passphrase is another one.
    """
    agent = list_agents(opened.plan)[0]
    command = build_command("fetch", "--name", STATE, "--id", wanted, folder=find_folder(opened.plan))
    secret_files = read_secrets(opened.space, agent)
    task = Task(agent=agent, command=command, secrets=secret_files)
    lines: list[str] = []
    if code := opened.host.open_tasks(opened.plan).run(task, lines.append):
        raise RuntimeError(f"exit status {code}: {' '.join(lines)[-500:]}")
    return open_copy(lines, next(secret_files[file.path] for file in agent.secrets if file.secret == PASSPHRASE))
