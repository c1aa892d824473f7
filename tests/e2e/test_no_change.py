"""No diff without a change."""

from __future__ import annotations

import re

from cli.last_run import UNCHANGED
from tests.support.running import RunningStack


def unchanged(text: str) -> bool:
    """Whether Pulumi's summary counts nothing but unchanged resources."""
    summary = text[text.rindex("Resources:") :] if "Resources:" in text else ""
    return bool(re.search(r"\d+ unchanged", summary)) and not re.search(
        r"\d+ (to |)(create|created|update|updated|replace|replaced|delete|deleted)", summary
    )


def test_second_up_changes_nothing(stack: RunningStack) -> None:
    """A second `make up` says that nothing changed, reads nothing back on an engine, and leaves every container."""
    before = stack.identities()
    run = stack.up()
    print(f"second make up: {run.seconds:.1f} s (limit 60 s)")
    assert unchanged(run.text), run.text[-3000:]
    assert stack.identities() == before
    assert (UNCHANGED in " ".join(run.text.split())) == (stack.engine.client is not None)


def test_preview_shows_nothing(stack: RunningStack) -> None:
    """`make preview` right after `make up` shows no change."""
    run = stack.run("preview")
    assert run.code == 0 and unchanged(run.text), run.text[-3000:]
    assert (UNCHANGED in " ".join(run.text.split())) == (stack.engine.client is not None)


def test_refresh_shows_nothing(stack: RunningStack) -> None:
    """`make refresh` right after `make up` shows no change."""
    run = stack.run("refresh")
    assert run.code == 0 and unchanged(run.text), run.text[-3000:]
