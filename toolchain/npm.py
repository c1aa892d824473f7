"""Packages of npm, at the versions and with the hashes of a lock file; none of their scripts is run.

The lock file's format: https://docs.npmjs.com/cli/configuring-npm/package-lock-json.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import shutil
import tarfile
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from toolchain.cache import Inputs, compute_tree_digest
from toolchain.context import HERE, Context
from toolchain.errors import ToolchainError

REGISTRY = "https://registry.npmjs.org"
DOWNLOADS = 8
"""How many packages are downloaded at a time."""
SECONDS = 60.0


@dataclass(frozen=True)
class NpmPackages:
    """The packages that toolchain/npm/<name>/package-lock.json lists."""

    name: str

    @property
    def lock(self) -> Path:
        """The lock file, of version 2 or 3."""
        return HERE / "npm" / self.name / "package-lock.json"

    def list_inputs(self, context: Context) -> Inputs:
        """What decides the packages' contents; they are the same on every machine."""
        return {"lock": compute_tree_digest(self.lock)}

    def describe(self) -> str:
        """Where the contents come from, in words."""
        document = json.loads(self.lock.read_text(encoding="utf-8"))
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
            registry = context.environ.get("npm_config_registry", REGISTRY).rstrip("/")
            entries = json.loads(self.lock.read_text(encoding="utf-8"))["packages"]
            with context.progress.step(f"{self.name}: npm packages"), ThreadPoolExecutor(DOWNLOADS) as pool:
                done = [
                    pool.submit(_unpack_package, registry, path, entry["version"], entry["integrity"], draft)
                    for path, entry in entries.items()
                    if path
                ]
                for each in done:
                    each.result()

        return context.cache.ensure(f"npm-{self.name}", self.list_inputs(context), make)


def _unpack_package(registry: str, path: str, version: str, integrity: str, into: Path) -> None:
    name = path.rpartition("node_modules/")[2]
    url = f"{registry}/{name}/-/{name.rpartition('/')[2]}-{version}.tgz"
    try:
        with urllib.request.urlopen(url, timeout=SECONDS) as answer:  # noqa: S310 - the registry's own scheme
            data = bytes(answer.read())
    except (urllib.error.URLError, OSError) as error:
        raise ToolchainError(f"{url}: {error}", advice="check that the npm registry is reachable") from error
    check_integrity(url, data, integrity)
    target = into / path
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        draft = into / f".{hashlib.sha256(path.encode()).hexdigest()}"
        archive.extractall(draft, filter="data")
    (top,) = draft.iterdir()  # mostly package/, which nothing demands
    shutil.copytree(top, target, dirs_exist_ok=True)  # a package below it may have been quicker
    shutil.rmtree(draft)


def check_integrity(url: str, data: bytes, integrity: str) -> None:
    """That a download is the one that was locked: https://www.w3.org/TR/SRI/.

    Raises:
        ToolchainError: it is another one.
    """
    algorithm, _, wanted = integrity.partition("-")
    actual = base64.b64encode(hashlib.new(algorithm, data).digest()).decode()
    if actual != wanted:
        raise ToolchainError(f"{url}: {algorithm} is {actual}, and {wanted} is locked")
