"""The level and the labels of a line, by the very agents that are deployed."""

from __future__ import annotations

import pytest

from model.load import parse_model
from model.logs import Logs
from tests.support.line_agents import AGENTS

READINGS: dict[str, dict[str, object]] = {
    "web": {"labels": ["level", "component"], "fields": ["level", "msg", "component"]},
    "odd": {"levelField": "sev.name"},
    "go": {"format": "logfmt", "labels": ["level", "component"], "levelField": "kind"},
    "java": {"format": "text"},
}
"""Services that say how their lines are read; `plain` says nothing."""
LINES: tuple[tuple[str, str, dict[str, str]], ...] = (
    # pino, bunyan, and a level of one's own between theirs
    ("plain", '{"level":10,"msg":"x"}', {"level": "trace"}),
    ("plain", '{"level":20,"msg":"x"}', {"level": "debug"}),
    ("plain", '{"level":30,"msg":"x"}', {"level": "info"}),
    ("plain", '{"level":35,"msg":"x"}', {"level": "info"}),
    ("plain", '{"level":40,"msg":"x"}', {"level": "warn"}),
    ("plain", '{"level":50,"msg":"x"}', {"level": "error"}),
    ("plain", '{"level":60,"msg":"x"}', {"level": "fatal"}),
    # zap, Python, Serilog, ECS in both forms, Google, and two names at once
    ("plain", '{"level":"WARNING","msg":"x"}', {"level": "warn"}),
    ("plain", '{"levelname":"CRITICAL"}', {"level": "critical"}),
    ("plain", '{"@l":"Fatal"}', {"level": "fatal"}),
    ("plain", '{"log.level":"error"}', {"level": "error"}),
    ("plain", '{"log":{"level":"Error"}}', {"level": "error"}),
    ("plain", '{"level":"","severity":"NOTICE"}', {"level": "info"}),
    ("plain", '{"level":null,"lvl":"dbg"}', {"level": "debug"}),
    # no level: a number of something else, none at all, a word in a sentence
    ("plain", '{"level":7321}', {}),
    ("plain", '{"msg":"fine","errors":0}', {}),
    ("plain", "no error found", {}),
    # text
    ("plain", "E0102 15:04:05.000000       1 a.go:7] x", {"level": "error"}),
    ("plain", 'ts=1 level=WARN msg="no error"', {"level": "warn"}),
    ("plain", "2026-01-01 ERROR 1 --- [main] c.e.App : x", {"level": "error"}),
    ("plain", "2026/01/01 [crit] 7#7: x", {"level": "critical"}),
    ("plain", "1970-01-01 UTC [1] LOG:  ready", {"level": "info"}),
    ("plain", "info(http): x", {"level": "info"}),
    ("plain", "2026-01-01T00:00:00Z ERR x", {"level": "error"}),
    # as services say
    ("web", '{"level":30,"component":"cart","request_id":"7"}', {"level": "info", "component": "cart"}),
    ("plain", '{"level":30,"component":"cart"}', {"level": "info"}),
    ("odd", '{"sev":{"name":"Err"},"level":"info"}', {"level": "error"}),
    ("odd", '{"sev.name":"warn"}', {"level": "warn"}),
    ("go", 'kind=error level=info component=cart msg="a b"', {"level": "error", "component": "cart"}),
    ("go", '{"level":"error"}', {"level": "error"}),
    ("java", '{"level":"error","component":"cart"}', {"level": "error"}),
    ("java", "plain words", {}),
)
"""A service, a line of it, and the labels that it must have beside those that say where it comes from."""


@pytest.fixture(scope="module", params=AGENTS)
def carried(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> dict[tuple[str, str], dict[str, str]]:
    """The labels of each line of a service among all of READINGS, without that of the file."""
    services = {name: parse_model(Logs, said, name) for name, said in READINGS.items()}
    carried = {}
    for service in sorted({service for service, _, _ in LINES}):
        lines = [line for name, line, _ in LINES if name == service]
        folder = tmp_path_factory.mktemp(service)
        for entry in AGENTS[request.param].read_service(folder, services, lines, len(lines), service):
            carried[service, entry.line] = {k: v for k, v in entry.labels.items() if k != "filename"}
    return carried


@pytest.mark.parametrize(("service", "line", "wanted"), LINES, ids=[line for _, line, _ in LINES])
def test_a_line_has_its_level_and_labels(
    carried: dict[tuple[str, str], dict[str, str]], service: str, line: str, wanted: dict[str, str]
) -> None:
    """Whatever a program writes, its level is one of seven words, and a label is what its service says."""
    assert carried[service, line] == {"job": "containerlogs", "service": service, **wanted}
