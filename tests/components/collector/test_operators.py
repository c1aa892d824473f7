"""Operators on lines; tests/e2e/test_log_lines.py shows what the collector itself makes of lines by them."""

from __future__ import annotations

from typing import Any

from components.collector.operators import (
    build_docker_operators,
    build_joining_operators,
    build_pod_operators,
    build_time_operators,
)
from model.lines import LineTime
from model.load import parse_model
from model.logs import Logs


def kinds(made: list[dict[str, Any]]) -> list[str]:
    """The types of operators."""
    return [each["type"] for each in made]


def test_parts_are_joined_within_a_stream() -> None:
    """What a program writes to its two outputs stands in one file, line by line and part by part."""
    (_, source, joined, _) = build_docker_operators()
    assert "attributes.stream" in source["value"] and joined["source_identifier"] == source["field"]
    assert joined["combine_with"] == "" and joined["is_last_entry"].endswith(r'"\n"')


def test_both_forms_of_a_node_end_alike() -> None:
    """Each line has one of two forms; what both leave is joined by the same operators, and has its stream as label."""
    made = build_pod_operators()
    (docker, other), rest = made[:2], made[2:]
    assert other["if"] == f"not ({docker['if']})"
    assert rest[1:-1] == build_docker_operators()[1:] and rest[-1]["to"] == "resource.stream"


def test_services_that_are_joined_alike_share_an_operator() -> None:
    """Who says nothing has none; objects of JSON pass by."""
    logs = {
        key: parse_model(Logs, said, key)
        for key, said in {"a": {"multiline": {}}, "b": {}, "c": {"multiline": {"maxWait": "1s", "maxLines": 9}}}.items()
    }
    first, second = build_joining_operators(logs)
    assert first["if"].startswith('resource.service in ["a"] and not (body matches')
    assert (second["force_flush_period"], second["max_batch_size"]) == ("1s", 9)


def test_a_line_without_a_time_is_marked() -> None:
    """What is stored beside it says that its time is that of reading."""
    last = build_time_operators(LineTime(), "json")[-1]
    assert (last["if"], last["field"], last["value"]) == ("timestamp.IsZero()", "attributes.time_from", "reading")


def test_a_layout_has_its_zone() -> None:
    """The zone of the lines, not that of the machine."""
    made = build_time_operators(LineTime(layout="2006-01-02 15:04:05", zone="Europe/Berlin"), "text")
    (read,) = [each for each in made if each["type"] == "time_parser"]
    assert (read["layout_type"], read["location"]) == ("gotime", "Europe/Berlin")


def test_a_named_field_is_the_only_place() -> None:
    """What a line of text begins with is looked at where no field is named."""
    assert "regex_parser" not in kinds(build_time_operators(LineTime(field="log.time"), "json"))
    assert "regex_parser" in kinds(build_time_operators(LineTime(), "json"))
