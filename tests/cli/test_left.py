"""What is left of a stack that was removed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from cli.left import drop_hints, list_left
from tests.support import fakes

HINT = """\
Resources:
    - 4 deleted

The resources in the stack have been deleted, but the history and configuration associated with the stack are still \
maintained.
If you want to remove the stack completely, run `pulumi stack rm dev`.
"""
"""As Pulumi 3.250 ends."""


def test_pulumis_hints_are_not_handed_on() -> None:
    """A local stack is removed anyway, and the command would take the stack's own file away elsewhere."""
    said: list[str] = []
    take = drop_hints(said.append)
    for line in HINT.splitlines():
        take(line)
    assert said == ["Resources:", "    - 4 deleted", ""]


def test_volumes_and_their_secrets_are_left(tmp_path: Path) -> None:
    """With the one command that removes both, and the one that takes them over."""
    space = fakes.workspace(tmp_path)
    volumes, secrets, command = list_left(space, ["dev-loki-data"], {"b-password", "a-password"}, purge=False)
    assert volumes == "Kept data volumes: dev-loki-data"
    assert secrets == f"Kept secrets: a-password, b-password (encrypted, in {tmp_path}/Pulumi.dev.yaml)"
    assert command == (
        "The next make up STACK=dev takes them over; make down STACK=dev PURGE=1 removes data and generated secrets"
    )


def test_nothing_is_left_after_a_purge(tmp_path: Path) -> None:
    """But secrets that people have set themselves, which are nowhere else."""
    space = fakes.workspace(tmp_path)
    assert [*list_left(space, [], (), purge=False)] == [*list_left(space, [], (), purge=True)] == []
    assert [*list_left(space, ["dev-loki-data"], (), purge=True)] == ["Removed data volumes: dev-loki-data"]
    *_, last = list_left(space, ["dev-loki-data"], {"slack-webhook"}, purge=True)
    assert last == "You have set them yourself: make secret STACK=dev NAME=… REMOVE=1 removes one"


def test_a_backend_of_ones_own_keeps_its_history(tmp_path: Path) -> None:
    """Secrets stand in people's own file then, and are theirs; the command leaves that file alone."""
    space = replace(fakes.workspace(tmp_path, {}, PULUMI_BACKEND_URL="s3://states"), local=False)
    (line,) = list_left(space, [], {"slack-webhook"}, purge=True)
    assert "Kept in s3://states" in line and "pulumi stack rm --preserve-config dev" in line
