"""Which versions an upgrade holds: stored beside the stack's working copy, and said by the setting `versions`.

Where people have a Pulumi backend of their own, `versions` stands in the stack's own file, so that everybody's runs
hold the same; what it said before is remembered on this machine alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict

from cli.record import Record, Underway, read_record
from cli.workspace import (
    ROOT,
    VERSIONS,
    Workspace,
    find_held_file,
    parse_versions,
    read_document,
    rewrite_copy,
    write_document,
)


def _write_record(stack: str, record: Record) -> None:
    path = find_held_file(stack)
    if record == Record():
        path.unlink(missing_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_document(path, asdict(record))


def read_wanted(space: Workspace) -> dict[str, str]:
    """The tags that people ask for in the stack's own file, by the images' names.

    Raises:
        ConfigError: they are no mapping.
    """
    path, record = ROOT / f"Pulumi.{space.stack}.yaml", read_record(find_held_file(space.stack))
    versions = parse_versions(read_document(path), path.name)
    if space.local:
        return versions
    return {name: tag for name, tag in versions.items() if name not in record.held} | dict(record.said)


def hold_versions(space: Workspace, held: Mapping[str, str], underway: Underway | None = None) -> None:
    """Has the setting `versions` say these tags, and of those that were held before what people ask for.

    Whenever it is cut short, what is stored names at least all that the file holds.
    """
    stack, before, wanted = space.stack, read_record(find_held_file(space.stack)), read_wanted(space)
    said = {} if space.local else {name: tag for name, tag in wanted.items() if name in held}
    more = {name: tag for name, tag in before.held.items() if name not in held}
    if not space.local:
        _write_record(
            stack, Record(held={**held, **more}, said={**before.said, **said}, underway=underway or before.underway)
        )
        _say_versions(space, {**wanted, **held})
    _write_record(stack, Record(held=held, said=said, underway=underway))
    if space.local:
        rewrite_copy(space)


def _say_versions(space: Workspace, versions: Mapping[str, str]) -> None:
    """Has the stack's own file say these tags and no other ones."""
    path = ROOT / f"Pulumi.{space.stack}.yaml"
    document = read_document(path)
    current = parse_versions(document, path.name)
    if current == versions:
        return
    if not versions:
        space.run_pulumi("config", "rm", VERSIONS, "--stack", space.stack, capture=True)
    elif isinstance(document["config"].get(VERSIONS), str):
        space.run_pulumi("config", "set", VERSIONS, "--stack", space.stack, "--", json.dumps(versions), capture=True)
    else:
        for name in sorted(current.keys() | versions.keys()):
            where = ("--path", f'{VERSIONS}["{name}"]', "--stack", space.stack)
            if name not in versions:
                space.run_pulumi("config", "rm", *where, capture=True)
            elif versions[name] != current.get(name):
                space.run_pulumi("config", "set", *where, "--type", "string", "--", versions[name], capture=True)
