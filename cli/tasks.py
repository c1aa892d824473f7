"""Programs that run once for a stack that does not: with the image, the document and the secrets of a backup agent."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from model.workload import Workload

Say = Callable[[str], None]
"""Takes a line of what a program prints, as it comes."""
NOT_OURS = frozenset({".observability", "lost+found"})
"""What may be in a volume without data: the mark of a delivery, and what file systems make themselves."""
INCOMPLETE = ".restore-incomplete"
"""The mark of a restore that was cut short, which a second one goes on with."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """A program of an agent's image: its command line, the content of secret files by path, and the volume that it
    fills by name; empty where it needs none.
    """

    agent: Workload
    command: tuple[str, ...]
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    volume: str = ""


class Tasks(Protocol):
    """Where tasks run: the engine or the cluster of a stack."""

    def list_running(self) -> list[str]:
        """Names of what runs of the stack."""

    def list_volumes(self, agent: Workload) -> list[str]:
        """Names of the volumes that have the data of what an agent stands beside, one for each instance."""

    def list_content(self, agent: Workload, volume: str) -> list[str]:
        """What is in a volume, by name; nothing where it is not there.

        Raises:
            RuntimeError: it cannot be looked into.
        """

    def make_volume(self, agent: Workload, volume: str) -> None:
        """Makes a volume as the next `up` takes it over, for the user who will write to it."""

    def run(self, item: Task, say: Say) -> int:
        """Runs a task to its end, and returns its exit status.

        Raises:
            RuntimeError: it could not be started.
        """


def read_lines(chunks: Sequence[bytes] | Iterator[bytes], say: Say) -> None:
    """Hands lines to `say` as they come in pieces of any length; an unfinished last one, too."""
    rest = b""
    for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            say(line.decode(errors="replace").rstrip("\r"))
    if rest:
        say(rest.decode(errors="replace"))
