"""Debian packages, downloaded and unpacked into a directory: nothing is installed and no root is needed.

Programs run from there with the libraries of the same release, so the machine's own libraries do not matter.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from toolchain.cache import Inputs
from toolchain.context import Context
from toolchain.elf import read_elf
from toolchain.errors import ToolchainError
from toolchain.run import run_command

_LIBRARY = re.compile(r"^(lib|zlib1g|tzdata|ca-certificates$)")
_UNWANTED = re.compile(r"^(libjs-|libllvm|libperl|libz3|libfile-|lib.*-perl$|libsemanage|libsepol|libdb5)")
"""Libraries of the packages' optional parts (web pages, Perl, just-in-time compilation): tens of megabytes, unused."""


@dataclass(frozen=True)
class DebianPackages:
    """Packages and the libraries they need; each of `programs` (such as usr/bin/promtool) gets a starter in bin/."""

    name: str
    packages: tuple[str, ...]
    programs: tuple[str, ...] = ()

    def list_inputs(self, context: Context) -> Inputs:
        """What decides the contents: the distribution's release is the pin, its checksums are verified by apt."""
        return {
            "packages": list(self.packages),
            "programs": list(self.programs),
            "distribution": context.host.distribution,
            "arch": context.host.arch,
            "layout": 1,
        }

    def describe(self) -> str:
        """Where the contents come from, in words."""
        return "Debian " + " ".join(self.packages)

    def find_path(self, context: Context) -> Path:
        """Where the packages lie when they are there."""
        return context.cache.find_path(f"debian-{self.name}", self.list_inputs(context))

    def ensure(self, context: Context) -> Path:
        """The directory with root/ (the unpacked files), bin/ (starters) and packages.txt (names and versions)."""

        def make(draft: Path) -> None:
            with context.progress.step(f"{self.name}: {self.describe()}"):
                self._unpack(context, draft)

        return context.cache.ensure(f"debian-{self.name}", self.list_inputs(context), make)

    def _unpack(self, context: Context, draft: Path) -> None:
        if not context.host.has_apt:
            raise ToolchainError(
                f"{self.name} is taken from Debian packages, and this machine has no apt-get",
                advice=f"install {', '.join(Path(p).name for p in self.programs) or self.name} so that PATH finds it",
            )
        files = Apt(context).download(self.packages, draft / "packages")
        for file in files:
            run_command(["dpkg-deb", "-x", str(file), str(draft / "root")])
        (draft / "packages.txt").write_text("".join(f"{unquote(f.name)}\n" for f in files))
        shutil.rmtree(draft / "packages")
        (draft / "bin").mkdir()
        for program in self.programs:
            _write_starter(draft, program, context.host.triplet)


def _write_starter(draft: Path, program: str, triplet: str) -> None:
    """Write bin/<name>, which runs the program by its own release's loader and libraries."""
    elf = read_elf(draft / "root" / program)
    if elf is None:
        raise ToolchainError(f"the package holds no program {program}")
    call = f'"$root/{program}" "$@"'
    if elf.interpreter:
        search = ":".join(f"$root/{d}/{triplet}" for d in ("lib", "usr/lib"))
        call = f'"$root{elf.interpreter}" --library-path "{search}" {call}'
    starter = draft / "bin" / Path(program).name
    lines = ["#!/bin/sh", 'here=$(dirname "$(readlink -f "$0")")', 'root="$here/../root"', f"exec {call}", ""]
    starter.write_text("\n".join(lines))
    starter.chmod(0o755)


class Apt:
    """Downloads by apt, with the machine's package lists where they serve, else with lists of our own in the cache."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._own = context.cache.root / "apt"

    def download(self, packages: tuple[str, ...], into: Path) -> list[Path]:
        """The files of `packages` and of the libraries they need, in the directory `into`."""
        into.mkdir(parents=True)
        try:
            return self._download_files([], packages, into)
        except ToolchainError:
            # No lists on this machine, or ones that name versions the mirror no longer has.
            for left in into.iterdir():
                left.unlink()
        options, output = self._refresh_lists()
        try:
            return self._download_files(options, packages, into)
        except ToolchainError as error:
            # The refresh's own complaints (an unsigned list, a full disk) are the cause more often than not.
            raise ToolchainError(f"{error.problem}\n{find_error_lines(output)}", advice=_ADVICE) from error

    def _download_files(self, options: list[str], packages: tuple[str, ...], into: Path) -> list[Path]:
        versions = self._list_dependencies(options, packages)
        run_command(["apt-get", *options, "-o", "Debug::NoLocking=1", "download", *versions], cwd=into, advice=_ADVICE)
        return sorted(into.glob("*.deb"))

    def _list_dependencies(self, options: list[str], packages: tuple[str, ...]) -> list[str]:
        """`packages` and all libraries they depend on, each as name=version, as if nothing were installed."""
        self._own.mkdir(parents=True, exist_ok=True)
        nothing = self._own / "nothing-installed"
        nothing.touch()
        isolated = ["-o", f"Dir::State::status={nothing}", "-o", "Debug::NoLocking=1"]
        command = ["apt-get", *options, *isolated, "--print-uris", "--yes", "--no-install-recommends", "install"]
        return select_packages(run_command([*command, *packages], advice=_ADVICE), packages)

    def _refresh_lists(self) -> tuple[list[str], str]:
        """Options for apt-get to use lists of our own, fetched now, and what apt-get said while fetching them."""
        options = []
        for setting, folder in (("Dir::State::lists", "lists"), ("Dir::Cache", "cache")):
            (self._own / folder / "partial").mkdir(parents=True, exist_ok=True)
            options += ["-o", f"{setting}={self._own / folder}"]
        with self._context.cache.lock("apt-update"):
            # A third party's source may be out of reach; what matters is whether the packages are found afterwards.
            script = 'apt-get "$@" update 2>&1 || true'
            output = run_command(["sh", "-c", script, "apt-get", *options, "-o", "Debug::NoLocking=1"])
        return options, output


def find_error_lines(output: str) -> str:
    """apt-get's warnings and errors among the lines it printed while it refreshed its lists; "" when it had none."""
    errors = [line for line in output.splitlines() if line.startswith(("E:", "W:", "Err:"))]
    return (
        "\n".join(["  refreshing the package lists before had said:", *(f"    {error}" for error in errors)])
        if errors
        else ""
    )


_ADVICE = "check that the distribution's mirror is reachable and that this release has the package (apt-cache policy)"


def select_packages(listing: str, packages: tuple[str, ...]) -> list[str]:
    """From the lines of `apt-get --print-uris`, name=version of `packages` and of the libraries worth having."""
    chosen = []
    for match in re.finditer(r"^'[^']*' (\S+)_(\S+)_[a-z0-9]+\.deb ", listing, re.MULTILINE):
        name, version = match.group(1), unquote(match.group(2))
        if name in packages or (_LIBRARY.match(name) and not _UNWANTED.match(name)):
            chosen.append(f"{name}={version}")
    return chosen
