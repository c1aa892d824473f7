"""The closing table: how a running stack is, with the addresses of its parts and pages, for people and for programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cli.pages import Page, print_pages
from cli.refusals import find_reason
from cli.verify import Health, find_service
from model.base import fold_key


@dataclass(frozen=True)
class Report:
    """How a running stack is.

    Attributes:
        workloads: each with how it is.
        scraped: targets as Prometheus' API describes them.
        unseen: what runs and is watched by nobody, as sentences.
        warnings: what the plan warns of, as sentences; they judge nothing.
        base_url: where people open it.
        pages: what people open there; none where nothing leads there from this machine.
        unguarded: workloads whose own address asks for no login.
    """

    stack: str
    workloads: Sequence[Health]
    scraped: Sequence[Mapping[str, Any]]
    unseen: Sequence[str] = ()
    warnings: Sequence[str] = ()
    base_url: str = ""
    pages: Sequence[Page] = ()
    unguarded: Sequence[str] = ()

    @property
    def good(self) -> bool:
        """Whether there are workloads and targets, all of them are well and up, and nothing is unseen."""
        up = bool(self.scraped) and all(target["health"] == "up" for target in self.scraped)
        return bool(self.workloads) and all(item.good for item in self.workloads) and up and not self.unseen


def print_report(report: Report, console: Console) -> bool:
    """Prints the closing table, and what the plan warns of; true when everything is as it should be."""
    by_service: dict[str, list[str]] = {}
    for target in report.scraped:
        name = fold_key(find_service(target))
        by_service.setdefault(name, []).append(target["health"])
    table = Table(title=f"Stack {report.stack}", title_justify="left")
    for column in ("workload", "health", "scraped", "address"):
        table.add_column(column, overflow="fold")  # an address that is cut opens nothing
    for item in report.workloads:
        up = by_service.get(fold_key(item.workload), [])
        text = f"{up.count('up')}/{len(up)} up" if up else "-"
        mark = "green" if item.good else "red"
        address = f"{item.url} (API)" if item.url and item.api else item.url
        table.add_row(item.shown, f"[{mark}]{item.state}[/]", text, address)
    own = {fold_key(item.workload) for item in report.workloads}
    for name, states in sorted((name, states) for name, states in by_service.items() if name not in own):
        table.add_row(name, "-", f"{states.count('up')}/{len(states)} up", "")  # of somebody else
    console.print(table)
    down = [t for t in report.scraped if t["health"] != "up"]
    for target in down:
        console.print(f"[red]down[/] {find_service(target)}, {target['scrapeUrl']}: {escape(target['lastError'])}")
        if reason := find_reason(target["lastError"]):
            console.print(f"     waiting does not change that: {reason}")
    for sentence in report.unseen:
        console.print(f"[red]unseen[/] {escape(sentence)}")
    print_warnings(report.warnings, console)
    console.print(f"Targets: {len(report.scraped) - len(down)} of {len(report.scraped)} up")
    _print_addresses(report, console)
    return report.good


def _print_addresses(report: Report, console: Console) -> None:
    """Below the table: pages with their logins, what has none, and what is no other's program."""
    print_pages(report.pages, report.stack, console)
    if not report.pages and report.base_url:
        console.print(f"Pages: nothing leads to {report.base_url}/ from here; make open STACK={report.stack} does,")
        console.print(f"and says which login each of them takes; the passwords: make password STACK={report.stack}")
    if report.unguarded:
        console.print(f"No login at their addresses in the table: {', '.join(report.unguarded)}")
    for item in report.workloads:
        if item.replacement:
            console.print(
                f"{item.replacement} is there in the place of {item.workload}: README.md, Where there is no download"
            )


def print_warnings(warnings: Sequence[str], console: Console) -> None:
    """Prints what a plan warns of, one line each."""
    for warning in warnings:
        console.print(f"[yellow]warning[/] {escape(warning)}")


def describe_report(report: Report) -> dict[str, Any]:
    """What `print_report` prints, as plain data: `good` is its verdict, memory limits are bytes."""
    return {
        "stack": report.stack,
        "good": report.good,
        "base_url": report.base_url,
        "pages": {page.name: page.address for page in report.pages},
        "logins": {page.name: [*map(str, page.logins)] for page in report.pages},
        "workloads": [{**asdict(item), "good": item.good} for item in report.workloads],
        "targets": [
            {
                "job": target["labels"]["job"],
                "service": target["labels"].get("service", ""),
                "url": target["scrapeUrl"],
                "health": target["health"],
                "error": target["lastError"],
            }
            for target in report.scraped
        ],
        "unseen": list(report.unseen),
        "warnings": list(report.warnings),
    }
