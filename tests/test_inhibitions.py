"""Every pair of alerts of which one mutes the other, of every shipped stack: both ways, by Prometheus itself."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from components.documents import render_yaml
from components.prometheus.rules import build_rule_file
from model.base import parse_duration
from model.inhibition import list_inhibitions
from model.telemetry import AlertRule, Example, Inhibition, RuleGroup
from tests.support.proving import STEP, choose_interval, run
from tests.support.validating import tool
from tests.test_alert_rules import PARTS, STACKS, planned

Pair = tuple[AlertRule, Inhibition, AlertRule]
OUT = ") unless on ("
"""Where the condition of an inhibited alert ends and what is left out begins."""
ELSEWHERE = "elsewhere"
"""A value that no label of an example has."""


@cache
def every_pair() -> tuple[Pair, ...]:
    """Each distinct pair of all shipped stacks."""
    found: dict[str, Pair] = {}
    for stack in STACKS:
        alerts = [alert for group in planned(stack).telemetry.rules for alert in group.alerts]
        for pair in list_inhibitions(alerts):
            found.setdefault(f"{pair[0].name} {pair[2].name} {pair[1]}", pair)
    return tuple(found.values())


def example(alert: AlertRule) -> Example:
    """The alert's own example."""
    assert alert.example is not None, alert.name
    return alert.example


def firing(name: str, **unequal: str) -> str:
    """A query: 1 where an alert of that name fires whose labels are not these values, else 0."""
    matchers = "".join(f', {label}!="{value}"' for label, value in unequal.items())
    return f'(count(ALERTS{{alertname="{name}", alertstate="firing"{matchers}}}) or vector(0)) > bool 0'


def case(folder: Path, name: str, alerts: list[AlertRule], series: Mapping[str, str], at: str, **wanted: str) -> Path:
    """A test file for promtool: `wanted` are answers, 0 or 1, by query."""
    (folder / f"{name}-rules.yml").write_text(
        render_yaml(build_rule_file(RuleGroup(name="pair", alerts=tuple(alerts))))
    )
    test = {
        "interval": STEP,
        "name": name,
        "input_series": [{"series": key, "values": values} for key, values in series.items()],
        "promql_expr_test": [
            {"expr": query, "eval_time": at, "exp_samples": [{"labels": "{}", "value": float(value)}]}
            for query, value in wanted.items()
        ],
    }
    step = choose_interval(at, *(alert.for_ for alert in alerts))
    text = {"rule_files": [f"{name}-rules.yml"], "evaluation_interval": step, "tests": [test]}
    (folder / f"{name}.yml").write_text(render_yaml(text))
    return folder / f"{name}.yml"


def agrees(*files: Path) -> None:
    """Asserts that promtool gets all the answers that are wanted."""
    done = run(str(tool("promtool")), files)
    assert done.returncode == 0, done.stdout + done.stderr


def following(pair: Pair, **labels: str) -> AlertRule:
    """A stand-in for the inhibiting alert: it fires with the labels of the inhibited one, but for `labels`."""
    source, _, target = pair
    condition = target.expr[1 : target.expr.index(OUT)]
    return replace(source, expr=condition, for_="0s", labels={**source.labels, **labels}, annotations={})


def cases(pair: Pair, folder: Path) -> Iterator[Path]:
    """What follows is silent; with another value of any of the labels it is not; and the first alert has them all."""
    source, mute, target = pair
    here, there = example(source), example(target)
    carried = dict.fromkeys(mute.on, "")
    yield case(folder, "labels", [source], here.fires, here.at, **{firing(source.name, **carried): "1"})
    silent = {firing(target.name): "0", firing(source.name, **carried): "1"}
    yield case(folder, "follows", [following(pair), target], there.fires, there.at, **silent)
    for label in mute.on:
        told = {firing(target.name): "1"}
        other = following(pair, **{label: ELSEWHERE})
        yield case(folder, f"other-{label}", [other, target], there.fires, there.at, **told)


def carries(alert: AlertRule, label: str) -> bool:
    """Whether the alert has the label: its series have it, and its condition sums over none of it."""
    summed = re.findall(r" by \(([^)]*)\)", alert.expr.partition(OUT)[0])
    return any(f'{label}="' in series for series in example(alert).fires) and all(label in by for by in summed)


def elsewhere(mute: Inhibition) -> set[str]:
    """Labels that need not be the same: a claim is the same volume on whichever node its kubelet tells of it."""
    return {"instance"} if "persistentvolumeclaim" in mute.on else set()


@pytest.mark.parametrize("label", ["service", "environment", "instance", "mountpoint", "device", "database", "slo"])
def test_nothing_else_is_silent(label: str) -> None:
    """What tells things apart is compared wherever both alerts have it: a full disk does not hide another one."""
    both = [pair for pair in every_pair() if carries(pair[0], label) and carries(pair[2], label)]
    assert [named(p) for p in both if label not in p[1].on and not p[1].all_of and label not in elsewhere(p[1])] == []
    assert both, "no alert has the label"


def named(pair: Pair) -> str:
    """Both alerts of a pair."""
    return f"{pair[0].name}-{pair[2].name}"


def list_pairs(folder: Path, *, all_of: bool) -> list[tuple[Pair, Path]]:
    """Pairs of a kind, each with a folder that has its name.

    They are no parameters of tests: each process that collects tests would plan all stacks to know which there are.
    """
    pairs = [pair for pair in every_pair() if bool(pair[1].all_of) is all_of]
    made = [(pair, folder / f"{number}-{named(pair)}") for number, pair in enumerate(pairs)]
    for _, own in made:
        own.mkdir()
    return made


@pytest.mark.exhaustive
@pytest.mark.parametrize("part", range(PARTS))
def test_only_what_follows_is_silent(part: int, tmp_path: Path) -> None:
    """The second alert is silent beside the first one with the same labels, and fires beside one of anything else."""
    some = list_pairs(tmp_path, all_of=False)[part::PARTS]
    assert some
    for pair, folder in some:
        agrees(*cases(pair, folder))


@pytest.mark.exhaustive
def test_one_of_several_silences_nothing(tmp_path: Path) -> None:
    """What follows from a service that is down is silent when all its targets are, and no target of another one is."""
    every = list_pairs(tmp_path, all_of=True)
    assert every
    for pair, folder in every:
        agrees(*cases_of_several(pair, folder))


def cases_of_several(pair: Pair, folder: Path) -> Iterator[Path]:
    """All targets down silence what follows; one of two does not, and none of another service does."""
    source, _, target = pair
    series, there = next(iter(example(source).fires)), example(target)
    assert series.startswith("up{") and 'service="api"' in next(iter(there.fires))
    down, up = "0+0x120", "1+0x120"
    second, other = series.replace('instance="', 'instance="b'), series.replace('"api', '"web')
    for name, ups, fires in (
        ("all", {series: down, second: down}, "0"),
        ("one", {series: down, second: up}, "1"),
        ("of-another", {series: up, second: up, other: down}, "1"),
    ):
        yield case(folder, name, [source, target], {**there.fires, **ups}, there.at, **{firing(target.name): fires})


def test_mutes_go_all_the_way() -> None:
    """What is silent cannot mute: an alert also mutes whatever is muted by those that it mutes."""
    known = {(source.name, target.name) for source, _, target in every_pair()}
    assert not [(a, c) for a, b in known for other, c in known if other == b and (a, c) not in known]


def test_what_is_muted_exists() -> None:
    """No mute names an alert that no stack has."""
    alerts = [a for stack in STACKS for group in planned(stack).telemetry.rules for a in group.alerts]
    muted = {name for alert in alerts for mute in alert.inhibits for name in mute.alerts}
    assert muted <= {alert.name for alert in alerts}


def test_what_mutes_comes_first() -> None:
    """With equal holds what follows could fire an evaluation before what mutes it, and a notification would be sent."""
    held = {
        f"{a.name} ({a.for_}) -> {b.name} ({b.for_})"
        for a, _, b in every_pair()
        if parse_duration(a.for_) >= parse_duration(b.for_)
    }
    assert not held
