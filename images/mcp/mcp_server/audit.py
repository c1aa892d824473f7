"""One JSON line for each call, on the standard output: who, which tool, arguments, how it ended, size and time.

The container's log brings it to Loki. Over stdio that stream belongs to the protocol, and the line goes to the
standard error.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TextIO

from mcp_server.text import clean_text, mask_secrets

LONGEST = 500
"""Characters of one argument's value in a line."""
MOST = 20
"""Arguments in a line."""
_stream: TextIO = sys.stdout


def direct_audit(stream: TextIO) -> None:
    """Write lines to another stream."""
    global _stream  # noqa: PLW0603 - one stream for the process, chosen once at its start
    _stream = stream


def write_audit(
    *, who: str, tool: str, arguments: Mapping[str, Any], result: str, complete: bool, size: int, seconds: float
) -> None:
    """Write the line of a call; `size` is the answer's in bytes."""
    shown = {clean_text(str(key), 60): _show_value(value) for key, value in list(arguments.items())[:MOST]}
    line = {
        "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "level": "info" if result == "answered" else "warn",
        "msg": "tool call",
        "who": who,
        "tool": tool,
        "arguments": shown,
        "result": result,
        "complete": complete,
        "bytes": size,
        "seconds": round(seconds, 3),
    }
    print(json.dumps(line, ensure_ascii=False), file=_stream, flush=True)


def _show_value(value: Any) -> Any:
    if isinstance(value, (bool, int, float)) or value is None:
        return value
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return mask_secrets(clean_text(text, LONGEST))
