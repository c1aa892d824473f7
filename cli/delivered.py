"""Documents as the processes of a stack see them, compared with those that are declared: by their digests."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from model.deviation import UP, Deviation, Drift
from model.plan import Plan
from model.workload import Workload

KIND = "document"
BY_HAND = "make up leaves what it did not deliver: remove it from the volume"
_SHOWN = 12
"""Digits of a digest that are shown, as many as a revision has."""
SCRIPT = """cd "$0" && for name in *; do
    [ ! -e "$name" ] || /tools/busybox find -L "$name" -type f -print0
done | /tools/busybox xargs -0 -r /tools/busybox sha256sum"""
"""Digests of all files below a directory, under the paths that a process opens; `..data` and revisions are hidden."""

Run = Callable[[str, Sequence[str]], Sequence[tuple[str, str]]]
"""Runs a command in each instance of a workload: names of containers or pods, and what was printed.

Raises RuntimeError where it cannot be run.
"""


def compare_documents(plan: Plan, run: Run, at_once: int) -> dict[str, Drift]:
    """What differs in the documents of each workload that has some, by the workload's name.

    Args:
        plan: what is declared.
        run: see `Run`.
        at_once: workloads that are asked at the same time.
    """
    having = [workload for workload in plan.list_workloads() if workload.config and workload.config.files]
    with ThreadPoolExecutor(at_once) as pool:
        made = pool.map(lambda workload: _compare_workload(workload, run), having)
        return {workload.name: drift for workload, drift in zip(having, made, strict=True)}


def _compare_workload(workload: Workload, run: Run) -> Drift:
    config = workload.config
    assert config is not None, "only those with documents are asked"  # noqa: S101 - for the type checker
    expected = {path: hashlib.sha256(text.encode()).hexdigest() for path, text in config.files.items()}
    try:
        answers = run(workload.name, ["/tools/busybox", "sh", "-c", SCRIPT, config.path])
    except RuntimeError as error:
        return Drift(unread=(f"the documents of {workload.name} were not compared: {error}",))
    if not answers:
        return Drift(unread=(f"the documents of {workload.name} were not compared: it does not run",))
    return Drift(
        deviations=tuple(
            item
            for place, text in answers
            for item in _compare_digests(f"{place}:{config.path}", expected, parse_digests(text))
        )
    )


def parse_digests(text: str) -> dict[str, str]:
    """Digests by path, of the lines of sha256sum."""
    lines = (line.split(None, 1) for line in text.splitlines())
    return {words[1]: words[0] for words in lines if len(words) == 2 and len(words[0]) == 64}


def _compare_digests(place: str, expected: Mapping[str, str], running: Mapping[str, str]) -> Iterator[Deviation]:
    folders = {path.partition("/")[0] for path in expected}
    for path in sorted(expected.keys() | running.keys()):
        declared, there = (digests.get(path, "")[:_SHOWN] for digests in (expected, running))
        if expected.get(path) != running.get(path):
            yield Deviation(
                kind=KIND,
                name=f"{place}/{path}",
                what="content" if declared and there else "presence",
                declared=f"SHA-256 {declared}…" if declared else "not declared",
                running=f"SHA-256 {there}…" if there else "missing",
                repair=UP if declared or path.partition("/")[0] in folders else BY_HAND,
            )


def list_spoilt(compared: Mapping[str, Drift]) -> list[str]:
    """Names of the workloads whose documents a new delivery puts right."""
    return [name for name, drift in compared.items() if any(item.repair == UP for item in drift.deviations)]


def describe_delivery(plan: Plan, name: str, revision: str) -> str:
    """Why documents of a workload are delivered: people have changed them, or somebody what was delivered.

    `revision` is that of the last delivery.
    """
    configs = [item.config for item in plan.list_workloads() if item.name == name and item.config]
    if revision and any(config.compute_revision() != revision for config in configs):
        return f"delivers what your files say now: documents of {name} have changed in them"
    return f"delivers again: documents of {name} are not as they were delivered, which nobody declared"
