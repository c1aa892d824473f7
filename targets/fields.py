"""What a target makes of each field of a Workload: expresses it, refuses it, or has no need of it and says why."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from model.workload import Workload


@dataclass(frozen=True, kw_only=True)
class Fields:
    """The fields of a Workload by their path, such as `ports.publish`; one that is not here is as the one above it.

    `expressed` fields change what the platform is asked for. `refused` gives for each field the sentences against a
    workload, none where it can be run as it is: a field that is also expressed is refused for some values alone.
    `idle` fields change nothing, each for a reason: what they ask for holds anyway, or is nothing of a platform.
    """

    expressed: frozenset[str]
    refused: Mapping[str, Callable[[Workload], Iterable[str]]]
    idle: Mapping[str, str]

    def find_kinds(self, path: str) -> set[str]:
        """Which of `expressed`, `refused` and `idle` the field at `path` is; none where the target does not know it."""
        tables = {"expressed": self.expressed, "refused": self.refused.keys(), "idle": self.idle.keys()}
        while path:
            if kinds := {kind for kind, table in tables.items() if path in table}:
                return kinds
            path = path.rpartition(".")[0]
        return set()

    def check(self, workloads: Sequence[Workload]) -> list[str]:
        """A sentence for each field of a workload that is refused; it begins with the workload's name."""
        return [
            f"workload {workload.name!r}: {text}"
            for workload in workloads
            for refusal in self.refused.values()
            for text in refusal(workload)
        ]
