"""docs/runbooks: a page for each alert of the shipped stacks, made from the alerts themselves.

The pages are read in stacks of other people: they speak of "the service" and show labels as placeholders. Alerts that a
system's own file defines are about that system: their pages are in its folder and may name it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from cli.drawn import Drawn, PanelIndex
from cli.render import plan_file
from cli.workspace import ROOT
from model.errors import ConfigError
from model.plan import Plan
from model.telemetry import AlertRule
from model.templates import fill_templates
from targets.platforms import PLATFORMS

FOLDER = Path("docs/runbooks")
HEAD = "<!-- Written by `python -m cli.schema` from the alerts' definitions; change those. -->\n"


@dataclass(frozen=True)
class Use:
    """An alert in a stack: the system it is for, and the rule. `own` is one that the system's file defines."""

    system: str
    rule: AlertRule
    own: bool = False
    drawn: Drawn | None = None
    """The panel that shows what it is about."""


@cache  # shipped files stay as they are while a command runs
def collect_uses() -> dict[str, list[Use]]:
    """Every alert of all shipped stacks by its name, each system once, on every platform that can have it."""
    by_name: dict[str, list[Use]] = {}
    seen: set[str] = set()
    for path in list_shipped_files():
        plan, example = plan_file(path, path.name.split(".")[1]), path.parent != ROOT
        if plan.system.name in seen and not example:
            continue
        seen.add(plan.system.name)
        for each in (plan, *_plan_elsewhere(path, plan)):
            index = PanelIndex(each)
            for group in each.telemetry.rules:
                for alert in () if group.file else group.alerts:
                    if not (example and alert.name in by_name):
                        by_name.setdefault(alert.name, []).append(build_use(plan, alert, index))
    return by_name


def build_use(plan: Plan, alert: AlertRule, index: PanelIndex) -> Use:
    """An alert of a plan as its page shows it: its service is any service, and its labels are placeholders."""
    own = alert.name in {each.name for each in plan.system.alerts}
    title = plan.system.services[alert.service].title or alert.service if alert.service else ""
    expr = alert.expr.replace(f'service="{alert.service}"', 'service="<service>"') if alert.service else alert.expr
    shown = replace(
        alert,
        expr=expr,
        description=neutralise_text(alert.description, title),
        steps=tuple(neutralise_text(step, title) for step in alert.steps),
    )
    return Use(plan.system.name, shown, own, index.find_panel(alert))


def neutralise_text(text: str, title: str) -> str:
    """A text of an alert without the title of its service, and with `<label>` for each of Prometheus' templates."""
    if title:
        text = re.sub(rf"(^|(?<=[.!?] )){re.escape(title)}\b", "The service", text)
        text = re.sub(rf"\b{re.escape(title)}\b", "the service", text)
    return fill_templates(text, "`")


def list_shipped_files(root: Path = ROOT) -> list[Path]:
    """The files of all shipped stacks, and of the examples, which have what no stack for a first look has."""
    return [*sorted(root.glob("Pulumi.*.yaml")), *sorted(root.glob("examples/Pulumi.*.yaml"))]


def _plan_elsewhere(path: Path, plan: Plan) -> Iterator[Plan]:
    """The same stack on the other platforms; none where a platform refuses it, for there it has no alerts."""
    for target in sorted(PLATFORMS.keys() - {plan.settings.target}):
        try:
            yield plan_file(path, plan.stack, target=target)
        except ConfigError:
            continue


def render_pages() -> dict[Path, str]:
    """The text of every page, and of the page that lists them."""
    alerts = collect_uses()
    shared = {name: some for name, every in alerts.items() if (some := [each for each in every if not each.own])}
    own = group_own_uses(alerts)
    pages = {**_render_pages(FOLDER, shared), FOLDER / "README.md": render_index(shared, own)}
    for system, theirs in own.items():
        folder = FOLDER / system
        index = render_index(theirs, title=f"Runbooks of {system}")
        pages |= {**_render_pages(folder, theirs), folder / "README.md": index}
    return pages


def group_own_uses(alerts: Mapping[str, list[Use]]) -> dict[str, dict[str, list[Use]]]:
    """The alerts that systems' own files define, by system and name."""
    systems: dict[str, dict[str, list[Use]]] = {}
    for name, every in sorted(alerts.items()):
        for each in every:
            if each.own:
                systems.setdefault(each.system, {}).setdefault(name, []).append(each)
    return dict(sorted(systems.items()))


def _render_pages(folder: Path, alerts: Mapping[str, list[Use]]) -> dict[Path, str]:
    return {folder / f"{name}.md": render_page(name, occurrences) for name, occurrences in sorted(alerts.items())}


def render_page(name: str, occurrences: list[Use]) -> str:
    """What an alert means, what to do, and the conditions under which it fires."""
    first = occurrences[0].rule
    lines = [HEAD, f"# {name}", "", first.description, ""]
    lines += ["## What to do", "", *(f"{n}. {step}" for n, step in enumerate(first.steps, 1)), ""]
    lines += [*_describe_panel(occurrences), "## The conditions", "", *_list_conditions(occurrences)]
    lines += ["## When it is wrong", "", *_describe_tuning(name, first)]
    return "\n".join(lines).rstrip() + "\n"


def _describe_panel(occurrences: list[Use]) -> Iterator[str]:
    """Where it is drawn; dashboards of systems have titles of their own, so of them the usual panel is named."""
    drawn = [each.drawn for each in occurrences if each.drawn]
    yield "## Where it is drawn"
    yield ""
    if not drawn:
        yield "On no dashboard: the condition below, without its comparison, in Grafana's Explore."
        yield ""
        return
    of_stack = next((panel for panel in drawn if not panel.of_system), None)
    usual, _ = Counter(panel.panel for panel in drawn).most_common(1)[0]
    where = f"the dashboard {of_stack.dashboard}" if of_stack else "the system's own dashboard"
    yield f'The panel "{of_stack.panel if of_stack else usual}" of {where}.'
    yield ""


def _list_conditions(occurrences: list[Use]) -> Iterator[str]:
    """Each distinct query, without those on metrics that are named after the system of their use."""
    rules = [each.rule for each in occurrences if each.own or each.system not in each.rule.expr]
    for expr, for_, severity in dict.fromkeys((rule.expr, rule.for_, rule.severity) for rule in rules):
        yield f"{severity}, true for {for_}:"
        yield ""
        yield f"```promql\n{expr}\n```"
        yield ""


def _describe_tuning(name: str, rule: AlertRule) -> Iterator[str]:
    """How a system says that it wants the alert otherwise."""
    yield "To say otherwise for a system or for one of its services, in configs/systems/<system>.yaml:"
    yield ""
    values = {"threshold": rule.limit, "minFailures": rule.min_failures}
    wishes = [f"{key}: {value:.10g}" for key, value in values.items() if value is not None] or ["for: 30m"]
    yield f"```yaml\ntune:\n  {name}: {{ {', '.join(wishes)} }} # or {{ enabled: false, why: the reason }}\n```"


def render_index(alerts: Mapping[str, list[Use]], systems: Iterable[str] = (), title: str = "Runbooks") -> str:
    """The alerts in a table, and where those of single systems are."""
    lines = [HEAD, f"# {title}", "", "| alert | severity | it means |", "|---|---|---|"]
    for name, occurrences in sorted(alerts.items()):
        rule = occurrences[0].rule
        lines.append(f"| [{name}]({name}.md) | {rule.severity} | {rule.description.split('. ')[0].rstrip('.')} |")
    if links := ", ".join(f"[{system}]({system}/README.md)" for system in systems):
        lines += ["", f"Alerts that the file of one system defines: {links}."]
    return "\n".join(lines) + "\n"
