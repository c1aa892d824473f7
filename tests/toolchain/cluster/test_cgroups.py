"""The parent cgroup, in a directory that looks like the real one."""

from __future__ import annotations

from pathlib import Path

from toolchain.cluster import cgroups


def test_first_version_has_one_parent_in_each_hierarchy(tmp_path: Path) -> None:
    """Each hierarchy gets the cgroup once, and the one of processors is told which it may use."""
    for hierarchy in ("memory", "cpuset"):
        (tmp_path / hierarchy).mkdir()
    (tmp_path / "alias").symlink_to("memory")
    (tmp_path / "cpuset" / "cpuset.cpus").write_text("0-1\n")
    (tmp_path / "cpuset" / "pods").mkdir()
    (tmp_path / "cpuset" / "pods" / "cpuset.cpus").write_text("\n")
    cgroups.make_cgroup("pods", tmp_path)
    assert (tmp_path / "memory" / "pods").is_dir()
    assert (tmp_path / "cpuset" / "pods" / "cpuset.cpus").read_text() == "0-1\n"
    assert len(cgroups.list_parents("pods", tmp_path)) == 2


def test_second_version_has_one_parent(tmp_path: Path) -> None:
    """There is only one hierarchy, at the root."""
    (tmp_path / "cgroup.controllers").touch()
    assert cgroups.list_parents("pods", tmp_path) == [tmp_path / "pods"]


def test_a_tree_is_removed_from_its_leaves(tmp_path: Path) -> None:
    """What a killed run left behind goes, deepest first, and twice is no mistake."""
    (tmp_path / "memory" / "pods" / "a" / "b").mkdir(parents=True)
    assert cgroups.remove_cgroup("pods", tmp_path)
    assert cgroups.remove_cgroup("pods", tmp_path)
    assert not (tmp_path / "memory" / "pods").exists()
