"""Debian packages: which are taken, and how their programs are started."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from toolchain import debian
from toolchain.context import Context
from toolchain.debian import DebianPackages, find_error_lines, select_packages
from toolchain.errors import ToolchainError
from toolchain.host import Host

from .conftest import MakeContext

LISTING = """\
'http://mirror/libc6.deb' libc6_2.36-9_amd64.deb 100 SHA256:0
'http://mirror/zlib.deb' zlib1g_1%3a1.2_amd64.deb 100 SHA256:0
'http://mirror/perl.deb' perl-base_5.36_amd64.deb 100 SHA256:0
'http://mirror/js.deb' libjs-jquery_3.6_all.deb 100 SHA256:0
'http://mirror/llvm.deb' libllvm14_1%3a14_amd64.deb 100 SHA256:0
'http://mirror/pg.deb' postgresql-15_15.20_amd64.deb 100 SHA256:0
"""


def test_select_takes_packages_and_useful_libraries() -> None:
    """The wanted packages and their libraries are taken at exact versions; interpreters and web pages are not."""
    assert select_packages(LISTING, ("postgresql-15",)) == ["libc6=2.36-9", "zlib1g=1:1.2", "postgresql-15=15.20"]


def test_path_changes_with_release(make_context: MakeContext) -> None:
    """Another distribution release or architecture is another artefact."""
    packages = DebianPackages("x", ("a",))
    contexts = (make_context(), make_context(distribution="debian-trixie"), make_context(arch="arm64"))
    assert len({packages.find_path(c) for c in contexts}) == 3


def test_without_apt_a_person_is_told_what_to_install(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    """Elsewhere than on Debian the missing programs are named; nothing is skipped."""
    monkeypatch.setattr(Host, "has_apt", property(lambda _: False))
    with pytest.raises(ToolchainError, match="install promtool"):
        DebianPackages("validators", ("prometheus",), ("usr/bin/promtool",)).ensure(context)


def test_starter_runs_the_program_wherever_it_lies(tmp_path: Path) -> None:
    """The starter finds the root beside itself, through links too, and passes its arguments on."""
    program = tmp_path / "root/usr/bin/show"
    program.parent.mkdir(parents=True)
    (tmp_path / "bin").mkdir()
    # A static ELF header without segments: enough for the starter to be written; a script then stands in to be run.
    program.write_bytes(b"\x7fELF\x02\x01" + b"\0" * 58)
    debian._write_starter(tmp_path, "usr/bin/show", "x86_64-linux-gnu")
    program.write_text('#!/bin/sh\nprintf "%s|" "$@"\n')
    program.chmod(0o755)
    (tmp_path / "link").symlink_to("bin/show")
    said = subprocess.run([tmp_path / "link", "a b", "c"], capture_output=True, text=True, check=True).stdout
    assert said == "a b|c|"


def test_complaints_of_a_refresh_are_kept() -> None:
    """What apt-get complained of while it refreshed its lists is shown with a failure that follows; silence is not."""
    words = find_error_lines("Get:1 http://mirror\nW: GPG error: not signed\nReading package lists...\nE: unsigned\n")
    assert words.splitlines()[1:] == ["    W: GPG error: not signed", "    E: unsigned"]
    assert find_error_lines("Reading package lists...\n") == ""
