"""How lines are read, as their services say."""

from __future__ import annotations

from components.lines.reading import Reading, build_reading, build_readings, group_readings
from model.load import parse_model
from model.logs import USUAL_LOGS, Logs


def test_identity_is_not_stored_twice() -> None:
    """A field that is called like a label of every line would be stored under another name, and found by nobody."""
    assert "service" not in build_reading(parse_model(Logs, {"fields": ["service", "tenant_id"]}, "l")).fields


def test_services_that_say_the_same_are_read_alike() -> None:
    """Each line is compared with each group, so services without a word about their lines make none."""
    said = parse_model(Logs, {"labels": ["component"]}, "l")
    made = build_readings({"a": USUAL_LOGS, "b": said, "c": said})
    assert made["b"] is made["c"]
    assert group_readings(made, Reading()) == {Reading(labels=("component",)): ["b", "c"]}
