"""The break-down of too many series."""

from __future__ import annotations

import asyncio
import threading

from mcp_server.answers import Breakdown
from mcp_server.cardinality import describe_cardinality
from mcp_server.run import Run
from mcp_server.sources import Sources
from tests.support.agents import FakeSources, Parameters, build_document, build_vector, faking


def describe(fake: FakeSources, query: str, *labels: str, seconds: float = 20.0) -> Breakdown:
    """The break-down of a query."""
    document = build_document(fake, bounds={"seconds": seconds})

    async def run() -> Breakdown:
        async with Sources(lambda: document) as sources:
            return await describe_cardinality(Run(document, sources), query, labels)

    return asyncio.run(run())


def test_labels_with_the_most_values_come_first() -> None:
    """Labels are counted; one with few values becomes a ready aggregation beside topk."""
    with faking() as fake:
        fake.vectors = {
            "count(q)": [({}, 100_000)],
            "count(count by (method) (q))": [({}, 4)],
            "count(count by (path) (q))": [({}, 25_000)],
            "count(count by (job) (q))": [({}, 1)],
        }
        broken = describe(fake, "q", "__name__", "job", "method", "path")
    assert broken.series == 100_000
    assert [(each.label, each.values) for each in broken.labels] == [("path", 25_000), ("method", 4)]
    assert broken.try_instead == ["topk(20, q)", "sum by (method) (q)", "count(q)"]


def test_unknown_labels_are_read_from_a_few_series() -> None:
    """Where nothing is known of the series, twenty of them tell which labels there are."""
    with faking() as fake:
        fake.vectors = {"topk(20, q)": [({"zone": "a"}, 1)], "count(count by (zone) (q))": [({}, 3)]}
        assert [each.label for each in describe(fake, "q").labels] == ["zone"]


def test_a_source_that_cannot_count_leaves_it_open() -> None:
    """The ready queries are there, whatever else fails."""
    with faking() as fake:
        fake.status = 503
        broken = describe(fake, "q", "path")
    assert broken.series is None and not broken.labels and broken.try_instead == ["topk(20, q)", "count(q)"]


def test_the_number_of_queries_is_bounded() -> None:
    """Each label is a query over all series: only so many are looked at."""
    with faking() as fake:
        describe(fake, "q", *(f"l{number}" for number in range(50)))
        assert len(fake.requests) == 9


def test_counting_has_an_end() -> None:
    """Where counting takes too long, what was counted until then is the answer."""
    gate = threading.Event()

    def wait(parameters: Parameters) -> object:
        if "by (slow)" in parameters["query"][0]:
            gate.wait(10)
        return build_vector([({}, 5000)])

    with faking() as fake:
        fake.answers["/api/v1/query"] = wait
        broken = describe(fake, "q", "quick", "slow", seconds=2.0)
        gate.set()
    assert broken.series == 5000 and [each.label for each in broken.labels] == ["quick"]
