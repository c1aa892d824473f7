"""Jobs: order, one failure ends all, and the outcome that a deployment reads."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from toolchain.errors import ToolchainError
from toolchain.prerequisites import Jobs, Outcome


def test_builds_run_in_order_and_alone() -> None:
    """Builds never overlap and keep the order in which they were queued."""
    jobs, seen, alone = Jobs(), [], threading.Lock()

    def build(number: int) -> None:
        assert alone.acquire(blocking=False)
        seen.append(number)
        alone.release()

    for number in range(5):
        jobs.queue_build(lambda number=number: build(number))  # type: ignore[misc]
    jobs.finish()
    assert seen == [0, 1, 2, 3, 4]


def test_packages_run_beside_builds() -> None:
    """A package is fetched while a build runs."""
    jobs, fetched = Jobs(), threading.Event()
    jobs.queue_build(lambda: fetched.wait(10) or pytest.fail("the package waited for the build"))
    jobs.queue_package(fetched.set)
    jobs.finish()


def test_first_failure_is_raised_and_the_rest_dropped() -> None:
    """A failed job ends the run with its own error; what had not begun does not begin."""
    jobs = Jobs()
    started: list[int] = []

    def fail() -> None:
        raise ToolchainError("no engine")

    release = threading.Event()
    jobs.queue_build(lambda: release.wait(10))
    jobs.queue_build(lambda: started.append(1))
    jobs.queue_package(fail)
    with pytest.raises(ToolchainError, match="no engine"):
        jobs.finish()
    release.set()
    assert started == []


@pytest.mark.parametrize("mirror", ["127.0.0.1:5000", None])
def test_outcome_file(mirror: str | None, tmp_path: Path) -> None:
    """The result file says where images come from: an address, or null for upstream."""
    Outcome(mirror, {"demo": "sha256:0"}).write(tmp_path / "sub" / "result.json")
    document = json.loads((tmp_path / "sub" / "result.json").read_text())
    assert document == {"registryMirror": mirror, "digests": {"demo": "sha256:0"}}
    assert [p.name for p in (tmp_path / "sub").iterdir()] == ["result.json"]
