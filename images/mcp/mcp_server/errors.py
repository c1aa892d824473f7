"""What a call may be refused for, in words for whoever called."""

from __future__ import annotations


class Refused(Exception):
    """The call is wrong or asks for too much; the text says what would do."""


class SourceFailed(Exception):
    """A source did not answer, or answered with an error; the text says which and how."""


class SourceTooLarge(SourceFailed):
    """A source's answer was longer than is read of one."""
