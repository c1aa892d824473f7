"""How seldom a short-lived process looks for garbage."""

from __future__ import annotations

import subprocess
import sys

from tests.support.systems import ROOT


def test_what_is_imported_is_left_alone() -> None:
    """Every object that is there is taken out of later collections, which come much later than usual."""
    script = (
        "import gc; usual = gc.get_threshold(); from stack.memory import spare_collections; spare_collections();"
        "print(gc.get_freeze_count() > 1000, gc.get_threshold() > usual, gc.isenabled())"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "True", "True"]
