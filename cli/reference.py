"""docs/settings.md and docs/system.md: every key that a stack's and a system's file may have, made from the models.

A section of a page is a model; its heading is the first place that has one, such as `alertmanager.receivers[]`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from cli.workspace import PROJECT
from model.descriptions import list_descriptions
from model.scope import TARGETS, OnlyOn
from model.settings import ComponentSettings
from stack import registry

HEAD = "<!-- Written by `python -m cli.schema` from the models; change those. -->\n"
SETTINGS, SYSTEM = Path("docs/settings.md"), Path("docs/system.md")
_INTRO = {
    SETTINGS: f"Keys of `config` in `Pulumi.<stack>.yaml`, each written as `{PROJECT}:KEY`.\n"
    "A setting that has no effect on the stack's target is refused.",
    SYSTEM: "Keys of `configs/systems/<system>.yaml`.",
}
_TOP = "Top level"


@dataclass(frozen=True)
class Section:
    """A model with the place of its first use in the file, and the targets on which that place has an effect."""

    path: str
    model: type[BaseModel]
    targets: tuple[str, ...]

    @property
    def title(self) -> str:
        """Its heading."""
        return f"`{self.path}`" if self.path else _TOP


def render_pages() -> dict[Path, str]:
    """The text of both pages, by path below the checkout."""
    models: dict[Path, type[BaseModel]] = {
        SETTINGS: registry.build_settings_model(),
        SYSTEM: registry.build_system_model(),
    }
    return {path: render_page(path, model) for path, model in models.items()}


def render_page(path: Path, model: type[BaseModel]) -> str:
    """The page of a file's model."""
    listed = list_sections(model)
    by_model = {each.model: each for each in listed}
    title = "Settings of a stack" if path == SETTINGS else "Keys of a system"
    lines = [HEAD, f"# {title}", "", _INTRO[path], ""]
    for each in listed:
        lines += [f"## {each.title}", "", *_describe_section(each), *render_table(each, by_model), ""]
    return "\n".join(lines).rstrip() + "\n"


def list_sections(model: type[BaseModel]) -> list[Section]:
    """The model and all that its fields are made of, each once, in the order of the file."""
    made: list[Section] = []
    waiting = [Section("", model, TARGETS)]
    while waiting:
        each = waiting.pop(0)
        if each.model in {other.model for other in made}:
            continue
        made.append(each)
        below = [Section(*scope) for scope in _list_below(each)]
        waiting = below + waiting
    return made


def _list_below(section: Section) -> Iterator[tuple[str, type[BaseModel], tuple[str, ...]]]:
    for name, field in section.model.model_fields.items():
        path = ".".join(part for part in (section.path, field.alias or name) if part)
        for model, steps in find_nested_models(field.annotation):
            yield f"{path}{steps}", model, list_targets(field, section)


def find_nested_models(kind: Any, steps: str = "") -> Iterator[tuple[type[BaseModel], str]]:
    """The models in a type, each with the steps that lead to it: `[]` into a list, `.<name>` into a mapping."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        yield kind, steps
        return
    origin = getattr(kind, "__origin__", None)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        steps += ".<name>"
    elif origin in (tuple, list) or getattr(origin, "__name__", "") == "Sequence":
        steps += "[]"
    for part in get_args(kind):
        yield from find_nested_models(part, steps)


def list_targets(field: FieldInfo, section: Section) -> tuple[str, ...]:
    """The targets on which a field has an effect."""
    marks = [mark.target for mark in field.metadata if isinstance(mark, OnlyOn)]
    return tuple(name for name in section.targets if not marks or name in marks)


def _describe_section(section: Section) -> Iterator[str]:
    """What a section is, where its model says so, and words that may stand for it."""
    if section.path and section.model.__doc__:
        yield from (format_prose(section.model.__doc__), "")
    if issubclass(section.model, ComponentSettings) and (short_forms := section.model.SHORT):
        yield from (
            f"One word may stand for the section: {', '.join(f'`{word}`' for word in sorted(short_forms))}.",
            "",
        )


def render_table(section: Section, by_model: Mapping[type[BaseModel], Section]) -> Iterator[str]:
    """A row for each key of a section that has an effect on some target."""
    if not section.model.model_fields:
        yield "It has no keys."
        return
    nodes, said = build_properties(section.model), list_descriptions(section.model)
    yield "| key | type | default | targets | what it is |"
    yield "|---|---|---|---|---|"
    for name, field in section.model.model_fields.items():
        has = list_targets(field, section)
        if not has:
            continue
        node = nodes[field.alias or name]
        links = [format_link(by_model[model]) for model, _ in dict.fromkeys(find_nested_models(field.annotation))]
        cells = [f"`{field.alias or name}`", format_type(node, links), format_default(field, node)]
        cells += ["all" if has == TARGETS else ", ".join(has), format_prose(said[name])]
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def format_prose(text: str) -> str:
    """A docstring on one line of Markdown, in which `<name>` is text and no HTML."""
    return re.sub(r"<(?=\w)", r"\\<", " ".join(text.split()))


@cache
def build_properties(model: type[BaseModel]) -> Mapping[str, Mapping[str, Any]]:
    """The JSON Schema of each key of a model; of one which contains itself it is a reference."""
    schema = model.model_json_schema(by_alias=True)
    if "$ref" in schema:
        schema = schema["$defs"][schema["$ref"].rpartition("/")[2]]
    for form in (schema, *schema.get("anyOf", ())):  # a word may stand for some sections
        if "properties" in form:
            return dict(form["properties"])
    return {}


def format_link(section: Section) -> str:
    """A link to a section's heading, by the anchor that GitHub gives it."""
    return f"[`{section.path}`](#{re.sub('[^a-z0-9 -]', '', section.path.lower()).replace(' ', '-')})"


def format_type(node: Mapping[str, Any], links: list[str]) -> str:
    """The type of a JSON Schema in words, with links to the sections that it is made of, in their order."""
    if "$ref" in node:
        return links.pop(0) if links else "section"
    if "anyOf" in node:
        kinds = [format_type(each, links) for each in node["anyOf"] if each.get("type") != "null"]
        return " or ".join(dict.fromkeys(kinds))
    if "enum" in node:
        return ", ".join(f"`{json.dumps(each).strip(chr(34))}`" for each in node["enum"])
    if node.get("type") == "array":
        return f"list of {format_type(node.get('items', {}), links)}"
    if node.get("type") == "object":
        values = [node.get("additionalProperties"), *(node.get("patternProperties") or {}).values()]
        kinds = [format_type(each, links) for each in values if isinstance(each, Mapping)]
        return f"map of {kinds[0]}" if kinds else "map"
    return str(node.get("const") or node.get("type") or "any")


def format_default(field: FieldInfo, node: Mapping[str, Any]) -> str:
    """The default as YAML writes it; empty where the key is absent or a section of its own has defaults."""
    if field.is_required():
        return "required"
    default = node.get("default")
    if default is None or isinstance(field.get_default(call_default_factory=True), BaseModel):
        return ""
    return f"`{json.dumps(default, ensure_ascii=False)}`"
