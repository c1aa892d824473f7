"""What a preview says, without what was only read back."""

from __future__ import annotations

import pytest

from cli.previewed import EVERY, Changes

IDENTITY = """\
        [id=4f]
        [urn=urn:pulumi:dev::observability::docker:index/container:Container::dev-loki]
        [provider=urn:pulumi:dev::observability::pulumi:providers:docker::default::7f]
"""
CHANGE = f"""\
  pulumi:pulumi:Stack: (same)
    [urn=urn:pulumi:dev::observability::pulumi:pulumi:Stack::observability-dev]
    ~ docker:index/container:Container: (update)
{IDENTITY}      ~ memory: 512 => 1024
Resources:
    ~ 1 to update
    60 unchanged
"""
"""As Pulumi 3.250 prints it."""
READ = (
    "~ pulumi:pulumi:Stack: (refresh)\n    [urn=urn:x]\n"
    + f"    ~ docker:index/network:Network: (refresh)\n{IDENTITY}" * 3
)


def filtered(text: str, seconds: float = 0.0) -> tuple[str, list[str]]:
    """What is left of a text, and the lines of progress; each step of the clock takes so many seconds."""
    left, progress, now = list[str](), list[str](), iter(range(1000))
    changes = Changes(left.append, progress.append, lambda: next(now) * seconds)
    for line in text.splitlines():
        changes.take(line)
    return "".join(f"{line}\n" for line in left), progress


@pytest.mark.parametrize("colour", ["", "\x1b[38;5;3m"])
def test_what_was_read_back_is_no_change(colour: str) -> None:
    """Its lines go, with colours too; those of changes stay as they are."""
    read = READ.replace("~", f"{colour}~")
    assert filtered(f"Previewing update (dev):\n{read}{CHANGE}") == (f"Previewing update (dev):\n{CHANGE}", [])


def test_what_was_read_back_otherwise_stays() -> None:
    """With its name."""
    text = f'    ~ docker:index/network:Network: (refresh)\n{IDENTITY}      ~ driver: "bridge" => "none"\n'
    assert filtered(READ + text + CHANGE)[0] == text + CHANGE


def test_a_long_reading_says_how_far_it_is() -> None:
    """A line now and then, and none where it is quick."""
    progress = filtered(READ * 10, EVERY / 2)[1]
    assert progress[0] == "   read back so far: 1 resources" or progress[0].startswith("   read back so far: ")
    assert len(progress) < 40 and filtered(READ * 10, 0.01)[1] == []
