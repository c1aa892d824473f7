"""YAML by libyaml, which reads and writes the large documents of a stack about ten times as fast as pure Python."""

from __future__ import annotations

from typing import Any

import yaml


def read_yaml(text: str) -> Any:
    """The one document of a text, as `yaml.safe_load` reads it."""
    return yaml.load(text, Loader=yaml.CSafeLoader)


def read_yaml_documents(text: str) -> list[Any]:
    """All documents of a text; None for each that is empty."""
    return list(yaml.load_all(text, Loader=yaml.CSafeLoader))


def write_yaml(document: Any) -> str:
    """A document as `yaml.safe_dump` writes it, keys in the order given."""
    return str(yaml.dump(document, Dumper=yaml.CSafeDumper, sort_keys=False))
