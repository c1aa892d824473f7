"""What is answered where a query gives too many series: why that is, and queries that give fewer."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from mcp_server.answers import Breakdown, LabelCount
from mcp_server.errors import SourceFailed
from mcp_server.run import Run
from mcp_server.sources import Endpoint

LABELS = 8
"""Labels that are looked at: each is one more query over all the series."""
TIME = 0.5
"""Share of a call's time that counting may take; the query itself has had the rest."""
FEW = 20
"""Series that a person or a model can compare."""
HINT = "Too many series for one answer. Use a query of breakdown.try_instead, or a narrower selector."


async def describe_cardinality(run: Run, query: str, labels: Sequence[str] = ()) -> Breakdown:
    """Counts of a query's series by label, and queries in its place; `labels` are those that it is known to have."""
    total, counts = None, list[LabelCount]()
    try:
        async with asyncio.timeout(run.bounds.seconds * TIME):
            total = await run.ask_number(f"count({query})")
            names = [name for name in labels if name != "__name__"] or await _find_labels(run, query)
            for name in names[:LABELS]:
                number = await run.ask_number(f"count(count by ({name}) ({query}))")
                if number is not None and number > 1:
                    counts.append(LabelCount(label=name, values=int(number)))
    except TimeoutError:
        pass  # what was counted until then is worth more than nothing
    counts.sort(key=lambda each: -each.values)
    small = next((each.label for each in counts if each.values <= FEW), None)
    ready = [f"topk({FEW}, {query})", f"count({query})"]
    if small:
        ready.insert(1, f"sum by ({small}) ({query})")
    return Breakdown(series=None if total is None else int(total), labels=counts, try_instead=ready)


async def _find_labels(run: Run, query: str) -> list[str]:
    """Names of labels of a few of the query's series."""
    try:
        data = await run.sources.ask(Endpoint.QUERY, {"query": f"topk({FEW}, {query})", "time": f"{run.now:.3f}"})
    except SourceFailed:
        return []
    names = {name for item in data.get("result", []) for name in item.get("metric", {})}
    return sorted(names - {"__name__"})
