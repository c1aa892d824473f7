"""How documents are written: one way for all components, so that the same content is always the same text."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import yaml

_TEXT = "tag:yaml.org,2002:str"
_BASE: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
"""libyaml where it is there: the same text, ten times as fast, which thousands of targets need."""


class _Dumper(_BASE):  # type: ignore[misc]  # its base is chosen at run time
    """Takes text as it is, without a look at what else it might be: most of a document is text."""

    def represent_data(self, data: Any) -> yaml.Node:
        return yaml.ScalarNode(_TEXT, data) if type(data) is str else super().represent_data(data)


def render_yaml(document: Any) -> str:
    """A document as YAML, keys in the order written."""
    text: str = yaml.dump(document, Dumper=_Dumper, sort_keys=False, width=120, allow_unicode=True)
    return text


def render_yaml_documents(documents: Iterable[Any]) -> str:
    """Several documents in one text, each begun where it is not the first by a line of three dashes."""
    text: str = yaml.dump_all(documents, Dumper=_Dumper, sort_keys=False, width=120)
    return text
