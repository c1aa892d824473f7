"""What Promtail makes of a line: its level, the fields that become labels, those stored beside it.

Stages: https://grafana.com/docs/loki/latest/send-data/promtail/stages/.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from components.lines.levels import LEVEL_FIELDS, TEXT_GROUPS, TEXT_LEVEL
from components.lines.reading import Reading, group_readings
from components.promtail.levels import SERILOG, build_level_stage
from model.base import derive_label_name
from model.expressions import list_groups
from model.lines import IDS


def build_stages(readings: Mapping[str, Reading], usual: Reading | None = None) -> list[dict[str, Any]]:
    """The stages for lines of services that say how they are read, by name, and of all others.

    Services that are read alike share a stage, as each line is compared with each stage. A line whose level is
    nowhere else is searched for it as text.
    """
    usual = usual or Reading()
    special = group_readings(readings, usual)
    known = sorted(service for services in special.values() for service in services)
    matched = [_build_match_stage(f'{{service=~"{"|".join(services)}"}}', how) for how, services in special.items()]
    rest = f', service!~"{"|".join(known)}"' if known else ""
    matched.append(_build_match_stage(f'{{job=~".+"{rest}}}', usual))
    text = [{"regex": {"expression": TEXT_LEVEL}}, build_level_stage(TEXT_GROUPS), {"labels": {"level": None}}]
    unread = {"match": {"selector": '{job=~".+", level=""}', "stages": text}}
    return [*(stage for stage in matched if stage), unread]


def _build_match_stage(selector: str, how: Reading) -> dict[str, Any]:
    """The stage for lines of a selector; empty where they have no fields."""
    if how.format == "text" and not how.expression:
        return {}
    begins = {"json": r' |~ "^\\s*\\{"', "logfmt": r' |~ "\\w="', "text": ""}[how.format]
    build = {"json": build_json_stages, "logfmt": build_logfmt_stages, "text": build_text_stages}[how.format]
    stages = [*build(how), {"labels": {derive_label_name(name): None for name in ("level", *how.labels)}}]
    if how.fields:
        stages.append({"structured_metadata": {derive_label_name(name): None for name in how.fields}})
    return {"match": {"selector": f"{selector}{begins}", "stages": stages}}


def build_json_stages(how: Reading) -> list[dict[str, Any]]:
    """The fields of a JSON line. A name with a dot is one key, or leads into an object, as ECS has both.

    Source: https://jmespath.org/specification.html
    """
    looked = [*([how.level_field] if how.level_field else []), *LEVEL_FIELDS]
    expressions = {
        derive_label_name(name): " || ".join(map(quote_key, IDS.get(name, (name,))))
        for name in (*how.labels, *how.fields)
    }
    level = " || ".join([*map(quote_key, looked), SERILOG])
    ids = [build_id_stage(name, [name]) for name in how.fields if name in IDS]
    return [{"json": {"expressions": {**expressions, "level": level}}}, build_level_stage(("level",)), *ids]


def quote_key(name: str) -> str:
    """A field of JSON as an expression of JMESPath."""
    quoted = json.dumps(name)
    return f"{quoted} || {'.'.join(map(json.dumps, name.split('.')))}" if "." in name else quoted


def build_logfmt_stages(how: Reading) -> list[dict[str, Any]]:
    """The fields of a logfmt line; the level is in the first of several keys that the line has, as are ids."""
    looked = list(dict.fromkeys([*([how.level_field] if how.level_field else []), *LEVEL_FIELDS]))
    sources = {f"level_{number}": name for number, name in enumerate(looked)}
    mapping = {derive_label_name(name): name for name in (*how.labels, *how.fields) if name not in IDS}
    stages = [build_level_stage(tuple(sources))]
    for name in (name for name in how.fields if name in IDS):
        keys = {f"{name}_{number}": key for number, key in enumerate(IDS[name])}
        mapping |= keys
        stages.append(build_id_stage(name, list(keys)))
    return [{"logfmt": {"mapping": {**mapping, **sources}}}, *stages]


def build_text_stages(how: Reading) -> list[dict[str, Any]]:
    """The fields of a line of text: the groups of an expression, which the line need not match."""
    groups = list_groups(how.expression)
    levels = [how.level_field] if how.level_field else [name for name in LEVEL_FIELDS if name in groups]
    ids = [
        build_id_stage(name, [group for group in groups if group in IDS[name]]) for name in how.fields if name in IDS
    ]
    level = [build_level_stage(levels)] if levels else []
    return [{"regex": {"expression": how.expression}}, *level, *ids]


def build_id_stage(name: str, sources: Sequence[str]) -> dict[str, Any]:
    """The stage that makes an id of the first source that is not empty; zeros stand for none, as OpenTelemetry has it.

    Source: https://www.w3.org/TR/trace-context/#trace-id
    """
    first = " ".join(f".{source}" for source in sources)
    template = f'{{{{ $id := or {first} "" }}}}{{{{ if trimAll "0" $id }}}}{{{{ $id }}}}{{{{ end }}}}'
    return {"template": {"source": name, "template": template}}
