"""Workloads are plain values with stable digests."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace

import pytest

from model.workload import MIB, ConfigDir, Exemption, Limits, Workload, digest

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
    assert WORKLOAD.exempt("root-user")
    assert not WORKLOAD.exempt("writable-root")
    assert WORKLOAD.capabilities() == ("CHOWN", "SYS_PTRACE")
    assert replace(WORKLOAD, exemptions=()).capabilities() == ()


def test_a_revision_is_the_content() -> None:
    """The same files in another order are the same revision; another text or name is another."""
    one = ConfigDir(path="/etc/x", files={"a": "1", "b": "2"})
    assert one.revision() == ConfigDir(path="/etc/y", files={"b": "2", "a": "1"}).revision()
    assert one.revision() != ConfigDir(path="/etc/x", files={"a": "1", "b": "3"}).revision()
    assert one.revision() != ConfigDir(path="/etc/x", files={"a": "1", "c": "2"}).revision()
    assert len(one.revision()) == 12


def test_a_restart_digest_covers_start_files_alone() -> None:
    """Only files that are read at start make a restart necessary."""
    one = ConfigDir(path="/x", files={"start": "1", "live": "2"}, restart_on=frozenset({"start"}))
    assert one.restart_digest() == replace(one, files={"start": "1", "live": "3"}).restart_digest()
    assert one.restart_digest() != replace(one, files={"start": "2", "live": "2"}).restart_digest()


def test_digests_are_stable() -> None:
    """Order of keys and members does not matter, the values do; it is the same number in every run."""
    assert digest({"a": 1, "b": frozenset({"x", "y"})}) == digest({"b": frozenset({"y", "x"}), "a": 1})
    assert digest(WORKLOAD.limits) == digest(Limits(memory=MIB))
    assert digest([1]) != digest([2])
    assert digest([]) == "4f53cda18c2b"


def test_workloads_are_frozen() -> None:
    """A plan cannot be changed after it was checked."""
    with pytest.raises(FrozenInstanceError):
        WORKLOAD.name = "y"  # type: ignore[misc]
