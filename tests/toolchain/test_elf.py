"""ELF headers: what a program needs."""

from __future__ import annotations

import sys
from pathlib import Path

from toolchain.elf import read_elf


def test_dynamic_program() -> None:
    """A dynamic program names its loader and at least the C library."""
    elf = read_elf(Path("/bin/sh").resolve())
    assert elf is not None
    assert "ld-linux" in elf.interpreter or "musl" in elf.interpreter
    assert any(name.startswith("libc.") for name in elf.needed)


def test_other_files_are_none(tmp_path: Path) -> None:
    """A script is no ELF file."""
    script = tmp_path / "script"
    script.write_text(f"#!{sys.executable}\n")
    assert read_elf(script) is None
