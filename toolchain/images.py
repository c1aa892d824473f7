"""configs/images.yaml as the toolchain reads it: name, repository, tag. The program's own model reads it strictly.

Notes about upgrades are for people, and are not read here.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from toolchain.context import PROJECT
from toolchain.errors import ToolchainError

TARGETS = ("docker", "kubernetes")
IMAGES_FILE = PROJECT / "configs" / "images.yaml"


@dataclass(frozen=True)
class ImageSpec:
    """One image under its upstream name."""

    name: str
    repository: str
    tag: str
    digest: str | None
    targets: tuple[str, ...] = TARGETS
    """Where the program deploys it."""

    @property
    def registry(self) -> tuple[str, str]:
        """The host that serves the image upstream, and the repository's name there."""
        first, _, rest = self.repository.partition("/")
        if rest and ("." in first or ":" in first or first == "localhost"):
            return first, rest
        return "registry-1.docker.io", self.repository if rest else f"library/{self.repository}"

    @property
    def reference(self) -> str:
        """The whole name, as a node knows the image by: docker.io/library/busybox:1.35 for busybox:1.35."""
        host, repository = self.registry
        return f"{'docker.io' if host == 'registry-1.docker.io' else host}/{repository}:{self.tag}"


def load_images(path: Path = IMAGES_FILE) -> dict[str, ImageSpec]:
    """All images of the file by their name. Raises ToolchainError that lists every wrong entry."""
    document = yaml.safe_load(path.read_text())
    entries = document.get("images") if isinstance(document, dict) else None
    if not isinstance(entries, dict):
        raise ToolchainError(f"{path}: no mapping `images`")
    problems = [f"{path}: images.{name}: {why}" for name, entry in entries.items() if (why := _check_entry(entry))]
    if problems:
        raise ToolchainError("\n".join(problems))
    return {name: _build_spec(name, entry) for name, entry in entries.items()}


def select_images(target: str, path: Path = IMAGES_FILE) -> dict[str, ImageSpec]:
    """Those that the program deploys to `target`."""
    return {name: spec for name, spec in load_images(path).items() if target in spec.targets}


def _build_spec(name: str, entry: dict[str, Any]) -> ImageSpec:
    targets = tuple(entry.get("targets", TARGETS))
    return ImageSpec(name, entry["repository"], entry["tag"], entry.get("digest"), targets)


def _check_entry(entry: object) -> str:
    if not isinstance(entry, dict):
        return f"a mapping is needed, not {entry!r}"
    bad = [k for k in ("repository", "tag") if not isinstance(entry.get(k), str) or not entry[k]]
    if bad:
        return f"{' and '.join(bad)} must be text, found {[entry.get(k) for k in bad]!r}"
    unknown = sorted(set(entry) - {"repository", "tag", "digest", "targets", "upgrades"})
    if unknown:
        return f"unknown keys {unknown}"
    targets = entry.get("targets", list(TARGETS))
    known = isinstance(targets, list) and targets and all(t in TARGETS for t in targets)
    return "" if known else f"targets must be some of {', '.join(TARGETS)}, found {targets!r}"
