"""Objectives: what was promised, what was achieved, what is left of the error budget, and how quickly it is spent.

After https://sre.google/workbook/alerting-on-slos/. The series are recorded by the stack's own rules.
"""

from __future__ import annotations

import asyncio
from typing import ClassVar

from pydantic import Field

from mcp_server.answers import Answer, Shape
from mcp_server.arguments import Arguments, Name
from mcp_server.errors import Refused
from mcp_server.run import Run, round_value
from mcp_server.tools.base import Tool

BUDGET = "slo:error_budget:ratio"
QUERIES = {
    "objective": "slo:objective:ratio",
    "achieved": "1 - last_over_time(slo:error_ratio:window[12m])",  # recorded every five minutes
    "left": "last_over_time(slo:error_budget_remaining:ratio[12m])",
    "burn_1h": f"slo:error_ratio:rate1h / on (slo, service, environment) group_left () {BUDGET}",
    "burn_6h": f"slo:error_ratio:rate6h / on (slo, service, environment) group_left () {BUDGET}",
    "unknown": "slo:requests_unknown:ratio_rate1h",
}
"""Each gives one series for each objective, which its label slo names."""


class ObjectiveArguments(Arguments):
    """Arguments of slo_status."""

    slo: Name | None = Field(default=None, description="One objective by its name; all of them when absent.")


class Objective(Shape):
    """An objective; what is not known yet is null."""

    slo: str
    service: str
    window: str
    status: str = Field(description="ok, spending (faster than allowed), missed, or unknown")
    objective: float | None
    achieved: float | None
    budget_left: float | None = Field(description="1 is the whole budget, 0 none; below 0 the objective is missed.")
    burn_rate_1h: float | None = Field(description="1 spends exactly the budget over the window.")
    burn_rate_6h: float | None
    days_until_spent: float | None = Field(description="At the burn rate of the last 6 hours.")
    unknown_share: float | None = Field(description="Requests of the last hour that could not be judged.")


class ObjectivesAnswer(Answer):
    """Objectives, the least budget first."""

    SHORTENED: ClassVar[tuple[str, ...]] = ("objectives",)

    objectives: list[Objective]


async def describe_objectives(run: Run, given: ObjectiveArguments) -> ObjectivesAnswer:
    """The state of each objective."""
    results = await asyncio.gather(*(run.ask_vector(query) for query in QUERIES.values()))
    labels: dict[str, dict[str, str]] = {}
    values: dict[str, dict[str, float]] = {kind: {} for kind in QUERIES}
    for kind, series in zip(QUERIES, results, strict=True):
        for each, value in series:
            name = each.get("slo", "")
            values[kind][name] = value
            labels[name] = {**each, **labels.get(name, {})}
    names = sorted(labels) if given.slo is None else [given.slo]
    if unknown := [name for name in names if name not in labels]:
        known = ", ".join(run.clean(name) for name in sorted(labels)) or "none"
        raise Refused(f"no objective {unknown[0]!r}; the objectives are: {known}")
    entries = [_build_objective(run, name, labels[name], values) for name in names]
    entries.sort(key=lambda each: (each.budget_left is None, each.budget_left or 0.0, each.slo))
    return ObjectivesAnswer(hint="" if entries else "This system has no objectives.", objectives=entries)


def _build_objective(run: Run, name: str, labels: dict[str, str], values: dict[str, dict[str, float]]) -> Objective:
    known = {kind: round_value(some[name]) if name in some else None for kind, some in values.items()}
    left, burn = known["left"], known["burn_6h"]
    window = labels.get("window", "")
    days = float(window[:-1]) if window[:-1].isdigit() and window.endswith("d") else None
    rest = round_value(left * days / burn) if days and left is not None and burn and left > 0 else None
    return Objective(
        slo=run.clean(name),
        service=run.clean(labels.get("service", "")),
        window=run.clean(window),
        status=_choose_status(left, known["burn_1h"]),
        objective=known["objective"],
        achieved=known["achieved"],
        budget_left=left,
        burn_rate_1h=known["burn_1h"],
        burn_rate_6h=burn,
        days_until_spent=rest,
        unknown_share=known["unknown"],
    )


def _choose_status(left: float | None, burn: float | None) -> str:
    if left is None:
        return "unknown"
    if left <= 0:
        return "missed"
    return "spending" if burn is not None and burn > 1 else "ok"


OBJECTIVE_TOOLS = (
    Tool(
        "slo_status",
        "Say what is left of error budgets",
        "Each objective: promised and achieved, what is left of its error budget, and the burn rates of the last hour"
        " and of six hours.",
        ObjectiveArguments,
        ObjectivesAnswer,
        describe_objectives,
    ),
)
