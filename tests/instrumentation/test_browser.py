"""The package for web pages: its types, its tests, its size, and what its README says of it."""

from __future__ import annotations

import gzip
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.systems import ROOT
from toolchain.context import build_default_context
from toolchain.recipes import BROWSER_KIT
from toolchain.web import FILES, find_node

FOLDER = ROOT / BROWSER_KIT.folder
SOURCES = sorted(path for name in ("src", "tests") for path in (FOLDER / name).rglob("*.ts"))
LARGEST = 60 * 1024
"""Bytes of the script as it is sent, compressed."""
LONGEST_FILE = 400


def run(*command: str | Path, cwd: Path) -> None:
    """Runs a command, whose words are the failure's."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """The package's sources, and what it depends on beside them."""
    folder = tmp_path / "browser"
    shutil.copytree(FOLDER, folder, ignore=shutil.ignore_patterns("node_modules", "dist"))
    (folder / "node_modules").symlink_to(BROWSER_KIT.packages.ensure(build_default_context()) / "node_modules")
    return folder


@pytest.mark.exhaustive  # compilers
def test_sources_have_types(package: Path) -> None:
    """The compiler has no word against the package or its tests, and writes the types of what is public."""
    checker = BROWSER_KIT.find_type_checker(build_default_context())
    run(checker, "--noEmit", cwd=package)
    run(checker, "-p", "tsconfig.types.json", cwd=package)
    types = package / json.loads((package / "package.json").read_text(encoding="utf-8"))["exports"]["."]["types"]
    public = [path for path in types.parent.glob("*.ts") if path.stem[:-2] in ("index", "init", "log", "timeout")]
    assert types in public and not [path for path in public if "@grafana" in path.read_text(encoding="utf-8")]


@pytest.mark.exhaustive  # compilers
def test_the_package_passes_its_tests(package: Path) -> None:
    """Limits of time, bounds of errors, cleaned addresses, nothing on a server."""
    run(find_node(build_default_context()), "--test", "tests/*.test.ts", cwd=package)


@pytest.mark.exhaustive  # compilers
def test_the_script_is_small() -> None:
    """One file with everything in it, within its limit."""
    script = (BROWSER_KIT.ensure(build_default_context()) / FILES[0]).read_bytes()
    size = len(gzip.compress(script))
    print(f"{FILES[0]}: {len(script)} bytes, {size} compressed")
    assert size < LARGEST and b"import(" not in script and not re.search(rb"\bimport\b[^(.]*\bfrom\b", script)


def test_people_build_what_the_toolchain_builds() -> None:
    """The script of package.json has the options of the toolchain."""
    build = json.loads((FOLDER / "package.json").read_text(encoding="utf-8"))["scripts"]["build"]
    assert f"--target={BROWSER_KIT.browsers} " in build and not [
        each for each in BROWSER_KIT.options if each not in build
    ]


def test_versions_of_faro_are_one() -> None:
    """All packages of Faro are of one version, and exact."""
    package = json.loads((FOLDER / "package.json").read_text(encoding="utf-8"))
    versions = {version for name, version in package["dependencies"].items() if name.startswith("@grafana/")}
    assert len(versions) == 1 and re.fullmatch(r"\d+\.\d+\.\d+", versions.pop())


def test_sources_are_short_and_typed() -> None:
    """Each file that somebody reads is within its limit, and nothing is `any`."""
    texts = {path.name: path.read_text(encoding="utf-8") for path in SOURCES}
    assert len(texts) > 15 and not [name for name, text in texts.items() if len(text.splitlines()) > LONGEST_FILE]
    assert not [name for name, text in texts.items() if re.search(r"(:|as|<)\s*any\b|@ts-|\beval\(|innerHTML", text)]
