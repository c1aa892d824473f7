"""How work ends that does not succeed; the text says what is wrong and what would be right."""

from __future__ import annotations

import errno


class BackupError(Exception):
    """Work that ends in words; `code` is the program's exit code."""

    code = 1


class Failed(BackupError):
    """The work was tried and did not succeed; it may be tried again."""


class Refused(BackupError):
    """The work was not begun, and nothing was touched."""

    code = 3


_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def describe_write_error(error: OSError, place: str) -> Failed:
    """A failed write below `place` in words."""
    if error.errno in _FULL:
        return Failed(f"{place} is full: {error.strerror}; give it more space")
    return Failed(f"{place} cannot be written: {error}")
