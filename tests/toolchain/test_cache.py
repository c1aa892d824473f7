"""The artefact cache: keys, whole artefacts only, one maker at a time."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from toolchain.cache import Cache, compute_key, compute_tree_digest, find_root


def fill(directory: Path) -> None:
    """Make an artefact of one file."""
    (directory / "file").write_text("whole")


def test_key_changes_with_every_input() -> None:
    """Any changed, added or removed input gives another key; the order of inputs does not."""
    base: dict[str, object] = {"version": "1", "flags": ["-a"]}
    others: list[dict[str, object]] = [
        {"version": "2", "flags": ["-a"]},
        {"version": "1", "flags": ["-b"]},
        {"version": "1"},
    ]
    assert compute_key(base) == compute_key({"flags": ["-a"], "version": "1"})
    assert len({compute_key(base), *(compute_key(o) for o in others)}) == 4


def test_tree_digest_sees_names_contents_and_modes(tmp_path: Path) -> None:
    """A renamed, edited or newly executable file changes the digest; a skipped one does not."""
    file = tmp_path / "a.go"
    file.write_text("x")
    digests = [compute_tree_digest(tmp_path)]
    file.write_text("y")
    digests.append(compute_tree_digest(tmp_path))
    file.chmod(0o755)
    digests.append(compute_tree_digest(tmp_path))
    file.rename(tmp_path / "b.go")
    digests.append(compute_tree_digest(tmp_path))
    assert len(set(digests)) == 4
    (tmp_path / "a_test.go").write_text("z")
    assert compute_tree_digest(tmp_path, skip=("_test.go",)) == digests[-1]


def test_second_run_makes_nothing(tmp_path: Path) -> None:
    """A finished artefact is given back without calling its maker."""
    cache = Cache(tmp_path)
    first = cache.ensure("thing", {"v": 1}, fill)

    def refuse(_: Path) -> None:
        raise AssertionError("made twice")

    assert cache.ensure("thing", {"v": 1}, refuse) == first
    assert (first / "file").read_text() == "whole"


def test_half_written_artefact_is_not_taken(tmp_path: Path) -> None:
    """What a killed maker left behind is thrown away and made anew."""
    cache = Cache(tmp_path)
    final = cache.find_path("thing", {"v": 1})
    draft = final.with_name(f".draft-{final.name}.4194305")
    draft.mkdir(parents=True)
    (draft / "half").write_text("ha")
    made = cache.ensure("thing", {"v": 1}, fill)
    assert sorted(p.name for p in made.iterdir()) == ["file", "recipe.json"]
    assert not draft.exists()


def test_failed_maker_leaves_nothing(tmp_path: Path) -> None:
    """A maker that raises leaves neither the artefact nor its draft, and the next one may succeed."""
    cache = Cache(tmp_path)

    def fail(directory: Path) -> None:
        fill(directory)
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        cache.ensure("thing", {"v": 1}, fail)
    assert list((tmp_path / "artefacts").iterdir()) == []
    assert cache.ensure("thing", {"v": 1}, fill).is_dir()


def test_two_at_a_time_make_once(tmp_path: Path) -> None:
    """Of several that want the same artefact at once, one makes it and the others wait for it."""
    cache, calls, barrier = Cache(tmp_path), [], threading.Barrier(4)

    def make(directory: Path) -> None:
        calls.append(1)
        fill(directory)

    def want() -> None:
        barrier.wait()
        cache.ensure("thing", {"v": 1}, make)

    threads = [threading.Thread(target=want) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert calls == [1]


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"OBSERVABILITY_CACHE": "/c", "XDG_CACHE_HOME": "/x", "HOME": "/h"}, "/c"),
        ({"XDG_CACHE_HOME": "/x", "HOME": "/h"}, "/x/observability"),
        ({"HOME": "/h"}, "/h/.cache/observability"),
    ],
)
def test_default_root(environ: dict[str, str], expected: str) -> None:
    """The cache lies where its own variable says, else in the user's cache directory."""
    assert find_root(environ) == Path(expected)
