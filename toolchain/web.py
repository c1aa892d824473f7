"""Pages of ours, which a program serves: TypeScript, bundled to one script and one style by esbuild.

Options: https://esbuild.github.io/api/. Nothing of a package is run but esbuild itself, which is a program.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from toolchain.cache import Inputs, compute_tree_digest
from toolchain.context import PROJECT, Context
from toolchain.npm import NODE, PROGRAM, NpmPackages
from toolchain.run import run_command

PROCESSORS = {"amd64": "x64", "arm64": "arm64"}
"""Architectures in the words of npm."""
FILES = ("app.js", "app.css")
"""What a build makes."""
SITE = "site"
"""The folder with index.html, and FILES in its static/, of pages that have a document."""
BROWSERS = "es2022,chrome123,firefox125,safari17.5"
"""The oldest browsers with all that the pages use: `light-dark()` of CSS and `popover` of HTML are the newest."""


@dataclass(frozen=True)
class WebBuild:
    """Pages whose sources lie in src/ beside the lock file of `packages`, which they are built with and from."""

    name: str
    packages: NpmPackages
    entry: str = "main.ts"
    """Their beginning, in src/."""
    page: str = ""
    """The document in src/ that is served with them, where no program of ours writes one."""
    browsers: str = BROWSERS
    """What the script may use, in the words of esbuild's `target`."""
    options: tuple[str, ...] = ()
    """Further ones for esbuild."""

    @property
    def folder(self) -> str:
        """The folder with src/, in the project."""
        return self.packages.place

    def list_inputs(self, context: Context) -> Inputs:
        """What decides the contents of the files."""
        return {
            "sources": compute_tree_digest(PROJECT / self.folder / "src"),
            "entry": [self.entry, self.page],
            "browsers": self.browsers,
            "options": self.options,
            "packages": self.packages.list_inputs(context),
        }

    def describe(self) -> str:
        """Where the contents come from, in words."""
        return f"esbuild {self.folder}/src/{self.entry}"

    def find_path(self, context: Context) -> Path:
        """Where the files lie when they are there."""
        return context.cache.find_path(f"web-{self.name}", self.list_inputs(context))

    def ensure(self, context: Context) -> Path:
        """The directory with FILES, or with SITE where there is a document.

        Raises:
            ToolchainError: a package cannot be had, or the sources have a mistake.
        """
        return context.cache.ensure(
            f"web-{self.name}", self.list_inputs(context), lambda draft: self.build(context, draft)
        )

    def build(self, context: Context, into: Path) -> None:
        """Bundle the sources to FILES in `into`, or put them into a site there."""
        modules = self.packages.ensure(context) / "node_modules"
        program = find_package_program(context, modules, "@esbuild/{platform}/bin/esbuild")
        options = ["--bundle", "--minify", "--format=esm", f"--target={self.browsers}", "--legal-comments=eof"]
        options += self.options
        source, folder = PROJECT / self.folder / "src", into / SITE / "static" if self.page else into
        with context.progress.step(f"{self.name}: pages"):
            run_command(
                [str(program), self.entry, *options, f"--outfile={folder / FILES[0]}", "--log-level=warning"],
                cwd=source,
                env={**context.environ, "NODE_PATH": str(modules)},
            )
        if self.page:
            shutil.copyfile(source / self.page, into / SITE / "index.html")

    def find_type_checker(self, context: Context) -> Path:
        """The TypeScript compiler."""
        modules = self.packages.ensure(context) / "node_modules"
        return find_package_program(context, modules, "@typescript/typescript-{platform}/lib/tsc")


def find_package_program(context: Context, modules: Path, path: str) -> Path:
    """A program of a package, whose path names the platform in npm's words."""
    return modules / path.format(platform=f"linux-{PROCESSORS[context.host.arch]}")


def find_node(context: Context) -> Path:
    """Node.js of the version that is pinned."""
    return NODE.ensure(context) / PROGRAM
