"""What the tests of the backup agent begin with."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.backups import Stand


@pytest.fixture
def stand(tmp_path: Path) -> Stand:
    """Data as Prometheus has it: a write-ahead log that is being written, a block, and what is excluded."""
    made = Stand(tmp_path)
    made.write("wal/00000001", b"w" * 5000, age=0)
    made.write("01ABC/index", b"i" * 20_000)
    made.write("01ABC/chunks/000001", b"c" * 30_000)
    made.write("lock", "")
    return made
