"""Programs and libraries of PyPI, installed by uv with the hashes that stand in files of requirements."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from toolchain.cache import Inputs, compute_tree_digest
from toolchain.context import HERE, PROJECT, Context
from toolchain.run import run_command


@dataclass(frozen=True)
class PypiPackage:
    """The package that toolchain/pypi/<name>.txt pins, or those of requirements.txt in a folder of the project."""

    name: str
    python: str = ""
    """The version of Python that runs it, such as 3.11, where its parts are made for one."""
    place: str = ""
    """The project's folder, where the packages are those of a program of ours."""

    @property
    def requirements(self) -> Path:
        """The requirement file: packages, the version of each, their hashes."""
        return PROJECT / self.place / "requirements.txt" if self.place else HERE / "pypi" / f"{self.name}.txt"

    def list_inputs(self, context: Context) -> Inputs:
        """What decides the package's contents."""
        version = {"python": self.python} if self.python else {}
        return {"requirements": compute_tree_digest(self.requirements), "arch": context.host.arch, **version}

    def describe(self) -> str:
        """Where the contents come from, in words."""
        return "PyPI " + self.requirements.read_text().split(" ", 1)[0]

    def find_path(self, context: Context) -> Path:
        """Where the package lies when it is there."""
        return context.cache.find_path(f"pypi-{self.name}", self.list_inputs(context))

    def ensure(self, context: Context) -> Path:
        """The directory into which the package is installed; programs lie in its bin/."""

        def make(draft: Path) -> None:
            with context.progress.step(f"{self.name}: PyPI package"):
                # the system's certificates: a company's own authority is in that store, and in no bundle of uv's
                command = [str(find_uv(context)), "--system-certs", "pip", "install", "--quiet", "--no-deps"]
                run_command(
                    [
                        *command,
                        *("--require-hashes", "--link-mode", "copy"),
                        *("--target", str(draft), "-r", str(self.requirements)),
                        *(("--python-version", self.python) if self.python else ()),
                    ],
                    env=dict(context.environ),
                    advice="check that the Python package index is reachable (UV_INDEX_URL, proxy settings)",
                )

        return context.cache.ensure(f"pypi-{self.name}", self.list_inputs(context), make)


def find_uv(context: Context) -> Path:
    """The uv on PATH, else the one that bootstrap.sh puts into the cache."""
    if program := shutil.which("uv", path=context.environ.get("PATH")):
        return Path(program)
    env = {**context.environ, "OBSERVABILITY_CACHE": str(context.cache.root)}
    return Path(run_command(["sh", str(HERE / "bootstrap.sh")], env=env).strip().splitlines()[-1])
