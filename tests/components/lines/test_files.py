"""The log files that agents read; tests of the agents show what they make of them."""

from __future__ import annotations

from components.lines.files import list_file_labels, list_folders, name_log_files
from model.telemetry import LogFile


def test_entries_may_have_one_job() -> None:
    """Each has a name of its own beside the label that its lines have."""
    logs = [LogFile(job="shop", path=f"/var/log/{name}.log") for name in "abc"]
    assert [name for name, _ in name_log_files(logs)] == ["shop", "shop.2", "shop.3"]


def test_a_file_is_its_services() -> None:
    """A file that a service says to write has its name, any other that of its job; a constant label is there too."""
    assert list_file_labels(LogFile(job="a", path="/a/b", service="api"))["service"] == "api"
    assert list_file_labels(LogFile(job="a", path="/a/b", labels={"team": "x"})) == {
        "job": "a", "service": "a", "team": "x",
    }  # fmt: skip


def test_a_folder_is_seen_once() -> None:
    """Of two folders that lie in each other the outer one is enough."""
    logs = [LogFile(job="a", path=path) for path in ("/var/log/**/*.log", "/var/log/nginx/a", "/srv/*/a.log")]
    assert list_folders(logs) == ["/srv", "/var/log"]
