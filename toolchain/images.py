"""configs/images.yaml as the toolchain reads it: name, repository, tag. The program's own model reads it strictly."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import yaml

from toolchain.errors import ToolchainError

IMAGES_FILE = Path(__file__).resolve().parent.parent / "configs" / "images.yaml"


@dataclass(frozen=True)
class ImageSpec:
    """One image under its upstream name."""

    name: str
    repository: str
    tag: str
    digest: str | None

    @property
    def registry(self) -> tuple[str, str]:
        """The host that serves the image upstream, and the repository's name there."""
        first, _, rest = self.repository.partition("/")
        if rest and ("." in first or ":" in first or first == "localhost"):
            return first, rest
        return "registry-1.docker.io", self.repository if rest else f"library/{self.repository}"


def load_images(path: Path = IMAGES_FILE) -> dict[str, ImageSpec]:
    """All images of the file by their name. Raises ToolchainError that lists every wrong entry."""
    document = yaml.safe_load(path.read_text())
    entries = document.get("images") if isinstance(document, dict) else None
    if not isinstance(entries, dict):
        raise ToolchainError(f"{path}: no mapping `images`")
    problems = [f"{path}: images.{name}: {why}" for name, entry in entries.items() if (why := _wrong(entry))]
    if problems:
        raise ToolchainError("\n".join(problems))
    return {
        name: ImageSpec(name=name, repository=entry["repository"], tag=entry["tag"], digest=entry.get("digest"))
        for name, entry in entries.items()
    }


def _wrong(entry: object) -> str:
    if not isinstance(entry, dict):
        return f"a mapping is needed, not {entry!r}"
    bad = [k for k in ("repository", "tag") if not isinstance(entry.get(k), str) or not entry[k]]
    if bad:
        return f"{' and '.join(bad)} must be text, found {[entry.get(k) for k in bad]!r}"
    unknown = sorted(set(entry) - {"repository", "tag", "digest"})
    return f"unknown keys {unknown}" if unknown else ""
