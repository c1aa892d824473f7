"""Stages that join lines; tests/e2e/test_log_lines.py shows what Promtail itself joins."""

from __future__ import annotations

import re
from typing import Any

from components.lines.joining import BARE_TRACE, TIMESTAMP
from components.promtail.multiline import build_joining_stages
from model.load import parse_model
from model.logs import Logs


def joined(**given: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The stages that join lines, by selector, for services with these logs."""
    stages = build_joining_stages({key: parse_model(Logs, logs, key) for key, logs in given.items()})
    return {stage["match"]["selector"]: stage["match"]["stages"][0]["multiline"] for stage in stages}


def test_services_that_are_joined_alike_share_a_stage() -> None:
    """Each line is compared with each stage; who says nothing has none."""
    made = joined(
        a={"format": "text", "multiline": {}}, b={}, c={"format": "text", "multiline": {"firstLine": "timestamp"}},
        d={"format": "text", "multiline": {"expression": "^#", "maxWait": "1s", "maxLines": 9}},
    )  # fmt: skip
    assert made == {
        '{service=~"a|c"}': {"firstline": TIMESTAMP, "max_lines": 500, "max_wait_time": "3s"},
        '{service=~"d"}': {"firstline": "^#", "max_lines": 9, "max_wait_time": "1s"},
    }


def test_nothing_is_joined_to_json() -> None:
    """Objects of one line pass by, as with a trace behind them they could not be read; those of many lines do not."""
    ((selector, stage),) = joined(a={"multiline": {}}).items()
    (passing,) = re.findall(r'!~ "(.*)"', selector)
    pattern = passing.replace("\\\\", "\\")
    assert re.search(pattern, '{"a": {}} ') and not re.search(pattern, "{") and not re.search(pattern, "x {}")
    assert stage["firstline"] == f"{TIMESTAMP}|{BARE_TRACE}"
