"""Says what a change does to what is deployed, in words: `make diff BASE=main`, and as a comment of a pull request.

Documents that the base's own code renders are compared with those of the working tree, so neither an engine nor a
secret is needed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

from cli import arguments, checkouts
from cli.changes import raw
from cli.changes.compare import compare_stacks
from cli.changes.firing import build_look
from cli.changes.markdown import Comparison, merge_changes, render_comment
from cli.changes.values import GONE, NEW, Change
from cli.changes.words import format_code
from cli.checkouts import Rendering
from cli.workspace import ROOT
from model.errors import ConfigError, Problem

BEFORE, AFTER = "before", "after"
_STACK_AREA = "downtime"


@dataclass(frozen=True)
class Options:
    """What is compared: stacks (all where none is named), a commit, and where Prometheus answers for which stack."""

    stacks: Sequence[str] = ()
    base: str = "main"
    prometheus: Mapping[str, str] | None = None
    previews: Path | None = None


def compare_checkout(root: Path, options: Options) -> tuple[Comparison, bool]:
    """Compares the working tree at `root` with a commit; also says whether all of it can be rendered as it is now.

    Raises:
        ConfigError: there is no such commit, or no such stack.
    """
    commit = checkouts.find_base(root, options.base)
    with tempfile.TemporaryDirectory(prefix="observability-diff-") as made:
        folder = Path(made)
        checkouts.extract_commit(root, commit, folder / "tree")
        trees = {BEFORE: folder / "tree", AFTER: root}
        known = checkouts.list_stacks(*trees.values())
        stacks = list(options.stacks) or known
        if unknown := [stack for stack in stacks if stack not in known]:
            words = f"there is no such file; stacks: {', '.join(known)}"
            raise ConfigError([Problem(f"Pulumi.{stack}.yaml", words) for stack in unknown])
        jobs = [(side, stack) for stack in stacks for side in trees]
        with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            work = [
                pool.submit(checkouts.render_stack, trees[side], stack, folder / stack / side) for side, stack in jobs
            ]
            done = {job: each.result() for job, each in zip(jobs, work, strict=True)}
        pairs = {stack: (done[BEFORE, stack], done[AFTER, stack]) for stack in stacks}
        return _compare_pairs(commit, pairs, options), not any(after.failure for _, after in pairs.values())


def _compare_pairs(commit: str, pairs: Mapping[str, tuple[Rendering, Rendering]], options: Options) -> Comparison:
    changes: dict[str, list[Change]] = {}
    differences: dict[str, dict[str, str]] = {}
    failures: dict[str, str] = {}
    for stack, (before, after) in pairs.items():
        changes[stack] = []
        if failure := _explain_failure(before, after, commit):
            failures[stack] = failure
        elif before.absent or after.absent:
            changes[stack] = [Change(_STACK_AREA, NEW if before.absent else GONE, f"stack {stack}")]
        else:
            url = (options.prometheus or {}).get(stack)
            costs = before.capacity, after.capacity
            changes[stack] = compare_stacks(before.documents, after.documents, costs, build_look(url) if url else None)
            differences[stack] = raw.read_differences(before.folder, after.folder)
    merged = raw.merge_differences(differences)
    return Comparison(commit[:12], changes, failures, merged, read_previews(options.previews), _list_notes(pairs))


def _explain_failure(before: Rendering, after: Rendering, commit: str) -> str:
    """Why a stack cannot be compared; what is wrong now comes first."""
    said = []
    if after.failure:
        said.append(f"As it would be merged, the stack cannot be rendered:\n{after.failure}")
    if before.failure:
        said.append(
            f"The code of the base, {commit[:12]}, cannot render it, so what changes is not known:\n{before.failure}"
        )
    return "\n\n".join(said)


def _list_notes(pairs: Mapping[str, tuple[Rendering, Rendering]]) -> tuple[str, ...]:
    """What is known of a side that could be rendered where the other one could not, and costs that are unknown."""
    notes = []
    for stack, (before, after) in pairs.items():
        if before.failure and after.documents:
            count = len(after.documents)
            notes.append(f"{format_code(stack)} as it would be merged can be rendered: {count} documents.")
        if before.documents and after.documents and not (before.capacity and after.capacity):
            notes.append(f"What {format_code(stack)} costs before and after is not known: `capacity` did not answer.")
    return tuple(notes)


def read_previews(folder: Path | None) -> dict[str, str]:
    """Pulumi's own previews by stack, from `<stack>.txt` of a folder; none where there is no folder."""
    paths = sorted(folder.glob("*.txt")) if folder else []
    return {path.stem: path.read_text(encoding="utf-8", errors="replace") for path in paths if path.stem.isidentifier()
            or path.stem.replace("-", "_").isidentifier()}  # fmt: skip


def describe_comparison(comparison: Comparison) -> dict[str, object]:
    """A comparison as plain data: changes with their stacks, failures and raw differences."""
    return {
        "base": comparison.base,
        "stacks": list(comparison.changes),
        "failures": dict(comparison.failures),
        "changes": [{**asdict(change), "stacks": where} for change, where in merge_changes(comparison.changes).items()],
        "differences": [
            {"document": path, "stacks": list(where), "difference": text}
            for (path, text), where in comparison.differences.items()
        ],
    }


def parse_prometheus(texts: Sequence[str], stack: str) -> dict[str, str]:
    """Addresses by stack, from `URL` for the one stack that is compared, or `STACK=URL`.

    Raises:
        ConfigError: one of them is no address of HTTP, or has a login in it.
    """
    made, problems = {}, []
    for text in texts:
        name, _, url = text.rpartition("=") if not text.startswith("http") else (stack, "", text)
        address = urlsplit(url)
        if address.scheme not in ("http", "https") or not address.hostname or not name:
            words = "is no address; give --prometheus URL with --stack, or --prometheus STACK=URL"
            problems.append(Problem(f"--prometheus {text}", words))
        elif address.username or address.password:
            words = "has a login in it, which other processes see; write it to ~/.netrc"
            problems.append(Problem(f"--prometheus of {name}", words))
        made[name] = url
    if problems:
        raise ConfigError(problems)
    return made


def run_command(args: argparse.Namespace) -> int:
    """Prints what the working tree changes. Returns 2 where it cannot be rendered as it is now."""
    stack = "" if args.all_stacks else args.stack
    urls = parse_prometheus(args.prometheus, stack)
    options = Options((stack,) if stack else (), args.base, urls, args.previews)
    try:
        comparison, sound = compare_checkout(ROOT, options)
    except subprocess.CalledProcessError as error:
        print(f"git: {error.stderr}", file=sys.stderr)
        return arguments.UNWELL
    if args.json:
        print(json.dumps(describe_comparison(comparison)))
    else:
        print(render_comment(comparison), end="")
    return arguments.FINE if sound else arguments.REFUSED
