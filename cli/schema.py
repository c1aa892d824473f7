"""Pulumi.yaml, the JSON Schemas for editors, the reference and the runbooks, made from the models.

`python -m cli.schema` writes them, `--check` fails when they differ.

Every YAML that people write names its schema in its first line, so that an editor completes keys and shows what they
mean. Format: https://json-schema.org/draft/2020-12/schema.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from cli import reference, runbooks
from cli.workspace import PROJECT, ROOT
from model.descriptions import list_descriptions
from model.images import ImagesFile
from model.settings import ComponentSettings
from stack import registry

DRAFT = "https://json-schema.org/draft/2020-12/schema"
FOLDER = Path("configs/schemas")
SECRET = {
    "title": "Secret",
    "description": "A secret of the stack, as `pulumi config set --secret` writes it.",
    "type": "object",
    "properties": {"secure": {"type": "string", "description": "The encrypted value."}},
    "required": ["secure"],
    "additionalProperties": False,
}


def build_schemas() -> dict[str, dict[str, Any]]:
    """Every schema by the name of its file."""
    return {
        "images.schema.json": _build_file_schema(ImagesFile, "configs/images.yaml"),
        "settings.schema.json": build_stack_file_schema(),
        "system.schema.json": _build_file_schema(registry.build_system_model(), "configs/systems/<system>.yaml"),
    }


def _build_file_schema(model: type[BaseModel], title: str) -> dict[str, Any]:
    """The schema of a file that holds one model."""
    return {"$schema": DRAFT, **model.model_json_schema(by_alias=True), "title": title}


def build_stack_file_schema() -> dict[str, Any]:
    """The schema of a whole Pulumi.<stack>.yaml: settings, secrets, and what Pulumi itself keeps there.

    Format: https://www.pulumi.com/docs/iac/concepts/projects/stack-settings-file/.
    """
    settings = registry.build_settings_model().model_json_schema(by_alias=True)
    keys = settings["properties"]
    other = f"^{PROJECT}:(?!({'|'.join(sorted(keys))})$)"
    return {
        "$schema": DRAFT,
        "title": "Pulumi.<stack>.yaml",
        "description": "Everything an environment decides, and its encrypted secrets.",
        "$defs": settings["$defs"],
        "type": "object",
        "properties": {
            "config": {
                "type": "object",
                "description": "Settings and secrets; keys of other namespaces belong to Pulumi's providers.",
                "properties": {f"{PROJECT}:{key}": value for key, value in keys.items()},
                "patternProperties": {other: SECRET, f"^(?!{PROJECT}:)": {}},
                "additionalProperties": False,
            },
            "secretsprovider": {"type": "string", "description": "Where the key that encrypts secrets is kept."},
            "encryptionsalt": {"type": "string", "description": "Salt of the passphrase; written by Pulumi."},
            "encryptedkey": {"type": "string", "description": "Encrypted data key; written by Pulumi."},
            "environment": {"description": "Pulumi ESC environments to import."},
        },
        "additionalProperties": False,
    }


def build_project() -> dict[str, Any]:
    """Pulumi.yaml as a dict: the project, and every setting with its type, description and default.

    Format: https://www.pulumi.com/docs/iac/concepts/projects/project-file/.
    """
    model = registry.build_settings_model()
    said = list_descriptions(model)
    return {
        "name": PROJECT,
        "description": "A complete, hardened monitoring stack for any system, from YAML alone.",
        "runtime": {"name": "python", "options": {"toolchain": "uv", "virtualenv": ".venv"}},
        # what was removed or stopped by hand is seen, and put back, by the next run
        "options": {"refresh": "always"},
        "config": {
            field.alias or name: _build_setting(said[name] or name, field) for name, field in model.model_fields.items()
        },
    }


def _build_setting(text: str, field: FieldInfo) -> dict[str, Any]:
    default = field.get_default(call_default_factory=True)
    entry: dict[str, Any] = {"description": text}
    if isinstance(default, BaseModel):
        # Pulumi takes one type or any; where a word may stand for a section, the program's own check is the judge
        kind = {} if isinstance(default, ComponentSettings) and default.SHORT else {"type": "object"}
        return {**kind, **entry, "default": {}}
    if isinstance(default, Mapping):
        return {"type": "object", **entry, "default": dict(default)}
    entry = {"type": "boolean" if isinstance(default, bool) else "string", **entry}
    return entry if field.is_required() else {**entry, "default": default}


@cache
def render_files() -> dict[Path, str]:
    """Everything that is made from the models: path below the checkout, and text."""
    made = {FOLDER / name: render_schema(schema) for name, schema in build_schemas().items()}
    head = "# Written by `python -m cli.schema` from the settings' models; change those.\n"
    made[Path("Pulumi.yaml")] = head + yaml.safe_dump(build_project(), sort_keys=False, width=110, allow_unicode=True)
    return made | reference.render_pages() | runbooks.render_pages()


def render_schema(schema: Mapping[str, Any]) -> str:
    """A schema as the text of its file."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def list_drift(root: Path, made: Mapping[Path, str] | None = None) -> list[str]:
    """The made files below `root` that are not what the models say, by path; those that should not be there as well."""
    made = render_files() if made is None else made
    stale = [
        str(path)
        for path, expected in made.items()
        if not (root / path).is_file() or (root / path).read_text(encoding="utf-8") != expected
    ]
    pages = (path.relative_to(root) for path in sorted((root / runbooks.FOLDER).rglob("*.md")))
    return stale + [str(page) for page in pages if page not in made]


def write_files(root: Path) -> list[str]:
    """Writes the files that differ, removes those that should not be there, and returns the paths of both."""
    made = render_files()
    changed = list_drift(root, made)
    for name in changed:
        path = root / name
        if expected := made.get(Path(name)):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(expected, encoding="utf-8")
        else:
            path.unlink()
    return changed


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    """Writes the schemas, or with --check only tells which are out of date; 1 when there are any."""
    parser = argparse.ArgumentParser(prog="cli.schema", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail when a schema is out of date")
    if parser.parse_args(arguments).check:
        for path in (stale := list_drift(root)):
            print(f"{path} is out of date; write it with: python -m cli.schema")
        return 1 if stale else 0
    for path in write_files(root):
        print(f"{path} written")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
