"""docs/runbooks: a page for each alert of the shipped stacks, made from the alerts themselves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from model.errors import ConfigError
from model.plan import Plan
from model.telemetry import AlertRule
from ops.render import plan_file
from ops.workspace import ROOT
from targets.platforms import PLATFORMS

FOLDER = Path("docs/runbooks")
HEAD = "<!-- Written by `python -m ops.schema` from the alerts' definitions; change those. -->\n"


@dataclass(frozen=True)
class Use:
    """An alert in a stack: the system it is for, and the rule."""

    system: str
    rule: AlertRule


def uses(root: Path = ROOT) -> dict[str, list[Use]]:
    """Every alert of all shipped stacks by its name, each system once, on every platform that can have it."""
    found: dict[str, list[Use]] = {}
    seen: set[str] = set()
    for path in shipped(root):
        plan, example = plan_file(path, path.name.split(".")[1]), path.parent != root
        if plan.system.name in seen and not example:
            continue
        seen.add(plan.system.name)
        for each in (plan, *_elsewhere(path, plan)):
            for group in each.telemetry.rules:
                for alert in group.alerts:
                    if not (example and alert.name in found):
                        found.setdefault(alert.name, []).append(Use(plan.system.name, alert))
    return found


def shipped(root: Path = ROOT) -> list[Path]:
    """The files of all shipped stacks, and of the examples, which have what no stack for a first look has."""
    return [*sorted(root.glob("Pulumi.*.yaml")), *sorted(root.glob("examples/Pulumi.*.yaml"))]


def _elsewhere(path: Path, plan: Plan) -> Iterator[Plan]:
    """The same stack on the other platforms; none where a platform refuses it, for there it has no alerts."""
    for target in sorted(PLATFORMS.keys() - {plan.settings.target}):
        try:
            yield plan_file(path, plan.stack, target=target)
        except ConfigError:
            continue


def files(root: Path = ROOT) -> dict[Path, str]:
    """The text of every page, and of the page that lists them."""
    alerts = uses(root)
    pages = {FOLDER / f"{name}.md": page(name, found) for name, found in sorted(alerts.items())}
    pages[FOLDER / "README.md"] = index(alerts)
    return pages


def page(name: str, found: list[Use]) -> str:
    """What an alert means, what to do, and where it applies."""
    first = found[0].rule
    lines = [HEAD, f"# {name}", "", first.description, ""]
    lines += ["## What to do", "", *(f"{n}. {step}" for n, step in enumerate(first.steps, 1)), ""]
    lines += ["## The conditions", "", *_conditions(found)]
    lines += ["## When it is wrong", "", *_tuning(name, first)]
    return "\n".join(lines).rstrip() + "\n"


def _conditions(found: list[Use]) -> Iterator[str]:
    """Each distinct query with its systems."""
    grouped: dict[tuple[str, str, str], list[str]] = {}
    for use in found:
        rule = use.rule
        owner = f"{use.system}/{rule.service}" if rule.service else use.system
        grouped.setdefault((rule.expr, rule.hold, rule.severity), []).append(owner)
    for (expr, hold, severity), owners in grouped.items():
        yield f"{severity}, true for {hold}: {', '.join(dict.fromkeys(owners))}"
        yield ""
        yield f"```promql\n{expr}\n```"
        yield ""


def _tuning(name: str, rule: AlertRule) -> Iterator[str]:
    """How a system says that it wants the alert otherwise."""
    yield "To say otherwise for a system or for one of its services, in configs/systems/<system>.yaml:"
    yield ""
    given = {"threshold": rule.limit, "minFailures": rule.min_failures}
    wishes = [f"{key}: {value:.10g}" for key, value in given.items() if value is not None] or ["for: 30m"]
    yield f"```yaml\ntune:\n  {name}: {{ {', '.join(wishes)} }} # or {{ enabled: false, why: the reason }}\n```"


def index(alerts: dict[str, list[Use]]) -> str:
    """All alerts in a table."""
    lines = [HEAD, "# Runbooks", "", "| alert | severity | it means |", "|---|---|---|"]
    for name, found in sorted(alerts.items()):
        rule = found[0].rule
        lines.append(f"| [{name}]({name}.md) | {rule.severity} | {rule.description.split('. ')[0].rstrip('.')} |")
    return "\n".join(lines) + "\n"
