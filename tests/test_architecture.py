"""The rules of the architecture, read from the source: who may import whom, and where things stand."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from components import registry
from components.assemble import load_images
from ops.render import plan_file
from tests.support.systems import ROOT

FOLDERS = ("components", "model", "targets", "ops")
SHARED = {
    "base",
    "datasources",
    "discovery",
    "documents",
    "notifications",
    "pipeline",
    "receivers",
    "routes",
    "rules",
    "registry",
    "assemble",
    "stack",
}
"""Modules of components/ that are not components."""
EXPORTERS = "exporters"
LONGEST_FUNCTION = 60
LONGEST_COMPONENT = 300
LONGEST_MAIN = 40
IMPURE = {"os", "time", "random", "socket", "requests", "subprocess", "urllib", "http", "datetime", "secrets", "uuid"}
SERVED_BY_HELPERS: dict[str, str] = {
    "busybox": "the target copies its probe client from it",
    "grafana-standin": "replaces grafana where grafana cannot be pulled",
    "demo": "stands for a system's services in dev",
    "postgres": "stands for a system's database in dev",
    "redis": "stands for a system's cache in dev",
    "jaeger": "keeps the traces of a stack that asks for it",
    "oauth2-proxy": "signs people in where they do that at an OpenID Connect provider",
    "kube-state-metrics": "watches the objects of a cluster, where a stack is deployed to one",
    "redis-exporter": "watches the cache of a system that has one",
}
"""Images that no component of an ordinary stack runs, each with the reason why it is in configs/images.yaml."""


def sources(*folders: str) -> list[Path]:
    """Every Python file of the folders."""
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def tree(path: Path) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def imports(path: Path) -> set[str]:
    """Every module a file imports, with `from a import b` as both a and a.b."""
    found: set[str] = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def roots(path: Path) -> set[str]:
    """The top-level packages a file imports."""
    return {name.partition(".")[0] for name in imports(path)}


def component_files() -> list[Path]:
    """Every file that is a component."""
    files = [path for path in (ROOT / "components").glob("*.py") if path.stem not in SHARED]
    files += (ROOT / "components" / EXPORTERS).glob("*.py")
    return sorted(path for path in files if path.stem != "__init__")


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function and method of a file."""
    return (node for node in ast.walk(tree(path)) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)))


def named(path: Path) -> str:
    """A file as it is called from the project's folder."""
    return str(path.relative_to(ROOT))


# -- imports ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", sources("model"), ids=named)
def test_the_model_is_pure(path: Path) -> None:
    """The model knows neither Pulumi nor components nor targets, and reads no clock, environment or network."""
    forbidden = IMPURE | {"pulumi", "pulumi_docker", "pulumi_random", "components", "targets", "ops", "toolchain"}
    assert not roots(path) & forbidden
    if path.stem != "load":
        calls = [node.func for node in ast.walk(tree(path)) if isinstance(node, ast.Call)]
        names = {c.id if isinstance(c, ast.Name) else getattr(c, "attr", "") for c in calls}
        assert not names & {"open", "read_text", "write_text", "read_bytes", "glob", "iterdir"}


def test_each_provider_has_one_importer() -> None:
    """A provider's SDK is imported by its target alone."""
    owners = {"pulumi_docker": "targets/docker/register.py", "pulumi_kubernetes": "targets/kubernetes/register.py"}
    for provider, owner in owners.items():
        users = [named(path) for path in sources(*FOLDERS, "toolchain") if provider in roots(path)]
        assert set(users) <= {owner}


def test_components_do_not_know_each_other() -> None:
    """A component imports what is shared, and never another component."""
    for path in component_files():
        others = {n for n in imports(path) if n.startswith("components.")}
        shared = (
            "base",
            "datasources",
            "discovery",
            "documents",
            "entry",
            "notifications",
            "pipeline",
            "receivers",
            "routes",
            "rules",
            "operator",
            f"{EXPORTERS}.base",
        )
        allowed = tuple(f"components.{name}" for name in shared)
        assert not [name for name in others if not name.startswith(allowed)], named(path)


def test_components_do_not_know_their_platform() -> None:
    """No component imports a target or a word of a platform's SDK."""
    for path in component_files():
        assert not roots(path) & {"targets", "pulumi_docker", "pulumi_kubernetes", "docker"}, named(path)


def test_assembling_knows_no_pulumi() -> None:
    """The module that refuses bad configurations could not register a resource if it wanted to."""
    assert not [name for name in roots(ROOT / "components" / "assemble.py") if name.startswith("pulumi")]


# -- one component, one file, one line -------------------------------------------------------------------------------


def test_every_component_is_one_line_of_the_registry() -> None:
    """Each component file stands in the registry once, and nothing else stands there."""
    (listed,) = [
        node.value
        for node in tree(ROOT / "components" / "registry.py").body
        if isinstance(node, ast.AnnAssign) and getattr(node.target, "id", "") == "COMPONENTS"
    ]
    assert isinstance(listed, ast.Tuple)
    lines = [element.lineno for element in listed.elts]
    names = [getattr(element, "id", getattr(element, "attr", "")) for element in listed.elts]
    assert len(set(lines)) == len(lines)
    assert sorted(names) == sorted(path.stem for path in component_files() if path.stem != "base")


def test_a_component_is_named_like_its_file() -> None:
    """The name in settings, addresses and resources is that of the file."""
    for module in registry.COMPONENTS:
        stem = Path(str(getattr(module, "__file__", ""))).stem
        assert module.NAME in called(stem), stem


def called(stem: str) -> set[str]:
    """The names that a component in a file of that name may have: programs are called after what they hand out."""
    name = stem.replace("_", "-")
    return {name, f"{name}-exporter", f"{name}-metrics"}


def test_components_are_not_named_in_other_files() -> None:
    """The registry is the only list: elsewhere a name is used for an address, a start order or a question at most.

    These are `address("x", …)`, `instances("x", …)`, `count("x")`, `enabled("x")`,
    `after=("x",)`, `restart_with=("x",)` and type and uid of a data source that Grafana shows.
    """
    names = {module.NAME for module in registry.COMPONENTS}
    for path in [*component_files(), *(ROOT / "components" / f"{name}.py" for name in SHARED - {"registry"})]:
        foreign = {node.value for node in strings(path)} & (names - called(path.stem))
        assert not foreign, f"{named(path)} names {foreign}"


def strings(path: Path) -> Iterator[ast.Constant]:
    """The text constants of a file that are no docstrings and not part of an allowed use of a name."""
    module = tree(path)
    allowed: set[ast.AST] = set()
    for node in ast.walk(module):
        if isinstance(node, ast.Call):
            function = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if function in ("address", "count", "enabled", "instances"):
                allowed |= set(node.args[:1])
            allowed |= {
                inner
                for keyword in node.keywords
                if keyword.arg in ("after", "restart_with", "kind", "uid", "image")
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
    missing = []
    for path in sources(folder):
        if path.stem in ("__init__", "__main__"):
            continue
        mirror = ROOT / "tests" / path.relative_to(ROOT).with_name(f"test_{path.name}")
        if not mirror.is_file():
            missing.append(named(mirror))
    assert not missing


def test_the_program_is_short() -> None:
    """__main__.py loads, plans, deploys and exports, and nothing else."""
    assert len((ROOT / "__main__.py").read_text(encoding="utf-8").splitlines()) < LONGEST_MAIN


@pytest.mark.parametrize("path", component_files(), ids=named)
def test_component_files_stay_readable(path: Path) -> None:
    """A component file can be read in one sitting."""
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_COMPONENT


@pytest.mark.parametrize("path", sources(*FOLDERS, "toolchain", "tests"), ids=named)
def test_functions_stay_short(path: Path) -> None:
    """No function is longer than a screen."""
    long = [f.name for f in functions(path) if (f.end_lineno or 0) - f.lineno + 1 > LONGEST_FUNCTION]
    assert not long


@pytest.mark.parametrize("path", sources(*FOLDERS, "toolchain"), ids=named)
def test_everything_public_is_documented(path: Path) -> None:
    """Every public module, class, function and method says what it is for."""
    module = tree(path)
    missing = [] if ast.get_docstring(module) else [named(path)]
    for node in definitions(module):
        if not node.name.startswith("_") and not ast.get_docstring(node):
            missing.append(node.name)
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


@pytest.mark.parametrize("path", [p for p in sources("tests") if p.stem.startswith("test_")], ids=named)
def test_every_test_says_what_must_hold(path: Path) -> None:
    """A test has a docstring that begins with one line, ending in a full stop."""
    tests = [f for f in functions(path) if f.name.startswith("test_")]
    said = {f.name: (ast.get_docstring(f) or "").split("\n", 1)[0] for f in tests}
    assert not [name for name, text in said.items() if not text.endswith((".", ":"))]


# -- content ---------------------------------------------------------------------------------------------------------


def test_every_image_is_used() -> None:
    """An image of configs/images.yaml is run by a shipped stack, or has a reason to be there."""
    stacks = {path.name.split(".")[1]: path for path in ROOT.glob("Pulumi.*.yaml")}
    plans = [plan_file(path, stack) for stack, path in stacks.items()]
    used = {workload.image for plan in plans for workload in plan.every()}
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
    """No path of a developer's machine, and no package host's address beside this test's own list."""
    found = []
    for path in texts():
        if path == Path(__file__) or path.name in ("uv.lock", "package-lock.json", "go.sum"):
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        found += [f"{named(path)}: {match[0]}" for pattern in (ABSOLUTE, HOSTS) for match in pattern.finditer(text)]
    assert not found


def test_the_python_is_the_promised_one() -> None:
    """The tests run on a Python that the project supports."""
    assert sys.version_info >= (3, 11)
