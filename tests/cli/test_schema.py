"""The JSON Schemas say what the models say, and accept every YAML that is shipped."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from cli import schema
from cli.stack_file import PULUMI_KEYS
from cli.workspace import ROOT
from tests.support.yaml_files import read_yaml

SHIPPED = {
    "images.schema.json": ["configs/images.yaml"],
    "settings.schema.json": sorted(path.name for path in ROOT.glob("Pulumi.*.yaml")),
    "system.schema.json": sorted(str(p.relative_to(ROOT)) for p in (ROOT / "configs/systems").glob("*.yaml")),
}
FILES = [(name, file) for name, files in SHIPPED.items() for file in files]


@cache
def schemas() -> dict[str, dict[str, Any]]:
    """What the models say, which takes a while; nothing below changes it."""
    return schema.build_schemas()


def complaints(name: str, document: Any) -> list[str]:
    """What the schema of that name has against a document."""
    return [error.message for error in Draft202012Validator(schemas()[name]).iter_errors(document)]


def test_the_stored_schemas_are_up_to_date() -> None:
    """configs/schemas is what the models say now; `make golden` writes it."""
    assert schema.list_drift(ROOT) == []


@pytest.mark.parametrize("name", sorted(SHIPPED))
def test_each_schema_is_a_schema(name: str) -> None:
    """Every file is valid JSON Schema with a title, and says which draft it follows."""
    document = schemas()[name]
    Draft202012Validator.check_schema(document)
    assert document["$schema"] == schema.DRAFT
    assert document["title"]


def test_editors_know_the_keys_of_a_stacks_file() -> None:
    """The schema has those top-level keys that the commands take, and no other."""
    assert set(schemas()["settings.schema.json"]["properties"]) == set(PULUMI_KEYS)


@pytest.mark.parametrize(("name", "file"), FILES)
def test_shipped_files_are_accepted(name: str, file: str) -> None:
    """Every YAML that is shipped is valid for the schema that editors check it with."""
    assert complaints(name, read_yaml((ROOT / file).read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(("name", "file"), FILES)
def test_shipped_files_name_their_schema(name: str, file: str) -> None:
    """The first line of every YAML leads an editor to its schema by a relative path."""
    path = ROOT / file
    first = path.read_text(encoding="utf-8").split("\n", 1)[0]
    mark, _, target = first.partition("$schema=")
    assert mark == "# yaml-language-server: "
    assert (path.parent / target).resolve() == ROOT / schema.FOLDER / name


@pytest.mark.parametrize(
    ("config", "accepted"),
    [
        ({"observability:system": "plue", "observability:grafana": {"port": 3001}}, True),
        ({"observability:slack-webhook": {"secure": "v1:x"}, "docker:host": "tcp://a:1"}, True),
        ({"observability:sytem": "plue"}, False),
        ({"observability:demo": "yes"}, False),
        ({"observability:grafana": {"prot": 3001}}, False),
        ({"observability:slack-webhook": {"secure": "x", "more": 1}}, False),
    ],
)
def test_a_stack_file_is_checked_key_by_key(config: dict[str, Any], accepted: bool) -> None:
    """Settings are checked, other keys of the project must be encrypted, other namespaces are left alone."""
    assert (complaints("settings.schema.json", {"config": config, "encryptionsalt": "v1:x"}) == []) is accepted


def test_a_change_is_found_and_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """--check fails and names what is missing or different; a plain run writes it, and only once."""
    assert schema.main(["--check"], tmp_path) == 1
    assert "configs/schemas/system.schema.json is out of date" in capsys.readouterr().out
    assert schema.main([], tmp_path) == 0
    assert schema.main(["--check"], tmp_path) == 0
    (tmp_path / schema.FOLDER / "images.schema.json").write_text("{}")
    assert schema.write_files(tmp_path) == ["configs/schemas/images.schema.json"]


def test_pulumi_takes_every_default() -> None:
    """It refuses a project in which a default is of another type than its key says."""
    types = {"string": str, "boolean": bool, "object": dict, "array": list, "integer": int}
    settings = schema.build_project()["config"]
    said = {
        key: (entry["type"], entry["default"]) for key, entry in settings.items() if {"type", "default"} <= {*entry}
    }
    assert [key for key, (kind, default) in said.items() if type(default) is not types[kind]] == []
    assert {"versions", "demo", "baseUrl", "loki"} <= said.keys()
