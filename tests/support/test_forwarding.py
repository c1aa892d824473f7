"""The socket that speaks for an engine without swap limits."""

from __future__ import annotations

import pytest

from tests.support.forwarding import without_swap

SAID = b'{"SwapLimit":true,"Memory":67108864,"MemorySwap":67108864,"MemorySwappiness":0,"Other":"\\"MemorySwap\\":1"}'
WANTED = b'{"SwapLimit":null,"Memory":67108864,"MemorySwap":-1      ,"MemorySwappiness":0,"Other":"\\"MemorySwap\\":1"}'


@pytest.mark.parametrize("size", [1, 2, 7, 16, 40, len(SAID)])
def test_what_is_said_of_swap_is_changed_in_any_pieces(size: int) -> None:
    """However the answer is cut, it has the same length and says that there are no swap limits."""
    told, held = b"", b""
    for at in range(0, len(SAID), size):
        part, held = without_swap(held + SAID[at : at + size])
        told += part
    assert told + held == WANTED


def test_nothing_is_held_back_without_need() -> None:
    """A stream that pauses after a line is not kept waiting."""
    assert without_swap(b'{"level":"info"}\n') == (b'{"level":"info"}\n', b"")
