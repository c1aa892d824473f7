"""What is known of the last work, in a file in scratch that every process of the agent reads and writes."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError


class State(BaseModel):
    """Times are seconds since 1970, 0 for never; sizes are bytes; None is not known."""

    model_config = ConfigDict(frozen=True)

    run_at: float = 0
    run_seconds: float = 0
    run_successful: bool | None = None
    run_error: str = ""
    success_at: float = 0
    uploaded_bytes: int = 0
    size: int = 0
    previous_size: int = 0
    files: int = 0
    newest_at: float = 0
    copies: int = 0
    destination: str = ""
    """The destination in words that `copies` and `newest_at` are of."""
    destination_up: bool | None = None
    verified_at: float = 0
    verify_successful: bool | None = None
    damaged: tuple[str, ...] = ()
    """Contents that a verification has seen to be damaged: the next backup uploads them again."""


def find_state_file(scratch: str) -> Path:
    """Where the state is."""
    return Path(scratch) / "state.json"


def read_state(scratch: str) -> State:
    """The state; what is not known where there is none or it cannot be read."""
    try:
        return State.model_validate_json(find_state_file(scratch).read_bytes())
    except (OSError, ValidationError):
        return State()


def change_state(scratch: str, **values: object) -> State:
    """Write some values; a reader sees the state before or after, and a full scratch changes nothing."""
    state = State.model_validate({**read_state(scratch).model_dump(), **values})
    path = find_state_file(scratch)
    draft = path.with_name(f"state.json.{os.getpid()}")
    with contextlib.suppress(OSError):
        draft.write_text(state.model_dump_json(), encoding="utf-8")
        draft.replace(path)
    return state
