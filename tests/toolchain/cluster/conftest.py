"""A cluster's layout in the test's own directory."""

from __future__ import annotations

from pathlib import Path

import pytest

from toolchain.cluster.layout import Layout


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """A layout whose run directory is there and empty."""
    layout = Layout(tmp_path / "cluster", tmp_path / "programs", tmp_path / "plugins")
    layout.run.mkdir(parents=True)
    return layout
