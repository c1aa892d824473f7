"""Commands as people call them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cli import __main__ as program


def call(monkeypatch: pytest.MonkeyPatch, *args: str) -> int:
    """`observability ARGS`."""
    monkeypatch.setattr("sys.argv", ["observability", *args])
    return program.main()


def fails(error: BaseException) -> Callable[..., int]:
    """A command that raises."""

    def command(*args: Any, **options: Any) -> int:
        raise error

    return command
