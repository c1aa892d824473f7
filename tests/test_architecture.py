"""The rules of the architecture, read from the source: where things stand, and how they are shaped."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.render import plan_file
from model.component import Component
from stack import registry
from stack.assemble import load_images
from tests.support.source_code import (
    FOLDERS,
    MAY_IMPORT,
    component_files,
    functions,
    home,
    module_of,
    named,
    sources,
    tree,
)
from tests.support.systems import ROOT

EVERYWHERE = (*MAY_IMPORT, "tests")
LONGEST_FUNCTION = 60
LONGEST_COMPONENT = 300
LONGEST_FILE = 400
LONGEST_MAIN = 40
SERVED_BY_HELPERS: dict[str, str] = {
    "busybox": "the target copies its probe client from it",
    "dashboard-viewer": "replaces grafana where grafana cannot be pulled",
    "demo": "stands for a system's services in dev",
    **dict.fromkeys(("postgres", "redis"), "stands for a system's database in dev"),
    "jaeger": "keeps the traces of a stack that asks for it",
    "otel-collector": "takes what the services of a stack send that asks for it",
    "backup": "copies the data of a stack whose people name a destination",
    "mcp": "lets agents ask a stack that wants it",
    "oauth2-proxy": "signs people in where they do that at an OpenID Connect provider",
    "kube-state-metrics": "watches the objects of a cluster, where a stack is deployed to one",
    "redis-exporter": "watches the cache of a system that has one",
}
"""Images that no component of an ordinary stack runs, each with the reason why it is in configs/images.yaml."""


# -- one component, one file, one line -------------------------------------------------------------------------------


def test_every_component_is_one_line_of_the_registry() -> None:
    """Each component file stands in the registry once, and nothing else stands there."""
    (listed,) = [
        node.value
        for node in tree(ROOT / "stack" / "registry.py").body
        if isinstance(node, ast.AnnAssign) and getattr(node.target, "id", "") == "COMPONENTS"
    ]
    assert isinstance(listed, ast.Tuple)
    lines = [element.lineno for element in listed.elts]
    files = [Path(inspect.getfile(type(component))) for component in registry.COMPONENTS]
    assert len(set(lines)) == len(lines) == len(registry.COMPONENTS)
    assert sorted(map(home, files)) == sorted({home(path) for path in component_files()})


def test_a_component_is_named_like_its_file() -> None:
    """The name in settings, addresses and resources is that of the file, or of the folder with its component.py."""
    for component in registry.COMPONENTS:
        path = Path(inspect.getfile(type(component)))
        assert module_of(path) in (home(path), f"{home(path)}.component"), named(path)
        assert component.name in called(home(path)), named(path)


HOOKS = {name for name in {*vars(Component), *Component.__annotations__} if not name.startswith("_")}
"""What a component may say, by the name of the attribute or method."""


@pytest.mark.parametrize("component", registry.COMPONENTS, ids=lambda component: component.name)
def test_every_hook_of_a_component_is_known(component: Component[Any]) -> None:
    """A public name of a component's class overrides one of Component: a misspelt hook would never be called."""
    assert {name for name in vars(type(component)) if not name.startswith("_")} <= HOOKS


def test_no_hook_is_looked_up_by_its_name() -> None:
    """Components are read through their class alone, where mypy sees each attribute."""
    hooks = HOOKS | {"SHORT", "replicas", "instances", "existing", "TARGETS", "UNDER_OPERATOR", "declared"}
    of_model = [ROOT / "model" / name for name in ("plan.py", "component.py")]
    for path in [*sources("components", "stack", "cli", "targets"), *of_model]:
        calls = [node for node in ast.walk(tree(path)) if isinstance(node, ast.Call)]
        lookups = [c for c in calls if getattr(c.func, "id", "") in ("getattr", "hasattr", "setattr")]
        names = {value.value for call in lookups for value in call.args[1:2] if isinstance(value, ast.Constant)}
        assert not names & hooks, named(path)


def called(place: str) -> set[str]:
    """The names that a component in such a place may have: programs are called after what they hand out."""
    name = place.rpartition(".")[2].replace("_", "-")
    return {name, f"{name}-exporter", f"{name}-metrics"}


def test_components_are_not_named_in_other_files() -> None:
    """The registry is the only list: elsewhere a name is at most asked about.

    That is `count_instances("x")`, an image, or type and uid of a data source that Grafana shows.
    """
    names = {component.name for component in registry.COMPONENTS}
    for path in sources("components", "model", "packs"):
        own = called(home(path)) if path in component_files() else set()
        foreign = {node.value for node in strings(path)} & (names - own)
        assert foreign == set(SPOKEN.get(named(path), {})), named(path)


SPOKEN: dict[str, dict[str, str]] = {
    "components/entry/certificates.py": {"traefik": "the job whose series tell of certificates"},
    "components/entry/routing.py": {"oauth2-proxy": "where the entry point asks who is signed in"},
    "components/exporters/containers/alerts.py": {"cadvisor": "the job whose series tell of containers"},
    **{f"components/exporters/kube_state/{x}_alerts.py": {"kubelet": "a job's name"} for x in ("node", "volume")},
    "components/grafana/mixin.py": {"loki": "the type of a data source"},
    "components/jaeger/documents.py": {"prometheus": "the format in which it exposes its series"},
    "components/mcp/documents.py": dict.fromkeys(("jaeger", "loki", "prometheus"), "a type of data sources"),
    "components/otelcol.py": {"prometheus": "the form of its metrics"},
    "components/jaeger/component.py": {"collector": "the name of a port"},
    "components/prometheus/monitors.py": {"kubelet": "a label that the operator gives its Service"},
    "model/checks/entry.py": {"traefik": "the entry point, which alone is reached from outside"},
    "model/checks/needs.py": {"grafana": "how data sources begin that are built in"},
    "model/dashboard_files.py": {"grafana": "the type of a data source that is built in"},
    "model/dashboard.py": {"loki": "the type of a data source", "prometheus": "the type of a data source"},
    "model/database.py": {"grafana": "the usual name of a database and its user"},
    "model/scope.py": {"alertmanager": "the type of a mark"},
    "model/settings.py": dict.fromkeys(("collector", "promtail"), "the agents that a stack chooses between"),
    "model/telemetry.py": dict.fromkeys(("alertmanager", "jaeger", "loki", "prometheus"), "a type of data sources"),
}
"""Names of components that a file says, as they are something else there too, or the one thing that all depend on."""


def strings(path: Path) -> Iterator[ast.Constant]:
    """The text constants of a file that are no docstrings and not part of an allowed use of a name."""
    module = tree(path)
    allowed: set[ast.AST] = set()
    for node in ast.walk(module):
        if isinstance(node, ast.Call):
            function = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if function == "count_instances":
                allowed |= set(node.args[:1])
            allowed |= {
                inner
                for keyword in node.keywords
                if keyword.arg in ("kind", "uid", "image")
                for inner in ast.walk(keyword.value)
            }
        elif isinstance(node, ast.Dict):
            keyed = zip(node.keys, node.values, strict=True)
            allowed |= {value for key, value in keyed if getattr(key, "value", "") in ("type", "uid", "implementation")}
        elif isinstance(node, ast.Compare) and getattr(node.left, "attr", "") in ("kind", "uid"):
            allowed |= set(node.comparators)
    return (
        node
        for node in ast.walk(module)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in allowed
    )


# -- shape -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_module_has_its_mirrored_test(folder: str) -> None:
    """x/y.py is tested in tests/x/test_y.py; a command line (__main__) is tested through what it calls."""
    modules = [path for path in sources(folder) if path.stem not in ("__init__", "__main__")]
    mirrors = [ROOT / "tests" / path.relative_to(ROOT).with_name(f"test_{path.name}") for path in modules]
    assert not [named(mirror) for mirror in mirrors if not mirror.is_file()]


def test_the_program_is_short() -> None:
    """__main__.py loads, plans, deploys and exports, and nothing else."""
    assert len((ROOT / "__main__.py").read_text(encoding="utf-8").splitlines()) < LONGEST_MAIN


def test_files_stay_readable() -> None:
    """A file can be read in one sitting, one of a component all the more."""
    lines = {p: len(p.read_text(encoding="utf-8").splitlines()) for p in sources(*EVERYWHERE, "images")}
    limits = {path: LONGEST_COMPONENT if path in component_files() else LONGEST_FILE for path in lines}
    assert not [f"{named(path)}: {count} lines" for path, count in lines.items() if count > limits[path]]


def test_functions_stay_short() -> None:
    """No function is longer than a screen."""
    lengths = {(p, f.name): (f.end_lineno or 0) - f.lineno + 1 for p in sources(*EVERYWHERE) for f in functions(p)}
    assert not [f"{named(p)}: {name}: {n} lines" for (p, name), n in lengths.items() if n > LONGEST_FUNCTION]


def test_everything_public_is_documented() -> None:
    """Every public module, class, function and method says what it is for."""
    missing = []
    for path in sources(*MAY_IMPORT):
        public = [node for node in definitions(tree(path)) if not node.name.startswith("_")]
        missing += [named(path)] if not ast.get_docstring(tree(path)) else []
        missing += [f"{named(path)}: {node.name}" for node in public if not ast.get_docstring(node)]
    assert not missing


def definitions(parent: ast.Module | ast.ClassDef) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
    """The functions and classes of a module and of its public classes, without those inside functions."""
    for node in parent.body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node
        elif isinstance(node, ast.ClassDef):
            yield node
            if not node.name.startswith("_"):
                yield from definitions(node)


def test_every_test_says_what_must_hold() -> None:
    """A test has a docstring that begins with one line, ending in a full stop."""
    tests = [(p, f) for p in sources("tests") if p.stem.startswith("test_") for f in functions(p)]
    said = {(p, f.name): (ast.get_docstring(f) or "").split("\n", 1)[0] for p, f in tests if f.name[:5] == "test_"}
    assert not [f"{named(p)}: {name}" for (p, name), text in said.items() if not text.endswith((".", ":"))]


# -- content ---------------------------------------------------------------------------------------------------------


def test_every_image_is_used() -> None:
    """An image of configs/images.yaml is run by a shipped stack, or has a reason to be there."""
    stacks = {path.name.split(".")[1]: path for path in ROOT.glob("Pulumi.*.yaml")}
    plans = [plan_file(path, stack) for stack, path in stacks.items()]
    used = {workload.image for plan in plans for workload in plan.list_workloads()}
    assert set(load_images(ROOT)) - used <= SERVED_BY_HELPERS.keys()


TEXTS = (".py", ".yaml", ".yml", ".md", ".toml", ".sh", ".json", ".cfg", ".txt", "Makefile", "run", "Dockerfile")
ABSOLUTE = re.compile(r"(?<![\w.$}<-])/(?:work|root)/[\w.]")
HOSTS = re.compile(
    r"proxy\.golang\.org|files\.pythonhosted\.org|registry\.npmjs\.org|deb\.debian\.org|sum\.golang\.org"
)


def texts() -> list[Path]:
    """Every text file that belongs to the project."""
    skipped = {".git", ".venv", "build", "node_modules", ".mypy_cache", ".ruff_cache", ".pytest_cache", "__pycache__"}
    files = [path for path in ROOT.rglob("*") if not skipped & set(path.relative_to(ROOT).parts)]
    return [path for path in files if path.is_file() and path.name.endswith(TEXTS)]


def test_no_file_knows_the_machine_it_was_written_on() -> None:
    """No path of a developer's machine, and no package host's address."""
    found = []
    for path in texts():
        if path == Path(__file__) or path.name in ("uv.lock", "package-lock.json", "go.sum"):
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        found += [f"{named(path)}: {match[0]}" for pattern in (ABSOLUTE, HOSTS) for match in pattern.finditer(text)]
    assert found == []
