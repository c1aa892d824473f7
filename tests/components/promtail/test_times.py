"""Stages for a line's own time; tests/e2e/test_log_lines.py shows the times that Promtail itself reads."""

from __future__ import annotations

from typing import Any

from components.promtail.times import build_time_stages
from model.lines import LineTime


def stage(kind: str, how: LineTime, line_format: Any = "json") -> dict[str, Any]:
    """The only stage of a kind, or the first of several."""
    return next(dict(each[kind]) for each in build_time_stages(how, line_format) if kind in each)


def test_a_time_is_never_guessed() -> None:
    """By default Promtail gives a line without a time that of the line before; here it has that of reading."""
    for how in (LineTime(), LineTime(layout="2006-01-02T15:04:05Z07:00")):
        assert stage("timestamp", how)["action_on_failure"] == "skip"


def test_a_line_without_a_time_is_marked() -> None:
    """What is stored beside it says that its time is that of reading."""
    assert list(stage("structured_metadata", LineTime())) == ["time_from"]


def test_a_layout_has_its_zone() -> None:
    """The zone of the lines, not that of the machine."""
    how = LineTime(layout="2006-01-02 15:04:05", zone="Europe/Berlin")
    made = stage("timestamp", how)
    assert (made["format"], made["location"]) == ("2006-01-02 15:04:05", "Europe/Berlin")


def test_a_named_field_is_the_only_place() -> None:
    """What a line of text begins with is looked at where no field is named."""
    how = LineTime(field="log.time")
    assert stage("json", how)["expressions"] == {"time_field": '"log.time" || "log"."time"'}
    assert stage("logfmt", how, "logfmt")["mapping"] == {"time_0": "log.time"}
    assert not any("regex" in each for each in build_time_stages(how, "json"))
    assert any("regex" in each for each in build_time_stages(LineTime(), "json"))
