"""Container images by the short names that workloads use; configs/images.yaml is their only list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import Field

from model.base import Name, Strict
from model.scope import TARGETS, Target


class Image(Strict):
    """An upstream image. `reference` is what an engine is asked for."""

    repository: Annotated[str, Field(pattern=r"^[a-z0-9]+([._/:-]+[a-z0-9]+)*$")]
    """Repository under its upstream name, such as prom/prometheus or gcr.io/cadvisor/cadvisor."""
    tag: Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$")]
    """The version's tag; never latest."""
    digest: Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")] | None = None
    """The image's digest where one is known; it wins over the tag."""
    targets: Annotated[Sequence[Target], Field(min_length=1)] = TARGETS
    """Where it is deployed; an image is got only for these."""

    def reference(self, mirror: str | None) -> str:
        """The name to pull: from `mirror` (host:port) where given, by digest where one is known upstream.

        A mirror may serve images that were built from source, whose digests are its own, so there the tag decides.
        """
        if mirror:
            return f"{mirror}/{self.repository}:{self.tag}"
        return f"{self.repository}:{self.tag}@{self.digest}" if self.digest else f"{self.repository}:{self.tag}"


class ImagesFile(Strict):
    """The file configs/images.yaml."""

    images: Mapping[Name, Image]
    """Every image the program can deploy, by its short name."""
