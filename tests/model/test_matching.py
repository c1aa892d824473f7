"""The routes that an alert takes: ours are those of Alertmanager's own amtool, on many label sets."""

from __future__ import annotations

import random
import re
from pathlib import Path
from typing import Any

from model.matching import find_first_missed, find_routes
from tests.support.validating import accepts, tool
from tests.support.yaml_files import write_yaml

NAMES, VALUES = ("severity", "team", "service", "environment"), ("critical", "warning", "info", "a", "b", "ab", "")
INNER = [{"receiver": "inner", "matchers": ['service=~"b"']}]
TOP: dict[str, Any] = {
    "receiver": "first",
    "group_wait": "10s",
    "routes": [
        {"receiver": "night", "matchers": ['severity="critical"'], "continue": True, "group_by": ["team"]},
        {"matchers": ['team="a"'], "repeat_interval": "1h", "routes": INNER},
        {"receiver": "office", "matchers": ['severity!="info"'], "mute_time_intervals": ["weekend"]},
    ],
}  # fmt: skip


def test_options_come_from_above_but_for_times() -> None:
    """A route has what the one above it says, where it says nothing itself; only its own times hold."""
    night, inner = find_routes(TOP, {"severity": "critical", "team": "a", "service": "b"})
    assert (night.receiver, inner.receiver) == ("night", "inner")
    assert (night.options["group_by"], night.options["group_wait"], night.options["group_interval"]) == (
        ["team"],
        "10s",
        "5m",
    )
    assert inner.options["repeat_interval"] == "1h"
    (plain,) = find_routes(TOP, {"severity": "info"})
    assert plain.receiver == "first" and "mute_time_intervals" not in plain.options
    (office,) = find_routes(TOP, {"severity": "warning"})
    assert office.options["mute_time_intervals"] == ["weekend"]


def test_the_way_is_told_with_what_was_passed() -> None:
    """Each step has its matchers, and the routes before it what the alert misses."""
    (office,) = find_routes(TOP, {"severity": "warning", "team": "b"})
    top, last = office.steps
    assert (top.matchers, last.matchers) == ((), ('severity!="info"',))
    assert last.passed == ((('severity="critical"',), 'severity="critical"'), (('team="a"',), 'team="a"'))
    (inner,) = find_routes(TOP, {"severity": "warning", "team": "a"})
    assert inner.steps[-1].passed[-1] == (('service=~"b"',), 'service=~"b"'), "what it tried below belongs to it"
    assert find_first_missed(('a="b"', 'c="d"'), {"a": "b"}) == 'c="d"'


def matcher(dice: random.Random) -> str:
    """Any condition on a label."""
    operator = dice.choice(("=", "!=", "=~", "!~"))
    value = dice.choice(VALUES) if "~" not in operator else dice.choice(("a.*", "a|b", "critical|warning", ".+", "b?"))
    return f'{dice.choice(NAMES)}{operator}"{value}"'


def tree(dice: random.Random, depth: int = 0) -> dict[str, Any]:
    """A route with routes below it, each with a receiver of its own or that of the one above."""
    own = {} if depth and dice.random() < 0.3 else {"receiver": f"r{dice.randrange(9)}"}
    made: dict[str, Any] = {**own, "continue": bool(depth) and dice.random() < 0.4}
    if depth:
        made["matchers"] = [matcher(dice) for _ in range(dice.randint(1, 2))]
    if depth < 3:
        made["routes"] = [tree(dice, depth + 1) for _ in range(dice.randint(0, 4))]
    return made


def test_alertmanager_takes_the_same_routes(tmp_path: Path) -> None:
    """Forty alerts by four random trees of routes: the receivers that amtool names, in its order."""
    dice, compared = random.Random(7), 0  # noqa: S311 - no secret
    for number in range(4):
        top = tree(dice)
        document = {"route": top, "receivers": [{"name": f"r{n}"} for n in range(9)]}
        file = tmp_path / f"{number}.yml"
        file.write_text(write_yaml(document), encoding="utf-8")
        for _ in range(10):
            labels = {name: dice.choice(VALUES) for name in NAMES if dice.random() < 0.7}
            words = [f"{name}={value}" for name, value in labels.items() if value] or ["alertname=Any"]
            output = accepts(tool("amtool"), "config", "routes", "test", f"--config.file={file}", *words)
            expected = re.split(",", output.splitlines()[-1])
            assert list(dict.fromkeys(item.receiver for item in find_routes(top, labels))) == list(
                dict.fromkeys(expected)
            )
            compared += 1
    assert compared == 40
