"""Workloads are plain values with stable digests."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace

import pytest

from model.workload import MIB, ConfigDir, Exemption, Limits, Workload, compute_digest

WORKLOAD = Workload(
    name="x",
    image="x",
    limits=Limits(memory=MIB),
    exemptions=(
        Exemption(rule="capability", value="SYS_PTRACE", reason="r"),
        Exemption(rule="capability", value="CHOWN", reason="r"),
        Exemption(rule="root-user", reason="r"),
    ),
)


def test_exemptions_are_asked_by_rule() -> None:
    """Only what is declared is exempt, and capabilities come sorted."""
    assert WORKLOAD.is_exempt("root-user")
    assert not WORKLOAD.is_exempt("writable-root")
    assert WORKLOAD.list_capabilities() == ("CHOWN", "SYS_PTRACE")
    assert replace(WORKLOAD, exemptions=()).list_capabilities() == ()


def test_a_revision_is_the_content() -> None:
    """The same files in another order are the same revision; another text or name is another."""
    one = ConfigDir(path="/etc/x", files={"a": "1", "b": "2"})
    assert one.compute_revision() == ConfigDir(path="/etc/y", files={"b": "2", "a": "1"}).compute_revision()
    assert one.compute_revision() != ConfigDir(path="/etc/x", files={"a": "1", "b": "3"}).compute_revision()
    assert one.compute_revision() != ConfigDir(path="/etc/x", files={"a": "1", "c": "2"}).compute_revision()
    assert len(one.compute_revision()) == 12


def test_a_restart_digest_covers_start_files_alone() -> None:
    """Only files that are read at start make a restart necessary."""
    one = ConfigDir(path="/x", files={"start": "1", "live": "2"}, restart_on=frozenset({"start"}))
    assert one.compute_restart_digest() == replace(one, files={"start": "1", "live": "3"}).compute_restart_digest()
    assert one.compute_restart_digest() != replace(one, files={"start": "2", "live": "2"}).compute_restart_digest()


def test_digests_are_stable() -> None:
    """Order of keys and members does not matter, the values do; it is the same number in every run."""
    assert compute_digest({"a": 1, "b": frozenset({"x", "y"})}) == compute_digest({"b": frozenset({"y", "x"}), "a": 1})
    assert compute_digest(WORKLOAD.limits) == compute_digest(Limits(memory=MIB))
    assert compute_digest([1]) != compute_digest([2])
    assert compute_digest([]) == "4f53cda18c2b"


def test_workloads_are_frozen() -> None:
    """A plan cannot be changed after it was checked."""
    with pytest.raises(FrozenInstanceError):
        WORKLOAD.name = "y"  # type: ignore[misc]
