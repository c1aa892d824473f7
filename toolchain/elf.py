"""Which shared libraries a program needs, read from its ELF headers (man 5 elf); nothing is executed."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

_PT_LOAD, _PT_DYNAMIC, _PT_INTERP = 1, 2, 3
_DT_NEEDED, _DT_STRTAB = 1, 5


@dataclass(frozen=True)
class Elf:
    """The loader and the sonames that a 64-bit little-endian ELF file asks for; both empty when it is static."""

    interpreter: str
    needed: tuple[str, ...]


def read_elf(path: Path) -> Elf | None:
    """What `path` asks for, or None when it is no 64-bit little-endian ELF file."""
    data = path.read_bytes()
    if data[:6] != b"\x7fELF\x02\x01":
        return None
    segments = _read_segments(data)
    interpreter = next((_read_text(data, s[1]) for s in segments if s[0] == _PT_INTERP), "")
    dynamic = next((s for s in segments if s[0] == _PT_DYNAMIC), None)
    return Elf(interpreter, _read_needed(data, segments, dynamic) if dynamic else ())


_Segment = tuple[int, int, int, int]
"""Type, offset in the file, virtual address, size in the file."""


def _read_segments(data: bytes) -> list[_Segment]:
    (offset,) = struct.unpack_from("<Q", data, 32)
    size, count = struct.unpack_from("<HH", data, 54)
    segments = []
    for index in range(count):
        kind, _, at, address, _, length = struct.unpack_from("<IIQQQQ", data, offset + index * size)
        segments.append((kind, at, address, length))
    return segments


def _read_needed(data: bytes, segments: list[_Segment], dynamic: _Segment) -> tuple[str, ...]:
    entries = [struct.unpack_from("<QQ", data, dynamic[1] + i) for i in range(0, dynamic[3], 16)]
    strings = next((value for tag, value in entries if tag == _DT_STRTAB), None)
    if strings is None:
        return ()
    base = next(strings - s[2] + s[1] for s in segments if s[0] == _PT_LOAD and s[2] <= strings < s[2] + s[3])
    return tuple(_read_text(data, base + value) for tag, value in entries if tag == _DT_NEEDED)


def _read_text(data: bytes, at: int) -> str:
    return data[at : data.index(b"\0", at)].decode()
