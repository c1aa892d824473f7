"""Which lines are one entry, as Promtail joins them: a stack trace and the line before it.

Stage: https://grafana.com/docs/loki/latest/send-data/promtail/stages/multiline/.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from components.lines.joining import WHOLE_JSON, build_first_line, group_joined
from model.lines import LineFormat, Multiline
from model.logs import Logs


def build_joined(how: Multiline, line_format: LineFormat, selector: str) -> dict[str, Any]:
    """The stage that joins the lines of a selector such as `{service=~"api"}`.

    It is the first of a pipeline: the stage drops what others stored beside the line, and a `match` before it would
    let lines overtake each other.
    """
    among = f" !~ {json.dumps(WHOLE_JSON)}" if line_format == "json" else ""
    stage = {"firstline": build_first_line(how, line_format), "max_lines": how.max_lines, "max_wait_time": how.max_wait}
    return {"match": {"selector": f"{selector}{among}", "stages": [{"multiline": stage}]}}


def build_joining_stages(services: Mapping[str, Logs]) -> list[dict[str, Any]]:
    """The stages for the lines of services, by name; those that are read alike share one, as with all other stages."""
    return [
        build_joined(how, line_format, f'{{service=~"{"|".join(names)}"}}')
        for (how, line_format), names in group_joined(services).items()
    ]
