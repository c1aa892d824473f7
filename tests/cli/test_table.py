"""The closing table of `up` and `verify`."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from rich.console import Console

from cli import table
from cli.pages import Login, Page
from cli.verify import Health
from tests.support.fakes import target

GOOD = Health("prometheus", "healthy", "http://127.0.0.1:9090", 64)
LOGIN = Login(user="admin", secret="grafana-admin-password")
PAGE = Page(name="grafana", shown="grafana", address="http://127.0.0.1:8080/", logins=(LOGIN,))


def shown(found: list[Health], scraped: list[dict[str, Any]], *unseen: str) -> tuple[bool, str]:
    """Verdict and text of the closing table."""
    out = io.StringIO()
    console = Console(file=out, width=120)
    report = table.Report("dev", found, scraped, unseen, base_url="http://127.0.0.1:8080", pages=[PAGE])
    good = table.print_report(report, console)
    return good, out.getvalue()


def test_who_is_down_is_named() -> None:
    """By its service, as the address of a pod means nothing to anybody."""
    _, text = shown([GOOD], [target("api", "down")])
    assert "down api, http" in text


def test_report_of_a_good_stack() -> None:
    """The closing table names every workload, its address, how much of it is scraped, and where the password is."""
    good, text = shown([GOOD, Health("tools", "running", "", 1)], [target("prometheus"), target("prometheus")])
    assert good
    for words in (
        "prometheus",
        "http://127.0.0.1:9090",
        "2/2 up",
        "Targets: 2 of 2 up",
        "names: make password STACK=dev",
    ):
        assert words in text


def test_report_names_what_is_down() -> None:
    """A target that is down fails the report and is shown with its error."""
    good, text = shown([GOOD], [target("prometheus"), target("api", "down")])
    assert not good
    assert "http://api:1/metrics: connection refused [a-z]" in text and "Targets: 1 of 2 up" in text


def test_unhealthy_or_empty_stack_is_not_good() -> None:
    """An unhealthy workload, or no workload at all, fails the report."""
    assert not shown([Health("web", "unhealthy", "", 1)], [target("web")])[0]
    assert not shown([], [])[0]


def test_no_target_at_all_is_not_good() -> None:
    """A stack whose Prometheus names no target is watched by nobody."""
    assert not shown([GOOD], [])[0]


def test_what_is_not_seen_fails_the_report() -> None:
    """All is healthy and up, and yet a container without metrics or lines makes the stack not good."""
    good, text = shown([GOOD], [target("prometheus")], "there are no metrics of 2 of 2 containers (all)")
    assert not good and "unseen there are no metrics of 2 of 2 containers (all)" in text


@pytest.mark.parametrize(
    ("workloads", "scraped", "unseen", "good"),
    [
        ([GOOD], [target("prometheus")], [], True),
        ([GOOD], [target("prometheus", "down")], [], False),
        ([GOOD], [target("prometheus")], ["there are no metrics"], False),
        ([], [], [], False),
    ],
)
def test_a_program_reads_the_same_verdict(
    workloads: list[Health], scraped: list[dict[str, Any]], unseen: list[str], good: bool
) -> None:
    """The plain data hold what the table shows, and judge as it does."""
    data = table.describe_report(table.Report("dev", workloads, scraped, unseen, ("w",), "http://h"))
    assert json.loads(json.dumps(data)) == data
    assert (data["good"], data["unseen"], data["warnings"]) == (good, unseen, ["w"])
    assert [item["workload"] for item in data["workloads"]] == [item.workload for item in workloads]
    assert [(each["service"], each["health"]) for each in data["targets"]] == [
        (each["labels"]["service"], each["health"]) for each in scraped
    ]
    assert shown(workloads, scraped, *unseen)[0] == good


def test_addresses_are_whole_in_a_narrow_window() -> None:
    """What is cut opens nothing; a page has a line of its own, and where none leads anywhere, a command does."""
    long = Health("prometheus", "healthy", "http://127.0.0.1:29091 http://127.0.0.1:29092", 64)
    texts = []
    for pages in ([PAGE], []):
        out = io.StringIO()
        report = table.Report("dev", [long], [], base_url="http://127.0.0.1:8080", pages=pages)
        table.print_report(report, Console(file=out, width=40))
        texts.append(out.getvalue())
    near, far = texts
    cells = "".join(line.split("│")[-2].strip() for line in near.splitlines() if "│" in line)
    assert cells == "http://127.0.0.1:29091http://127.0.0.1:29092" and "…" not in near
    assert "  grafana  http://127.0.0.1:8080/" in near and "make open" not in near
    assert "make open STACK=dev" in far.replace("\n", "") and "make password STACK=dev" in far.replace("\n", " ")


def test_warnings_are_shown_and_judge_nothing() -> None:
    """What the plan warns of stands below the table; the stack is as well as it is without."""
    out = io.StringIO()
    console = Console(file=out, width=120)
    up = [target("prometheus")]
    assert table.print_report(table.Report("dev", [GOOD], up, warnings=("no [default] receiver",)), console)
    assert "warning no [default] receiver" in out.getvalue()


def test_a_target_that_refuses_says_what_to_change() -> None:
    """Where waiting changes nothing; one that only does not answer may come yet."""
    refused = {**target("api", "down"), "lastError": "server returned HTTP status 401 Unauthorized"}
    assert "waiting does not change that: it wants a login" in shown([GOOD], [refused])[1]
    assert "waiting does not" not in shown([GOOD], [target("api", "down")])[1]


def test_what_is_no_page_is_called_an_api() -> None:
    """An address that opens nothing in a browser says so; one that opens something says nothing."""
    _, text = shown([GOOD, Health("loki", "healthy", "http://127.0.0.1:3100", 1, api=True)], [target("loki")])
    assert "http://127.0.0.1:3100 (API)" in text and text.count("(API)") == 1
    assert "(API)" not in shown([Health("loki", "healthy", "", 1, api=True)], [target("loki")])[1]


def test_a_replacement_is_named_for_what_it_is() -> None:
    """Below the table stands in whose place it is, and where that is explained; what it replaces is not called so."""
    viewer = Health("grafana", "healthy", "http://127.0.0.1:3001/", 1, replacement="dashboard-viewer")
    _, text = shown([viewer], [target("grafana")])
    assert "│ dashboard-viewer │" in text and "1/1 up" in text
    assert "dashboard-viewer is there in the place of grafana: README.md" in text
    assert "dashboard-viewer" not in shown([GOOD], [target("grafana")])[1]


def test_addresses_stand_in_one_line_of_a_usual_window() -> None:
    """Of the parts with the longest names and addresses: a terminal of 80 columns opens what it shows in one piece."""
    parts = [
        Health("alertmanager", "healthy", "http://127.0.0.1:9093/alertmanager/", 1),
        Health("blackbox-exporter", "healthy", "", 1),
        Health("grafana", "healthy", "http://127.0.0.1:3001/", 1, replacement="dashboard-viewer"),
    ]
    out = io.StringIO()
    table.print_report(table.Report("dev", parts, []), Console(file=out, width=80))
    assert "│ http://127.0.0.1:9093/alertmanager/ │" in out.getvalue()


def test_who_asks_for_no_login_is_named() -> None:
    """Nothing is said where everybody does."""
    out = io.StringIO()
    report = table.Report("dev", [GOOD], [target("prometheus")], pages=[PAGE], unguarded=["loki", "prometheus"])
    table.print_report(report, Console(file=out, width=120))
    assert "No login at their addresses in the table: loki, prometheus\n" in out.getvalue()
    assert "No login" not in shown([GOOD], [target("prometheus")])[1]


def test_a_program_reads_pages_and_logins() -> None:
    """By the names of the routes, which stay; a password is named and not in it."""
    data = table.describe_report(table.Report("dev", [GOOD], [], pages=[PAGE]))
    assert data["pages"] == {"grafana": "http://127.0.0.1:8080/"}
    assert data["logins"] == {"grafana": ["user admin, password grafana-admin-password"]}
