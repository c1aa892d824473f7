"""Prints who is notified of an alert with some labels, and why: `make routes STACK=x severity=critical team=shop`."""

from __future__ import annotations

import argparse
import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml
from rich.console import Console
from rich.markup import escape

from cli.render import plan_file
from cli.workspace import ROOT
from components.alertmanager.routes import NOBODY
from components.alertmanager.settings import NAME
from model import routing
from model.errors import ConfigError, Problem, suggest_name
from model.matching import TakenRoute, convert_route, find_routes
from model.operator import GROUP
from model.plan import Plan
from model.renamed_alerts import suggest_present_name
from model.routes import Matcher


def print_routes(stack: str, label_texts: Sequence[str], console: Console, *, as_json: bool = False) -> int:
    """Prints the routes of `Pulumi.<stack>.yaml` for an alert with the labels `label_texts`, such as `team=shop`.

    Raises:
        ConfigError: a word is no label, or no alert of the stack has it.
    """
    plan = plan_file(ROOT / f"Pulumi.{stack}.yaml", stack)
    labels = complete_labels(plan, parse_labels(label_texts))
    if as_json:
        print(json.dumps(describe_routes(plan, labels)))
        return 0
    console.print("Alert: " + escape(" ".join(f"{name}={value}" for name, value in labels.items())))
    alertmanager = get_document(plan)
    for item in find_routes(alertmanager["route"], labels):
        for line in explain_route(item, alertmanager, labels):
            console.print(escape(line))
    return 0


def describe_routes(plan: Plan, labels: Mapping[str, str]) -> dict[str, Any]:
    """The routes that an alert with these labels takes as plain data, with options under Alertmanager's names.

    Where the receiver is nobody, its integrations are empty.
    """
    written = get_document(plan)
    made = [
        {
            "receiver": item.receiver,
            "integrations": list_integrations(item, written),
            "matchers": [list(step.matchers) for step in item.steps if step.matchers],
            "options": {key: value for key, value in item.options.items() if key != "receiver"},
        }
        for item in find_routes(written["route"], labels)
    ]
    return {"stack": plan.stack, "alert": dict(labels), "routes": made}


def parse_labels(texts: Sequence[str]) -> dict[str, str]:
    """Labels from words such as `team=shop`.

    Raises:
        ConfigError: one of them is no label.
    """
    pairs = [word.partition("=") for word in texts]
    if wrong := [word for word, (name, equals, _) in zip(texts, pairs, strict=True) if not (name and equals)]:
        raise ConfigError([Problem(word, "is no label; give name=value, such as severity=critical") for word in wrong])
    return {name: value for name, _, value in pairs}


def complete_labels(plan: Plan, labels: Mapping[str, str]) -> dict[str, str]:
    """The labels of an alert and those that all alerts of its name have, and the stack's.

    Raises:
        ConfigError: no planned alert has one of them.
    """
    known = routing.list_alert_labels(plan.telemetry, plan.stack)
    problems = []
    for name, value in labels.items():
        values = known.get(name, set())
        suggest = suggest_present_name if name == "alertname" else suggest_name
        if name not in known:
            problems.append(Problem(name, f"no alert carries a label {name!r}; {suggest_name(name, known)}"))
        elif values is not None and value not in values:
            problems.append(Problem(name, f"{value!r}: no alert has this value; {suggest(value, values)}"))
    if problems:
        raise ConfigError(problems)
    return {
        **labels,
        **{k: v for k, v in find_common_labels(plan, labels.get("alertname", "")).items() if k not in labels},
    }


def find_common_labels(plan: Plan, name: str) -> dict[str, str]:
    """The labels that the rules give to all alerts of a name, and that of the stack."""
    alerts = [alert for group in plan.telemetry.rules for alert in group.alerts if alert.name == name]
    each = [{"severity": alert.severity, **alert.labels} for alert in alerts]
    shared = set.intersection(*(set(item.items()) for item in each)) if each else set()
    return {**{k: v for k, v in sorted(shared) if "{{" not in v}, "stack": plan.stack}


def get_document(plan: Plan) -> dict[str, Any]:
    """The plan's alertmanager.yml; where an operator runs Alertmanager, what its AlertmanagerConfig says.

    Raises:
        ConfigError: the stack notifies nobody of anything.
    """
    for workload in plan.workloads.get(NAME, ()):
        if workload.config:
            return dict(yaml.safe_load(workload.config.files["alertmanager.yml"]))
    for item in plan.extra_objects:
        if item.api.startswith(GROUP) and item.kind == "AlertmanagerConfig":
            spec = item.body["spec"]
            return {"route": convert_route(spec["route"]), "receivers": spec["receivers"]}
    raise ConfigError([Problem(f"stack {plan.stack}", "has no Alertmanager, so there are no routes")])


# -- words -----------------------------------------------------------------------------------------------------------


def parse_integration(key: str) -> str:
    """A way to notify, by its key in Alertmanager's or an operator's notation: `slack_configs` is slack."""
    return key.removesuffix("_configs").removesuffix("Configs")


def list_integrations(item: TakenRoute, written: Mapping[str, Any]) -> list[str]:
    """The ways in which a route's receiver is notified, such as slack."""
    ways = next((sorted(r.keys() - {"name"}) for r in written["receivers"] if r["name"] == item.receiver), [])
    return [parse_integration(way) for way in ways]


def explain_route(item: TakenRoute, alertmanager: Mapping[str, Any], labels: Mapping[str, str]) -> Iterator[str]:
    """A route that is taken, as lines: who gets the alert, by which way, when, and what else was tried."""
    kinds = ", ".join(list_integrations(item, alertmanager))
    nobody = "nobody: it is shown in Alertmanager only" if item.receiver == NOBODY else f"{item.receiver} ({kinds})"
    yield f"-> {nobody}"
    for step in item.steps:
        if step.matchers:
            yield f"   because {', '.join(step.matchers)}"
    if len(item.steps) == 1:
        none = item.receiver == NOBODY
        yield f"   because {'no receiver is declared' if none else 'no route claims it, so the first receiver gets it'}"
    yield from _explain_times(item.options)
    for step in item.steps:
        for matchers, missed in step.passed:
            if not any(text.startswith("alertname=") for text in matchers):
                name = Matcher.parse(missed).name
                yield f"   passed over {', '.join(matchers)}: {name} is {labels.get(name) or 'not there'}"


def _explain_times(options: Mapping[str, Any]) -> Iterator[str]:
    group = ", ".join(options["group_by"]) or "nothing: all alerts of this route are one group"
    group = "every label: each alert is a group of its own" if group == "..." else group
    yield (
        f"   grouped by {group}; first after {options['group_wait']}, changes every {options['group_interval']},"
        f" repeated every {options['repeat_interval']}"
    )
    for key, word in (("active_time_intervals", "only in"), ("mute_time_intervals", "not in")):
        if names := options.get(key):
            yield f"   {word} the time interval{'s' if len(names) > 1 else ''} {', '.join(names)}"


def run_command(args: argparse.Namespace) -> int:
    """Prints the routes of the alert whose labels `args` has. Returns its exit code."""
    console = Console(highlight=False, soft_wrap=True)
    return print_routes(args.stack, shlex.split(args.labels), console, as_json=args.json)
