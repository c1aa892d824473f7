"""Container images by the short names that workloads use; configs/images.yaml is their only list."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Annotated

from pydantic import AfterValidator, Field

from model.base import Name, Strict
from model.errors import Problem, suggest_name
from model.scope import TARGETS, Target

HELPER = "busybox"
"""The image of what prepares volumes, containers and pods of all others; no workload names it."""


def _check_pinned(tag: str) -> str:
    if tag == "latest":
        raise ValueError("names no version, as it is another one tomorrow")
    return tag


Tag = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$"), AfterValidator(_check_pinned)]
"""An image's tag: https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests."""


class UpgradeNote(Strict):
    """What people must know before an image reaches a version."""

    version: Annotated[str, Field(pattern=r"^[0-9]+(\.[0-9]+){0,3}$")]
    """The first version that it holds for."""
    summary: str
    """What changes, in one sentence."""
    steps: tuple[str, ...] = ()
    """What to do about it, in its order."""
    reversible: bool = True
    """Whether the version before still reads the data that the new one has written."""
    source: Annotated[str, Field(pattern=r"^https://")]
    """The page upstream that says so."""


class Image(Strict):
    """An upstream image. `reference` is what an engine is asked for."""

    repository: Annotated[str, Field(pattern=r"^[a-z0-9]+([._/:-]+[a-z0-9]+)*$")]
    """Repository under its upstream name, such as prom/prometheus or gcr.io/cadvisor/cadvisor."""
    tag: Tag
    """The version's tag; never latest."""
    digest: Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")] | None = None
    """The image's digest where one is known; it wins over the tag."""
    targets: Annotated[Sequence[Target], Field(min_length=1)] = TARGETS
    """Where it is deployed; an image is got only for these."""
    upgrades: tuple[UpgradeNote, ...] = ()
    """Versions before which people must know something."""

    def reference(self, mirror: str | None) -> str:
        """The name to pull: from `mirror` (host:port) where given, by digest where one is known upstream.

        A mirror may serve images that were built from source, whose digests are its own, so there the tag decides.
        """
        if mirror:
            return f"{mirror}/{self.repository}:{self.tag}"
        return f"{self.repository}:{self.tag}@{self.digest}" if self.digest else f"{self.repository}:{self.tag}"

    def find_tag(self, reference: str) -> str:
        """The tag in a name that an engine was asked for; empty where it is one of another repository."""
        name, _, tag = reference.partition("@")[0].rpartition(":")
        return tag if name == self.repository or name.endswith(f"/{self.repository}") else ""

    def list_notes(self, before: str) -> list[UpgradeNote]:
        """What people must know on the way from a tag to this one."""
        first, last = parse_version(before), parse_version(self.tag)
        return [note for note in self.upgrades if first < parse_version(note.version) <= last]


class ImagesFile(Strict):
    """The file configs/images.yaml."""

    images: Mapping[Name, Image]
    """Every image the program can deploy, by its short name."""


def parse_version(tag: str) -> tuple[int, ...]:
    """The numbers of the first version in a tag, without zeros at its end: (3, 15) of v3.15.0; () where it has none."""
    match = re.search(r"[0-9]+(\.[0-9]+)*", tag)
    numbers = [int(number) for number in match[0].split(".")] if match else []
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


def hold_tags(images: Mapping[str, Image], versions: Mapping[str, str]) -> Mapping[str, Image]:
    """The images, those that `versions` names with the tag that it says; a digest would be that of another tag."""
    held = {
        name: images[name].model_copy(update={"tag": tag, "digest": None})
        for name, tag in versions.items()
        if name in images and images[name].tag != tag
    }
    return {**images, **held}


def check_versions(images: Mapping[str, Image], versions: Mapping[str, str], where: str) -> list[Problem]:
    """Names among the settings `versions` that no image has."""
    return [
        Problem(f"{where}: versions.{name}", f"there is no image of this name; {suggest_name(name, images)}")
        for name in versions
        if name not in images
    ]


def list_held(images: Mapping[str, Image], versions: Mapping[str, str], used: Collection[str]) -> list[str]:
    """What `versions` keeps from the version of the list, and what it says in vain, as sentences.

    Args:
        images: as configs/images.yaml has them.
        versions: tags by the images' names.
        used: names of the images that the stack runs.
    """
    held = [
        f"{name} stays at {tag}, as `versions` says; configs/images.yaml has {images[name].tag}"
        for name, tag in versions.items()
        if name in used and tag != images[name].tag
    ]
    idle = [
        f"versions.{name} has no effect: the stack does not run that image" for name in versions if name not in used
    ]
    return held + idle
