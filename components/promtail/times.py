"""When a line of a file was written, as it says itself: without that, what was written while Promtail was away is late.

Stage: https://grafana.com/docs/loki/latest/send-data/promtail/stages/timestamp/.
"""

from __future__ import annotations

import json
from typing import Any

from components.lines.times import UNREAD, build_beginning
from components.promtail.pipeline import quote_key
from model.expressions import list_groups
from model.lines import TIME_FIELDS, LineFormat, LineTime

RFC3339 = "2006-01-02T15:04:05Z07:00"


def build_time_stages(how: LineTime, line_format: LineFormat, expression: str | None = None) -> list[dict[str, Any]]:
    """The stages that give lines their own time, and mark those that have none.

    They come after those that read the groups of an expression.
    """
    fields = (how.field,) if how.field else TIME_FIELDS
    sources = []
    stages: list[dict[str, Any]] = []
    if line_format == "json":
        stages.append({"json": {"expressions": {"time_field": " || ".join(map(quote_key, fields))}}})
        sources = ["time_field"]
    elif line_format == "logfmt":
        sources = [f"time_{number}" for number in range(len(fields))]
        stages.append({"logfmt": {"mapping": dict(zip(sources, fields, strict=True))}})
    sources += [name for name in fields if name in list_groups(expression)]
    if not how.field:
        stages.append({"regex": {"expression": build_beginning(how)}})
        sources.append("time_text")
    unread = {"source": UNREAD, "template": "{{ if not .time_own }}reading{{ end }}"}
    return [
        *stages,
        {"template": {"source": "time_own", "template": _render_own_time(how, sources)}},
        build_timestamp_stage(how),
        {"template": unread},
        {"structured_metadata": {UNREAD: None}},
    ]


def build_timestamp_stage(how: LineTime) -> dict[str, Any]:
    """The stage that sets a line's time; where there is none it leaves the time of reading, and does not guess."""
    layouts = {"format": how.layout} if how.layout else {"format": "Unix", "fallback_formats": ["RFC3339Nano"]}
    zone = {"location": how.zone} if how.zone else {}
    return {"timestamp": {"source": "time_own", **layouts, **zone, "action_on_failure": "skip"}}


def _render_own_time(how: LineTime, sources: list[str]) -> str:
    """A template for the first time of a line, empty where that is none.

    A number is since 1970 by its digits, and becomes seconds: what is neither of these could be a duration, and as a
    time it would be so old that Loki refuses it.
    """
    first = f'{{{{ $raw := or {" ".join(f".{source}" for source in sources)} "" }}}}'
    if how.layout:
        return f"{first}{{{{ if not (toDate {json.dumps(how.layout)} $raw).IsZero }}}}{{{{ $raw }}}}{{{{ end }}}}"
    digits = '"^([1-9][0-9]{9})([0-9]{3}|[0-9]{6}|[0-9]{9})([.][0-9]+)?$" $raw "${1}.${2}"'
    spaced = '(regexReplaceAll "^([0-9-]{10})[ t]" $raw "${1}T")'
    offset = f'(regexReplaceAll "([+-][0-9]{{2}})([0-9]{{2}})$" {spaced} "${{1}}:${{2}}")'
    return (
        f"{first}{{{{ $number := regexReplaceAll {digits} }}}}{{{{ $text := {offset} | upper }}}}"
        '{{ if regexMatch "^[1-9][0-9]{9}([.][0-9]+)?$" $number }}{{ $number }}'
        f'{{{{ else if not (toDate "{RFC3339}" $text).IsZero }}}}{{{{ $text }}}}{{{{ end }}}}'
    )
