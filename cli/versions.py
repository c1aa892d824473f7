"""The versions of a stack's images: which are deployed, and which the checkout has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from model.images import HELPER, Image, UpgradeNote, parse_version
from model.plan import Plan
from model.workload import Workload


@dataclass(frozen=True, kw_only=True)
class Upgrade:
    """An image whose tag is another one than the deployed.

    Attributes:
        name: the image's name in configs/images.yaml.
        before, after: the tags.
        stores: workloads with data volumes that run it.
        notes: what people must know on the way.
    """

    name: str
    before: str
    after: str
    stores: tuple[str, ...] = ()
    notes: tuple[UpgradeNote, ...] = ()

    @property
    def back(self) -> bool:
        """Whether it goes to an older version."""
        return parse_version(self.after) < parse_version(self.before)

    @property
    def reversible(self) -> bool:
        """Whether the version before reads what the new one has written, as far as anybody has said."""
        return all(note.reversible for note in self.notes)


def read_deployed(state: Mapping[str, Any], images: Mapping[str, Image]) -> dict[str, str]:
    """The tags of the images that were deployed last, by the images' names, as a stack's state has them."""
    references = sorted(_list_references(state))
    found = {name: {image.find_tag(reference) for reference in references} - {""} for name, image in images.items()}
    # while one replaces another both may be there: the older one is what its data was written by
    return {name: min(tags, key=parse_version) for name, tags in found.items() if tags}


def _list_references(state: Mapping[str, Any]) -> set[str]:
    resources = (state.get("deployment") or {}).get("resources") or ()
    of_engine = {
        str(item["inputs"]["name"]) for item in resources if item["type"] == "docker:index/remoteImage:RemoteImage"
    }
    of_cluster = (item.get("inputs") or {} for item in resources if item["type"].startswith("kubernetes:"))
    return of_engine.union(*map(_list_named, of_cluster))


def _list_named(value: Any) -> Iterator[str]:
    """Everything that a field called `image` says, at any depth."""
    if isinstance(value, Mapping):
        if isinstance(image := value.get("image"), str):
            yield image
        value = value.values()
    elif not isinstance(value, list):
        return
    for part in value:
        yield from _list_named(part)


def list_upgrades(plan: Plan, images: Mapping[str, Image], deployed: Mapping[str, str]) -> list[Upgrade]:
    """What has another version than `images` says; first what has no data, as least can go wrong there."""
    made = [
        build_upgrade(plan, images[name], name, before)
        for name, before in deployed.items()
        if images[name].tag != before and (name == HELPER or _list_users(plan, name))
    ]
    return sorted(made, key=lambda each: (bool(each.stores), not each.reversible, each.name))


def build_upgrade(plan: Plan, image: Image, name: str, before: str) -> Upgrade:
    """The upgrade of an image from a tag to its own."""
    stores = tuple(workload.name for workload in _list_users(plan, name) if workload.volumes)
    return Upgrade(name=name, before=before, after=image.tag, stores=stores, notes=tuple(image.list_notes(before)))


def _list_users(plan: Plan, name: str) -> list[Workload]:
    return [workload for workload in plan.list_workloads() if workload.image == name]


def print_upgrades(stack: str, upgrades: Sequence[Upgrade], console: Console) -> None:
    """Prints what would be upgraded, and what to know of it."""
    table = Table(title=f"Upgrades of stack {stack}", title_justify="left")
    for heading in ("image", "from", "to", "data"):
        table.add_column(heading, no_wrap=True)
    for each in upgrades:
        table.add_row(each.name, each.before, each.after, ", ".join(each.stores) or "none")
    console.print(table)
    for each in upgrades:
        for note in each.notes:
            back = "" if note.reversible else " [red]There is no way back but a backup.[/]"
            console.print(f"[yellow]{each.name} {note.version}[/]: {escape(note.summary)}{back}")
            for step in note.steps:
                console.print(f"   - {escape(step)}")
            console.print(f"   {note.source}")
