"""Failed writes in words."""

from __future__ import annotations

import errno
import os

from backup_agent.errors import describe_write_error


def test_a_full_place_is_said() -> None:
    """A full disk, a quota and a limit of sizes are one thing to who reads it."""
    for number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        error = describe_write_error(OSError(number, os.strerror(number)), "/scratch")
        assert str(error).startswith("/scratch is full: ") and error.code == 1
    other = describe_write_error(OSError(errno.EROFS, os.strerror(errno.EROFS)), "/scratch")
    assert str(other).startswith("/scratch cannot be written: ")
