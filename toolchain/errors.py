"""The one error that the toolchain shows to a person."""

from __future__ import annotations


class ToolchainError(Exception):
    """Something could not be had. The text says what, why, and what to do about it."""

    def __init__(self, problem: str, *, advice: str = "") -> None:
        """Keep `problem` (what failed and how) and `advice` (what a person can do next) apart for the caller."""
        super().__init__(f"{problem}\n  what to do: {advice}" if advice else problem)
        self.problem = problem
        self.advice = advice
