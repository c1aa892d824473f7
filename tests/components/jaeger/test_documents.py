"""Jaeger's document: all parts are wired to each other, and only what somebody needs listens beyond loopback."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from components.jaeger.documents import QUEUE_SPANS, build_config
from components.jaeger.settings import Settings


def list_endpoints(node: Any) -> Iterator[str]:
    """Every address that a part of the document listens on."""
    for key, value in node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ():
        if key == "endpoint":
            yield value
        elif key == "prometheus":
            yield f"{value['host']}:{value['port']}"
        else:
            yield from list_endpoints(value)


def test_what_nobody_needs_listens_on_loopback() -> None:
    """The interface, the ways in for spans, health and metrics are reached from outside the container, and no more."""
    listed = set(list_endpoints(build_config(Settings())))
    wide = {each.removeprefix("0.0.0.0:") for each in listed if not each.startswith("127.0.0.1:")}
    assert wide == {"16686", "14268", "4317", "4318", "13133", "8888"}
    assert listed - {f"0.0.0.0:{port}" for port in wide} == {"127.0.0.1:16685"}


def test_every_part_is_used_and_there() -> None:
    """What the service starts is configured, and what is configured is started; they mean one store."""
    config = build_config(Settings())
    service = config["service"]
    (pipeline,) = service["pipelines"].values()
    for kind in ("receivers", "processors", "exporters"):
        assert set(pipeline[kind]) == config[kind].keys()
    assert set(service["extensions"]) == config["extensions"].keys()
    (store,) = config["extensions"]["jaeger_storage"]["backends"]
    assert config["extensions"]["jaeger_query"]["storage"] == {"traces": store}
    assert config["exporters"]["jaeger_storage_exporter"]["trace_storage"] == store


@pytest.mark.parametrize(
    ("retention", "milliseconds"), [("7d", "604800000ms"), ("1y", "31536000000ms"), ("90s", "90000ms")]
)
def test_spans_expire(retention: str, milliseconds: str) -> None:
    """A retention of the settings is a duration as Go reads it, which knows neither days nor years."""
    (store,) = build_config(Settings(retention=retention))["extensions"]["jaeger_storage"]["backends"].values()
    assert store["badger"]["ttl"] == {"spans": milliseconds} and store["badger"]["ephemeral"] is False


def test_it_is_below_the_path_of_the_stack() -> None:
    """A stack below a path of its own has Jaeger below that one."""
    query = build_config(Settings(), "/monitoring")["extensions"]["jaeger_query"]
    assert query["base_path"] == "/monitoring/jaeger"


def test_its_pages_are_those_of_its_image() -> None:
    """Upstream's image sets no such variable, and an empty path means the interface within the program."""
    ui = build_config(Settings())["extensions"]["jaeger_query"]["ui"]
    assert ui == {"assets_path": "${env:JAEGER_UI_ASSETS:-}"}


def test_it_does_not_trace_itself() -> None:
    """Its own requests would stand among the system's traces."""
    assert build_config(Settings())["extensions"]["jaeger_query"]["enable_tracing"] is False


def test_the_queue_takes_the_largest_request() -> None:
    """A collector sends up to 8192 spans at once, and what is larger than the whole queue is always refused."""
    queue = build_config(Settings())["exporters"]["jaeger_storage_exporter"]["queue"]
    assert queue["enabled"] and queue["sizer"] == "items" and queue["queue_size"] == QUEUE_SPANS > 8192


def test_the_names_of_its_series_are_said() -> None:
    """Its alerts ask for `_total`, which the Collector's own default leaves away."""
    telemetry = build_config(Settings())["service"]["telemetry"]
    (reader,) = telemetry["metrics"]["readers"]
    exporter = reader["pull"]["exporter"]["prometheus"]
    assert {key: value for key, value in exporter.items() if key.startswith("without")} == {
        "without_scope_info": True, "without_type_suffix": False, "without_units": False,
    }  # fmt: skip
