"""The real deliver.sh with its three directories moved, under the real busybox, beside a process that a test plays."""

from __future__ import annotations

import hashlib
import itertools
import re
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from model.workload import Reload
from targets.docker.delivery import SCRIPT, pack_documents
from targets.environment import build_reload_environment
from tests.support import alerting
from tests.support.alerting import Quiet
from toolchain.context import build_default_context
from toolchain.recipe import BUSYBOX

SECONDS = 60
"""After which a delivery has hung."""
_COUNTING = """#!/bin/sh
read -r n <'{folder}/count'
read -r last <'{folder}/last'
n=$((n + 1))
echo "$n" >'{folder}/count'
[ "$n" != "$last" ] || kill -9 0
exec '{busybox}' "$@"
"""
"""A busybox that counts its calls, and at one of them ends the whole delivery as SIGKILL does."""


class Volume:
    """A configuration volume, and the script that delivers to it."""

    def __init__(self, folder: Path, *, name: str = "server") -> None:
        self.folder, self.name = folder, name
        self.config, self._count, self._last = folder / "config", folder / "count", folder / "last"
        for part in ("config", "tools", "tmp"):
            (folder / part).mkdir(parents=True)
        self._busybox = BUSYBOX.ensure(build_default_context()) / "root/bin/busybox"  # the program itself
        self._counting = folder / "counting"
        self._counting.write_text(_COUNTING.format(folder=folder, busybox=self._busybox))
        self._counting.chmod(0o755)
        self.script = folder / "deliver.sh"
        self.script.write_text(self.moved(SCRIPT.read_text(encoding="utf-8")))

    def moved(self, text: str) -> str:
        """A text with this volume's directories in the place of the container's."""
        return re.sub("/(config|tools|tmp|documents)\\b", lambda found: f"{self.folder}/{found[1]}", text)

    def send(self, files: Mapping[str, str]) -> None:
        """Documents arrive, as by the upload of a container."""
        (self.folder / "documents").write_text(pack_documents(files))

    def run(
        self, revision: str, reload: Reload | None = None, *, killed_at: int = 0, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """One delivery of what has arrived; `killed_at` is the number of the call of busybox at which it is killed."""
        self._count.write_text("0\n")
        self._last.write_text(f"{killed_at}\n")
        program = self.folder / "tools" / "busybox"
        program.unlink(missing_ok=True)
        program.symlink_to(self._counting if killed_at else self._busybox)
        told = {"NAME": self.name, "OWNER": "0", "REVISION": revision, "HOST": "127.0.0.1"}
        told |= (build_reload_environment(reload) if reload else {}) | dict(env or {})
        return subprocess.run(
            [program, "sh", self.script],
            env=told, start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            timeout=SECONDS, check=False,
        )  # fmt: skip

    def deliver(
        self, revision: str, files: Mapping[str, str], reload: Reload | None = None, **env: str
    ) -> subprocess.CompletedProcess[str]:
        """Documents arrive and are delivered."""
        self.send(files)
        return self.run(revision, reload, env=env)

    def killed(self, revision: str, files: Mapping[str, str], reload: Reload | None = None) -> Iterator[int]:
        """Deliveries to the volume as it is now that are killed at their first, second, ... step, until one ends."""
        before = self._copy("before")
        for step in itertools.count(1):
            self._replace(before)
            self.send(files)
            if self.run(revision, reload, killed_at=step).returncode != -signal.SIGKILL:
                return
            yield step

    @contextmanager
    def restored(self) -> Iterator[None]:
        """Afterwards the volume is again what it was before."""
        now = self._copy("now")
        yield
        self._replace(now)

    def _copy(self, name: str) -> Path:
        shutil.rmtree(self.folder / name, ignore_errors=True)
        return Path(shutil.copytree(self.config, self.folder / name, symlinks=True))

    def _replace(self, content: Path) -> None:
        shutil.rmtree(self.config)
        shutil.copytree(content, self.config, symlinks=True)

    def seen(self) -> dict[str, str]:
        """What the process finds in its directory: every file by its path."""
        links = [path for path in self.config.iterdir() if not path.name.startswith(".")]
        found = [file for link in links for file in ([link] if link.is_file() else link.rglob("*")) if file.is_file()]
        return {str(path.relative_to(self.config)): path.read_text() for path in found}


class Process:
    """A process that reads a volume: it loads on request, or at once, and says in its own ways what it runs.

    `refuses` is asked with the documents and answers why they are not taken.
    """

    def __init__(self, volume: Volume, *, watches: bool = False) -> None:
        self._volume, self._watches = volume, watches
        self.loaded: dict[str, str] = {}
        self.reloads = 0
        self.refuses: Callable[[dict[str, str]], str] = lambda _: ""

    def load(self) -> str:
        """Takes the documents as they lie there; returns why not."""
        documents = self._volume.seen()
        refused = self.refuses(documents)
        if not refused:
            self.loaded = documents
        return refused

    def answer(self, method: str, path: str) -> tuple[int, str]:
        """Status and body of one request."""
        if method == "POST":
            self.reloads += 1
            refused = self.load()
            return (500, refused) if refused else (200, "")
        if self._watches:
            self.load()
        if path == "/revision":
            return 200, self.loaded.get("revision", "")
        sums = [hashlib.sha256(text.encode()).hexdigest() for text in self.loaded.values()]
        return 200, "".join(f'hash{{sha256="{item}"}} 1\n' for item in sums) + "ok 1\n"


@contextmanager
def served(process: Process) -> Iterator[int]:
    """The process listens; yields its port."""

    class Handler(Quiet):
        """Answers for the process."""

        def _answer(self) -> None:
            status, text = process.answer(self.command, self.path)
            self.send_response(status)
            self.end_headers()
            self.wfile.write(text.encode())

        do_GET = do_POST = _answer

    with alerting.served(Handler) as port:
        yield port
