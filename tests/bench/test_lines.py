"""The measurement of agents that read lines: documents are those that are deployed, and everything is on loopback."""

from __future__ import annotations

import json
import os
import re
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from rich.console import Console

from bench import lines
from bench.engine import Container
from model.settings import AGENTS
from tests.support.serving import serving

TAKEN = [(10, 0), (10, 1), (11, 1), (12, 3)]
"""Times and numbers of the lines that Loki has: one is lost, and one is there twice."""


class Loki(BaseHTTPRequestHandler):
    """A Loki with these lines."""

    def do_GET(self) -> None:
        """Counts lines, or lists a page of them."""
        url = urlsplit(self.path)
        query = parse_qs(url.query)
        found: list[object] = [{"value": [0, str(len(TAKEN))]}]
        if url.path.endswith("query_range"):
            chosen = [each for each in TAKEN if each[0] >= int(query["start"][0])][: int(query["limit"][0])]
            found = [{"values": [[str(moment), json.dumps({"order": number})] for moment, number in chosen]}]
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps({"data": {"result": found}}).encode())

    def log_message(self, *_: object) -> None:
        """Nothing to say."""


def test_lost_and_doubled_lines_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Numbers by pages, and all lines by their count."""
    monkeypatch.setattr(lines, "PAGE", 2)
    with serving(Loki) as address:
        assert lines.list_numbers(f"http://{address}", 0) == {0: 1, 1: 2, 3: 1}
        assert lines.count_lines(f"http://{address}") == 4


@pytest.mark.parametrize("agent", AGENTS)
def test_an_agent_has_its_own_document(tmp_path: Path, agent: str) -> None:
    """But for addresses and places: nothing of a stack is reached, and nothing is open to a network."""
    place = lines.Place(tmp_path, Container(tmp_path / "containers"), "127.0.0.1:1", "http://127.0.0.1:2")
    plan = lines.build_plan(agent, tmp_path)
    build = {"promtail": lines.build_promtail, "collector": lines.build_collector}[agent]
    text = json.dumps(build(plan, place))
    assert "http://127.0.0.1:2/" in text and str(tmp_path) in text
    assert not re.search(r"0\.0\.0\.0|http://loki|socket-proxy", text)
    if agent == "collector":
        command = lines.write_links(plan, place)
        assert str(command[-2]).startswith("127.0.0.1:")
        assert json.loads(Path(command[4]).read_text(encoding="utf-8"))["engine"] == "127.0.0.1:1"


def test_lines_are_written_to_the_last(tmp_path: Path) -> None:
    """However much time a share of them has."""
    container = Container(tmp_path)
    lines.write_slowly(container, 7, 0)
    lines.write_slowly(container, 20, 0.01)
    assert container.written == 20


def test_the_table_says_what_was_lost() -> None:
    """In a row for each run."""
    console = Console(record=True, width=120)
    lines.print_results([lines.Result("promtail reads", 3, 0, 7, 1.5, 2.25, 64 * 2**20)], console)
    assert re.search(r"promtail reads .*3 .*0 .*7 .*1\.5 s .*2\.2 s .*64 MiB", console.export_text())


def test_a_process_has_a_cost() -> None:
    """Of this one at least a MiB and some processor time is known."""
    cpu, memory = lines.measure_process(os.getpid())
    assert cpu > 0 and memory > 2**20
