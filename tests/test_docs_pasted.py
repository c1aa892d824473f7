"""What a reader does page by page works: YAML that is pasted is planned, and what a page shows is what comes of it.

Blocks of a page add up, at the stack `dev`, or from `<!-- stack: NAME -->` on at another one as it is shipped. A block
of YAML goes to the stack's file if it has `config`, else to its system's, or to the file that its first line names. In
a block of text `$ ` begins a command, whose output follows as it is; `…` stands for anything. Where that is a refusal,
what was pasted before it is taken out again. Commands that need an engine are not run.
"""

from __future__ import annotations

import io
import re
import shlex
import shutil
from itertools import zip_longest
from pathlib import Path

import pytest
from rich.console import Console

from cli import table
from cli.pages import list_addresses
from cli.render import plan_file
from cli.report import describe_health, list_unguarded
from cli.runbooks import list_shipped_files
from cli.tour import list_next_steps
from cli.verify import Health
from model.errors import ConfigError
from model.host_ports import list_host_ports
from model.plan import Plan
from tests.support.pages import PAGES, ROOT, RUNBOOKS, Block, compare_output, list_blocks, list_shown
from tests.support.proving import needed, prove
from tests.support.reading import LOOKING, Reader
from tests.support.shell_lines import OURS, expand_make, list_commands
from tests.support.tiers import leave_all_but
from tests.support.validating import tool
from tests.support.yaml_files import read_yaml

ADDRESS = re.compile(r'http://127\.0\.0\.1:8080[^\s<>`),"]*')
"""A page of the stack, at its entry point."""
REFUSED = re.compile(r"\d+ problems? in the configuration:\n")


@pytest.fixture
def reader(tmp_path: Path) -> Reader:
    """A reader at the stack of `make up`."""
    result = Reader(tmp_path / "checkout")
    result.start_stack("dev")
    return result


class Walk:
    """A reader's way through a page; everything that is not as the page says it is in `complaints`."""

    def __init__(self, reader: Reader, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.reader, self.complaints = reader, list[str]()
        self._monkeypatch, self._capsys = monkeypatch, capsys

    def go_through(self, blocks: list[Block]) -> None:
        """Does what each block says, one after the other."""
        for block, after in zip_longest(blocks, blocks[1:]):
            try:
                self._follow_block(block, refused=after is not None and shows_refusal(after))
            except (ConfigError, OSError) as error:
                self.complaints.append(f"line {block.line}: {error}")

    def _follow_block(self, block: Block, *, refused: bool) -> None:
        if block.language == "stack":
            self.reader.start_stack(block.text)
        elif block.language == "yaml":
            self.reader.paste_text(block.text)
            if not refused:
                self.reader.plan_stack()
        elif block.language == "sh":
            for command in list_commands(block.text):
                self._run_command(command)
        elif block.language == "text":
            self._compare_shown(block)

    def _compare_shown(self, block: Block) -> None:
        for shown in list_shown(block):
            (command,) = list_commands(shown.command)
            if command[0] == "curl":
                self.reader.answers[command[-1]] = shown.output
                continue
            real = self._run_command(command)
            if real is None and REFUSED.match(shown.output):
                real = "nothing is refused"
            if real is not None and (wrong := compare_output(shown.output, real)):
                self.complaints.append(f"line {block.line}: {shown.command}\n{wrong}")
        if shows_refusal(block):
            self.reader.undo_paste()

    def _run_command(self, command: list[str]) -> str | None:
        """What a command prints; None where that is seen with an engine only."""
        if command[0] in LOOKING:
            return self.reader.look_at_files(shlex.join(command))
        every = expand_make(command[1:]) if command[0] == "make" else [command]
        calls = [each[1:] for each in every if each[0] in OURS]
        printed = [self.reader.call_program(call, self._monkeypatch, self._capsys) for call in calls]
        return printed[0] if printed else None


def shows_refusal(block: Block) -> bool:
    """Whether a block shows first that what was pasted before it is refused; then it is taken out again."""
    first = next(list_shown(block), None) if block.language == "text" else None
    return first is not None and REFUSED.match(first.output) is not None


@pytest.mark.parametrize(
    "page",
    leave_all_but((ROOT / "README.md",), (page for page in PAGES if not page.is_relative_to(RUNBOOKS))),
    ids=lambda page: str(page.relative_to(ROOT)),
)
def test_a_reader_gets_what_a_page_says(
    page: Path, reader: Reader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Block by block in the order of the page, each on top of those before it, at the stack that the page names.

    The addresses that it leads to are served then, and the examples of its alerts hold.
    """
    walk = Walk(reader, monkeypatch, capsys)
    text = page.read_text(encoding="utf-8")
    walk.go_through(list_blocks(text))
    assert not walk.complaints, "\n".join(walk.complaints)
    plan = reader.plan_stack()
    assert not set(ADDRESS.findall(text)) - set(list_served(plan))
    for group in plan.telemetry.rules:
        for alert in (alert for alert in group.alerts if f"- name: {alert.name}\n" in text):
            assert not prove(needed(group, alert), str(tool("promtool")), tmp_path)


REFUSAL = "```text\n$ make up\n1 problem in the configuration:\n  - x\n```"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("```yaml\nservices: { api: { pack: [http] } }\n```", "unknown key 'pack'"),
        ("```yaml\nconfig: { observability:scrapeIntervall: 30s }\n```", "scrapeInterval"),
        ("```yaml\n# Pulumi.new.yaml\nconfig: { observability:system: nothing }\n```", "nothing"),
        (f"```yaml\ntune: {{}}\n```\n{REFUSAL}", "nothing is refused"),
        (f"```yaml\nscrap: {{}}\n```\n{REFUSAL}", "unknown key"),
        ("```text\n$ make routes severity=critical\n-> nobody\n```", "-> default (webhook)"),
        ("```text\n$ cat configs/images.yaml\nnothing\n```", "prometheus"),
    ],
)
def test_a_page_that_is_wrong_is_seen(
    text: str, words: str, reader: Reader, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Unplanned YAML, a refusal that does not happen or has other words, and an output that is another one."""
    walk = Walk(reader, monkeypatch, capsys)
    walk.go_through(list_blocks(text))
    assert len(walk.complaints) == 1 and words in walk.complaints[0]


def test_a_reader_goes_on_without_what_was_refused(
    reader: Reader, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """After a refusal that is shown, the next block is pasted into the file of before; another stack is as shipped."""
    shown = "1 problem in the configuration:\n  - configs/systems/plue.yaml: scrap: unknown key…"
    text = f"```yaml\nscrap: {{}}\n```\n```text\n$ make up\n{shown}\n```\n```yaml\nexpectedLogBytes: 5\n```"
    walk = Walk(reader, monkeypatch, capsys)
    walk.go_through(list_blocks(text))
    assert not walk.complaints and reader.plan_stack().system.expected_log_bytes == 5
    walk.go_through(list_blocks("<!-- stack: plue -->"))
    assert reader.plan_stack().system.expected_log_bytes != 5


def list_served(plan: Plan) -> list[str]:
    """The addresses of the pages of a stack: that of its entry point, those of its routes, and its dashboards."""
    base = plan.settings.base_url
    boards = [f"{base}/d/{board.uid}" for board in plan.telemetry.dashboards]
    return [base, *(page.address for page in list_addresses(plan, base)), *boards]


def build_closing_table(plan: Plan) -> str:
    """What `make up` prints where all is well."""
    opened = {item.name: port.publish for _, item, port in list_host_ports(plan.workloads)}
    health = [
        Health(name, "healthy", f"http://127.0.0.1:{opened[name]}" if name in opened else "", 0)
        for name in sorted(item.name for item in plan.list_workloads())
    ]
    targets = [(job.name, target.labels) for job in plan.telemetry.scrape for target in job.targets]
    scraped = [{"labels": {"job": name, **labels}, "health": "up"} for name, labels in targets]
    pages = list_addresses(plan, plan.settings.base_url)
    out = io.StringIO()
    report = table.Report(
        plan.stack, describe_health(plan, health), scraped, pages=pages, unguarded=list_unguarded(plan, health)
    )
    table.print_report(report, Console(file=out, width=120))
    return out.getvalue() + "\n".join(list_next_steps(plan))


def test_the_closing_table_is_that_of_the_stack() -> None:
    """README shows the workloads, targets and addresses that `make up` ends with, in the program's own words."""
    after = (ROOT / "README.md").read_text(encoding="utf-8").partition("<!-- closing table -->")[2]
    *shown, times = list_blocks(after)[0].text.splitlines()
    assert times.startswith("prerequisites ")
    real = build_closing_table(plan_file(ROOT / "Pulumi.dev.yaml", "dev"))
    assert not compare_output("\n".join(shown), real)


# -- runbooks --------------------------------------------------------------------------------------------------------


def list_alerts(path: Path) -> set[str]:
    """Names of the alerts of a stack file."""
    rules = plan_file(path, path.name.split(".")[1]).telemetry.rules
    return {alert.name for group in rules for alert in group.alerts}


def list_tunings() -> dict[str, str]:
    """The YAML of each runbook, by the name of its alert, of which alone it speaks."""
    texts = {page.stem: page.read_text(encoding="utf-8") for page in RUNBOOKS.rglob("*.md")}
    every = ((name, block) for name in texts for block in list_blocks(texts[name]))
    blocks = [(name, block.text) for name, block in every if block.language == "yaml"]
    for name, text in blocks:
        assert {key: set(value) for key, value in read_yaml(text).items()} == {"tune": {name}}
    assert len(dict(blocks)) == len(blocks) > 100
    return dict(blocks)


@pytest.mark.exhaustive  # every alert
def test_runbooks_tune_their_alerts(reader: Reader) -> None:
    """The YAML of each runbook is taken by the first stack that has its alert, which then still has the alert.

    None speaks of another one's alert, so all of a stack are pasted before it is planned.
    """
    left = list_tunings()
    for file in list_shipped_files(ROOT):
        tuned = sorted(left.keys() & list_alerts(file))
        reader.start_stack(file.name.split(".")[1])
        shutil.copy(file, reader.root)
        for text in map(left.pop, tuned):
            reader.paste_text(text)
        alerts = {alert.name for group in reader.plan_stack().telemetry.rules for alert in group.alerts}
        assert not set(tuned) - alerts, file
    assert not left
