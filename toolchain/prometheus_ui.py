"""The interface of Prometheus, built from the sources that lie in its Go module, as its own release does it.

Only a release has it compiled in. A program without it serves what is below web/ui/static in its working directory, if
that is called `prometheus`: https://github.com/prometheus/prometheus/blob/main/web/ui/ui.go.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from toolchain.cache import Inputs
from toolchain.context import HERE, Context
from toolchain.golang import find_go, find_module_folder, find_required_version
from toolchain.npm import NODE, PROGRAM, NpmPackages
from toolchain.run import run_command

MODULE, FOLDER = "github.com/prometheus/prometheus", "images/prometheus"
PNPM = NpmPackages("pnpm")
"""The package manager whose lock file the sources have."""
HOME = "/usr/share/prometheus"
"""The working directory of an image that serves the interface."""
_STEPS = (
    ("pnpm", "install", "--frozen-lockfile", "--ignore-scripts"),
    ("bash", "build_ui.sh", "--build-module"),
    ("bash", "build_ui.sh", "--mantine-ui"),
)
_OLD = "react-app"
"""The interface of before, which nobody is led to."""
_ADVICE = "check that the npm registry is reachable (npm_config_registry, .npmrc, proxy settings)"


@dataclass(frozen=True)
class PrometheusUi:
    """The files that a browser loads, as static/mantine-ui."""

    name: str = "prometheus-ui"
    seconds: float = 50
    """An estimate, of two cores: half of it is getting packages."""

    @property
    def step(self) -> str:
        """What progress calls the build."""
        return f"{self.name}: packages and build"

    def list_inputs(self, context: Context) -> Inputs:
        """What decides the files: the module's version, and what they are built with."""
        version = find_required_version(FOLDER, MODULE)
        return {"version": version, "steps": _STEPS, "pnpm": PNPM.list_inputs(context)}

    def describe(self) -> str:
        """Where the contents come from, in words."""
        return f"pnpm {MODULE}/web/ui"

    def find_path(self, context: Context) -> Path:
        """Where the files lie when they are there."""
        return context.cache.find_path(self.name, self.list_inputs(context))

    def ensure(self, context: Context) -> Path:
        """The directory with static/.

        Raises:
            ToolchainError: a package cannot be had, or the build fails.
        """
        return context.cache.ensure(self.name, self.list_inputs(context), lambda draft: self.build(context, draft))

    def build(self, context: Context, into: Path) -> None:
        """Build the files in `into`."""
        node, pnpm = NODE.ensure(context) / PROGRAM, PNPM.ensure(context) / "node_modules/pnpm/bin/pnpm.cjs"
        with context.progress.step(self.step):
            source, programs = into / "source", into / "bin"
            _copy_sources(context, source)
            programs.mkdir()
            start = programs / "pnpm"
            start.write_text(f'#!/bin/sh\nexec "{node}" "{pnpm}" "$@"\n', encoding="utf-8")
            start.chmod(0o755)
            path = f"{programs}:{node.parent}:{context.environ.get('PATH', '')}"
            for step in _STEPS:
                run_command(list(step), cwd=source, env={**context.environ, "PATH": path, "CI": "1"}, advice=_ADVICE)
            shutil.move(source / "static", into / "static")
            shutil.rmtree(source)
            shutil.rmtree(programs)


def _copy_sources(context: Context, into: Path) -> None:
    module = find_module_folder(context, find_go(context), HERE / FOLDER, MODULE)
    shutil.copytree(module / "web" / "ui", into, ignore=shutil.ignore_patterns(_OLD))
    for path in (into, *into.rglob("*")):  # the module cache is read-only, and copies are not to be
        path.chmod(path.stat().st_mode | 0o200)
