"""The way to the sources."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from mcp_server.errors import SourceFailed, SourceTooLarge
from mcp_server.sources import Endpoint, Sources, build_url
from tests.support.agents import FakeSources, build_document, faking

WRITING = ("admin", "delete", "push", "reload", "quit", "silence", "flush", "rules/", "write", "shutdown", "clean")


def ask(fake: FakeSources, endpoint: Endpoint, part: str = "", **bounds: Any) -> Any:
    """The data of a query without parameters."""
    document = build_document(fake, bounds=bounds)

    async def run() -> Any:
        async with Sources(lambda: document) as sources:
            return await sources.ask(endpoint, {}, part)

    return asyncio.run(run())


def test_nothing_that_changes_anything_can_be_built() -> None:
    """No endpoint of the list writes, deletes, reloads or ends anything."""
    paths = [endpoint.value[1] for endpoint in Endpoint]
    assert not [path for path in paths for word in WRITING if word in path]


@pytest.mark.parametrize("part", ["", "..", "a/b", "__name__/../../admin", "job?x=1", "job\n"])
def test_a_part_of_a_path_is_a_name(part: str) -> None:
    """What stands in a path can lead to no other endpoint."""
    with pytest.raises(ValueError, match="cannot stand in the path"):
        build_url("http://x", Endpoint.LABEL_VALUES, {}, part)


def test_a_path_without_a_part_takes_none() -> None:
    """Nothing can be put behind an endpoint."""
    with pytest.raises(ValueError, match="cannot stand in the path"):
        build_url("http://x", Endpoint.QUERY, {}, "x")


def test_parameters_are_of_a_list() -> None:
    """A parameter that the endpoint should not have is refused before anything is sent."""
    with pytest.raises(ValueError, match="has no parameter"):
        build_url("http://x", Endpoint.QUERY, {"stats": "all"})


def test_values_cannot_add_parameters() -> None:
    """A value is encoded, whatever stands in it; the base's path stays."""
    url = build_url("http://x/prometheus", Endpoint.QUERY, {"query": "up&limit=9#a b"})
    assert url.path == "/prometheus/api/v1/query" and list(url.params.multi_items()) == [("query", "up&limit=9#a b")]


def test_every_request_is_a_get() -> None:
    """A source sees a GET of the endpoint's path."""
    with faking() as fake:
        assert ask(fake, Endpoint.ALERTS) == {}
        assert [request[:2] for request in fake.requests] == [("GET", "/api/v1/alerts")]


def test_a_long_answer_is_given_up() -> None:
    """Not more is read than the bound."""
    with faking() as fake:
        fake.answers["/api/v1/alerts"] = lambda _: b"x" * 3_000_000
        with pytest.raises(SourceTooLarge, match="more than 100000 bytes"):
            ask(fake, Endpoint.ALERTS, source_bytes=100_000)


def test_an_error_of_the_source_is_clean() -> None:
    """The source's words reach the caller, cut and without what is not seen."""
    with faking() as fake:
        fake.status = 400
        fake.answers["/api/v1/alerts"] = lambda _: b'{"error": "bad\\u202e ' + b"x" * 5000 + b'"}'
        with pytest.raises(SourceFailed, match=r"^prometheus answers 400: bad x+… \(5005 characters\)$"):
            ask(fake, Endpoint.ALERTS)


def test_an_error_of_jaegers_is_said() -> None:
    """Jaeger has a list of them, where the others have a text: a trace that is not there is named as that."""
    with faking() as fake:
        fake.status = 404
        fake.answers["/api/v1/alerts"] = lambda _: (
            b'{"data": null, "errors": [{"code": 404, "msg": "trace not found"}]}'
        )
        with pytest.raises(SourceFailed, match=r"^prometheus answers 404: trace not found$"):
            ask(fake, Endpoint.ALERTS)
        fake.answers["/api/v1/alerts"] = lambda _: b'{"errors": ["bad"]}'
        with pytest.raises(SourceFailed, match=r"^prometheus answers 404: $"):
            ask(fake, Endpoint.ALERTS)


@pytest.mark.parametrize("status", [302, 500, 503])
def test_a_redirect_and_a_failure_are_no_answers(status: int) -> None:
    """Nobody is followed to another address, and what is no JSON is said in words."""
    with faking() as fake:
        fake.status, fake.location = status, f"{fake.address}/api/v1/admin/tsdb/snapshot"
        fake.answers["/api/v1/alerts"] = lambda _: b"gone"
        with pytest.raises(SourceFailed, match=f"prometheus answers {status}: gone"):
            ask(fake, Endpoint.ALERTS)
        assert [request[1] for request in fake.requests] == ["/api/v1/alerts"]


def test_a_source_that_the_stack_has_not() -> None:
    """That is said, and nothing is sent."""
    with faking() as fake:
        document = build_document(fake).model_copy(update={"sources": {}})

        async def run() -> None:
            async with Sources(lambda: document) as sources:
                await sources.ask(Endpoint.ALERTS)

        with pytest.raises(SourceFailed, match="this stack has no prometheus"):
            asyncio.run(run())


def test_a_proxy_of_the_environment_sees_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Queries go to the source, whatever the environment says of proxies."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with faking() as fake:
        assert ask(fake, Endpoint.ALERTS) == {}
