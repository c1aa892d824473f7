"""Contents whose upload has begun and that nobody has checked yet, in a file that stays where a run is ended."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path

from backup_agent.errors import describe_write_error


class Pending:
    """The names of these contents."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, names: Collection[str]) -> None:
        """Note names before their upload begins.

        Raises:
            Failed: the file cannot be written.
        """
        draft = self._path.with_suffix(".draft")
        try:
            draft.write_text(json.dumps(sorted(names)), encoding="utf-8")
            draft.replace(self._path)
        except OSError as error:
            raise describe_write_error(error, str(self._path.parent)) from None

    def read(self) -> set[str]:
        """Those of a run that was ended; none where there was no such run."""
        try:
            return set(json.loads(self._path.read_text(encoding="utf-8")))
        except (OSError, ValueError):
            return set()

    def clear(self) -> None:
        """All are checked."""
        self._path.unlink(missing_ok=True)
