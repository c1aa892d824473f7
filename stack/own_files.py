"""The rules and dashboards of the files that a system names: read, and parsed as parts of the monitoring."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from model.dashboard_files import parse_dashboard_file
from model.errors import ConfigError, Problem, collect_problems
from model.load import read_yaml
from model.rule_files import parse_rule_file
from model.system import System
from model.telemetry import Dashboard, RuleGroup, Telemetry


def read_own_files(system: System, environment: str, root: Path, folder: Path) -> tuple[Telemetry, list[Problem]]:
    """What the files of a system contribute, and everything that is wrong with them.

    Args:
        system: the system; it names patterns of paths.
        environment: a label of the alerts.
        root: the project's directory, beyond which nothing is read.
        folder: the directory of the system's file below it, where paths begin.
    """
    problems: list[Problem] = []
    where = f"{folder / system.name}.yaml"
    boards = list(_find_files(system.dashboard_files, root, folder, f"{where}: dashboardFiles", problems))
    rules = list(_find_files(system.rule_files, root, folder, f"{where}: ruleFiles", problems))
    read_dashboard = partial(_read_dashboard, system, root)
    read_rules = partial(_read_rules, system, environment, root)
    dashboards = [collect_problems(problems, partial(read_dashboard, path)) for path in boards]
    groups = [collect_problems(problems, partial(read_rules, path)) for path in rules]
    return Telemetry(
        dashboards=tuple(board for board in dashboards if board is not None),
        rules=tuple(group for listed in groups for group in listed or ()),
    ), problems


def _read_dashboard(system: System, root: Path, path: str) -> Dashboard:
    return parse_dashboard_file(_read_text(root / path, path), path, folder=system.title, tag=system.name)


def _read_rules(system: System, environment: str, root: Path, path: str) -> tuple[RuleGroup, ...]:
    return parse_rule_file(read_yaml(root / path, root), path, system=system.name, environment=environment)


def _find_files(
    patterns: Sequence[str], root: Path, folder: Path, where: str, problems: list[Problem]
) -> Iterator[str]:
    """Paths below the project of the files that are meant, each once, sorted within a pattern."""
    seen, inside = set[Path](), root.resolve()
    for number, pattern in enumerate(patterns):
        paths = sorted((root / folder).glob(pattern))
        files = [path for name in paths if (path := name.resolve()).is_file()]
        if not files:
            message = f"{pattern!r}: no such file; paths begin at {folder}/"
            problems.append(Problem(f"{where}[{number}]", message))
        for path in files:
            if not path.is_relative_to(inside):
                problems.append(Problem(f"{where}[{number}]", f"{pattern!r}: leads out of the project's folder"))
                break
            if path not in seen:
                seen.add(path)
                yield str(path.relative_to(inside))


def _read_text(path: Path, where: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        message = "is not UTF-8 text"
    except OSError as error:
        message = f"cannot be read: {error.strerror}"
    raise ConfigError([Problem(where, message)])
