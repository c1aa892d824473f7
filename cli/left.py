"""What is left of a stack that was removed, and the command that removes that too."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence

from cli.workspace import Workspace
from model.places import locate_settings_file

_HINTS = (
    "The resources in the stack have been deleted, but the history and configuration",
    "If you want to remove the stack completely, run",
)
"""What `pulumi destroy` ends with: a local stack is removed anyway, and its command takes the settings' file away."""


def drop_hints(say: Callable[[str], object]) -> Callable[[str], None]:
    """Takes lines of `pulumi destroy` one by one, and hands them to `say` without its hints."""

    def take(line: str) -> None:
        if not line.startswith(_HINTS):
            say(line)

    return take


def list_left(space: Workspace, volumes: Sequence[str], stored: Collection[str], *, purge: bool) -> Iterator[str]:
    """What is left, as lines.

    Args:
        space: the stack that was removed.
        volumes: its data volumes before that.
        stored: names of the secrets in its configuration after it.
        purge: whether the volumes were removed as well.
    """
    names = ", ".join(sorted(stored))
    if volumes:
        yield f"{'Removed' if purge else 'Kept'} data volumes: {', '.join(volumes)}"
    if space.local and stored:
        yield f"Kept secrets: {names} (encrypted, in {space.directory / locate_settings_file(space.stack)})"
    if (volumes or (space.local and stored)) and not purge:
        yield (
            f"The next make up STACK={space.stack} takes them over;"
            f" make down STACK={space.stack} PURGE=1 removes data and generated secrets"
        )
    elif space.local and stored:
        yield f"You have set them yourself: make secret STACK={space.stack} NAME=… REMOVE=1 removes one"
    if not space.local:
        where = space.backend or "the backend of your login"
        yield (
            f"Kept in {where}: the stack's history, which nothing needs;"
            f" pulumi stack rm --preserve-config {space.stack} removes it"
        )
