"""Golden files: one full stack for each target, and of every other stack only what differs from that one.

A stack is rendered under the name of the one that it is compared with, so that names and user numbers that follow from
it are no difference. In its folder, `SAME` lists the documents that are equal and those that it does not have; a
`.diff` is against the document of the same name or, of a new one, against the nearest one, whose name it begins with,
with the workload's own name in it.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from functools import cache
from pathlib import Path, PurePosixPath
from types import MappingProxyType

from cli.render import plan_file, render_documents
from model.plan import Plan
from tests.support.digests import SUFFIX, digest_dashboard

ROOT = Path(__file__).resolve().parents[2]
FULL = {"docker": "dev", "kubernetes": "prod"}
"""The stack that is stored in full, by target."""
SAME = "SAME"
BOARDS = "grafana/boards/"
STACKS = sorted(path.name.removeprefix("Pulumi.").removesuffix(".yaml") for path in ROOT.glob("Pulumi.*.yaml"))
_WORTH = 0.8
"""How long a diff may be, as a part of the document, before the document itself is easier to read."""
Files = dict[str, str]


def plan_as(stack: str, name: str) -> Plan:
    """The plan of a stack's file as if the stack had another name."""
    return plan_file(ROOT / f"Pulumi.{stack}.yaml", name)


def readable(plan: Plan) -> Files:
    """All documents of a plan; dashboards as digests."""
    files = render_documents(plan)
    return {
        name.removesuffix(".json") + SUFFIX if name.startswith(BOARDS) else name: digest_dashboard(text)
        if name.startswith(BOARDS)
        else text
        for name, text in files.items()
    }


@cache
def _readable_as(stack: str, name: str) -> Mapping[str, str]:
    """Of a stack's file as if the stack had another name; most stacks are compared with the same two."""
    return MappingProxyType(readable(plan_as(stack, name)))


def golden(stack: str) -> Files:
    """The golden files of a stack, by their path in its folder."""
    full = FULL[plan_as(stack, stack).settings.target]
    if stack == full:
        return dict(_readable_as(stack, stack))
    before = _readable_as(full, full)
    if (sibling := stack.removesuffix("-kubernetes")) != stack:  # documents that both targets have say the same
        before = {**_shared(_readable_as(sibling, full)), **before}
        return differing(before, _readable_as(stack, full), f"{full} or {sibling}")
    return differing(before, _readable_as(stack, full), full)


def _shared(files: Mapping[str, str]) -> Files:
    return {name: text for name, text in files.items() if not name.startswith("docker/")}


def differing(before: Mapping[str, str], after: Mapping[str, str], name: str) -> Files:
    """What there is to store of a stack next to another one, which is called `name`."""
    made = {}
    equal = sorted(path for path in after if before.get(path) == after[path])
    known = dict(before)
    for path in sorted(after.keys() - equal):
        near = path if path in before else nearest(path, after[path], known)
        if near:
            made[f"{path}.diff"] = difference(read_as(near, known[near], path), after[path], near, path)
        else:
            made[path] = known[path] = after[path]
    absent = sorted(before.keys() - after.keys())
    lines = [f"as in {name}:", *(f"  {path}" for path in equal), "not here:", *(f"  {path}" for path in absent)]
    return {SAME: "\n".join(lines) + "\n", **made}


def difference(before: str, after: str, old: str, new: str) -> str:
    """A unified diff with one line around each change."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), old, new, lineterm="", n=1)
    return "\n".join(lines) + "\n"


def nearest(path: str, text: str, others: Mapping[str, str]) -> str | None:
    """The document from which a new one differs least, of the same folder or name; None where a diff says no less."""
    near = sorted(name for name in others if _alike(PurePosixPath(name), PurePosixPath(path)))
    lengths = {name: difference(read_as(name, others[name], path), text, name, path).count("\n") for name in near}
    best = min(lengths, key=lambda name: lengths[name], default=None)
    return best if best and lengths[best] < text.count("\n") * _WORTH else None


def read_as(name: str, text: str, other: str) -> str:
    """A target's document of one workload with the name of another one, so that names are no difference."""
    old, new = PurePosixPath(name), PurePosixPath(other)
    return text.replace(old.stem, new.stem) if old.parts[0] in ("docker", "kubernetes") else text


def _alike(one: PurePosixPath, other: PurePosixPath) -> bool:
    return one.suffix == other.suffix and (one.parent == other.parent or one.name == other.name)
