"""The rules and dashboards of the files that a system names: read, and parsed as parts of the monitoring."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from model.dashboard_files import parse_dashboard_file
from model.errors import ConfigError, Problem
from model.load import read_yaml
from model.rule_files import parse_rule_file
from model.system import System
from model.telemetry import Telemetry

T = TypeVar("T")


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
    dashboards = [
        _collect(
            problems,
            lambda path=path: parse_dashboard_file(  # type: ignore[misc]
                _read_text(root / path, path), path, folder=system.title, tag=system.name
            ),
        )
        for path in boards
    ]
    groups = [
        _collect(
            problems,
            lambda path=path: parse_rule_file(  # type: ignore[misc]
                read_yaml(root / path, root), path, system=system.name, environment=environment
            ),
        )
        for path in rules
    ]
    return Telemetry(
        dashboards=tuple(board for board in dashboards if board is not None),
        rules=tuple(group for listed in groups for group in listed or ()),
    ), problems


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


def _collect(problems: list[Problem], make: Callable[[], T]) -> T | None:
    try:
        return make()
    except ConfigError as error:
        problems += error.problems
        return None
