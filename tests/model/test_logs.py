"""What a system says of its log lines."""

from __future__ import annotations

import pytest

from model.errors import ConfigError
from model.load import parse_model
from model.logs import IDENTITY, HostLog, Logs, derive_folder

TEXT = {"path": "/var/log/a.log", "job": "a", "format": "text"}


@pytest.mark.parametrize(
    ("path", "above"),
    [
        ("/var/log/syslog", "/var/log"),
        ("/var/log/shop/*.log", "/var/log/shop"),
        ("/srv/apps/*/logs/*.log", "/srv/apps"),
        ("/var/log/**/*.log", "/var/log"),
        ("/var/log/nginx/{access,error}.log", "/var/log/nginx"),
        ("/var/log/app[12]/x.log", "/var/log"),
        ("/var/log/app?/x.log", "/var/log"),
    ],
)
def test_a_pattern_is_no_folder(path: str, above: str) -> None:
    """What is mounted is the folder above the first part that is a pattern; such a part is never a path."""
    assert derive_folder(path) == above
    assert parse_model(HostLog, {"path": path, "job": "a"}, "log").path == path


@pytest.mark.parametrize("path", ["/app.log", "/*/app.log", "/**/*.log"])
def test_the_whole_disk_is_not_mounted(path: str) -> None:
    """A path without a folder of its own would mean the root directory."""
    with pytest.raises(ConfigError, match=r"log: path: .*: name the first folder"):
        parse_model(HostLog, {"path": path, "job": "a"}, "log")


@pytest.mark.parametrize("path", ["app.log", "/var/log/", "/var/my log"])
def test_a_path_is_absolute_and_names_files(path: str) -> None:
    """Anything else is refused in words."""
    with pytest.raises(ConfigError, match="must be an absolute path of files"):
        parse_model(HostLog, {"path": path, "job": "a"}, "log")


def test_a_group_is_a_number() -> None:
    """A name would be looked up in the container, where the host's groups are not known."""
    assert parse_model(HostLog, {"path": "/var/log/syslog", "job": "a", "group": 4}, "log").group == 4
    with pytest.raises(ConfigError, match=r'group: "adm": must be a whole number'):
        parse_model(HostLog, {"path": "/var/log/syslog", "job": "a", "group": "adm"}, "log")


@pytest.mark.parametrize("label", sorted(IDENTITY))
def test_no_field_says_where_a_line_comes_from(label: str) -> None:
    """A field of the line cannot replace a label by which its service is found."""
    with pytest.raises(ConfigError, match=f"logs: labels: {label}: such a label says where a line comes from"):
        parse_model(Logs, {"labels": ["level", label]}, "logs")


@pytest.mark.parametrize("label", ["requestId", "TraceID", "durationMs"])
def test_spelling_does_not_make_values_fewer(label: str) -> None:
    """A field of many values is refused in each usual spelling."""
    with pytest.raises(ConfigError, match=f"labels: {label} has too many distinct values"):
        parse_model(Logs, {"labels": [label]}, "logs")


@pytest.mark.parametrize("given", [{"fields": ["level"]}, {"labels": ["level"]}, {"levelField": "l"}])
def test_text_has_no_fields(given: dict[str, object]) -> None:
    """What would have no effect on plain text is refused; what is not said is no contradiction."""
    with pytest.raises(ConfigError, match="lines of format text have no fields"):
        parse_model(Logs, {"format": "text", **given}, "logs")
    assert parse_model(Logs, {"format": "text"}, "logs").format == "text"
    assert parse_model(Logs, {"format": "logfmt", **given}, "logs").format == "logfmt"


def test_files_of_text_have_no_fields() -> None:
    """The level needs no field; another field would be no label of any line."""
    with pytest.raises(ConfigError, match="labelFields: zone: lines of format text have no fields"):
        parse_model(HostLog, {**TEXT, "labelFields": ["level", "zone"]}, "log")
    assert parse_model(HostLog, {**TEXT, "labelFields": ["level"]}, "log").format == "text"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"expression": "(?P<a>x)"}, "expression: lines of format json have their own fields"),
        ({"format": "text", "expression": "x+"}, "expression: has no group with a name"),
        ({"format": "text", "expression": "(?P<a>x)", "fields": ["b"]}, "fields: b: no group of .*; it has a"),
        ({"format": "text", "expression": "(?P<a>x)", "labels": ["level", "b"]}, "labels: b: no group"),
        ({"format": "text", "expression": "(?P<a>x)", "levelField": "b"}, "levelField: b: no group"),
        ({"format": "text", "expression": "(?P<a>(?!x))"}, "looks ahead"),
    ],
)
def test_fields_of_text_are_groups(given: dict[str, object], words: str) -> None:
    """A field that no group is called like would be nowhere."""
    with pytest.raises(ConfigError, match=words):
        parse_model(Logs, given, "logs")


def test_the_time_of_text_is_a_group() -> None:
    """A field for the time needs an expression that has it."""
    with pytest.raises(ConfigError, match=r"time.field: at: lines of format text have no fields"):
        parse_model(HostLog, {**TEXT, "time": {"field": "at"}}, "log")
    log = {**TEXT, "time": {"field": "at"}, "expression": r"^(?P<at>\S+)"}
    assert parse_model(HostLog, log, "log").time.field == "at"
