"""How documents are written: one way for all components, so that the same content is always the same text."""

from __future__ import annotations

from typing import Any

import yaml


def dump(document: Any) -> str:
    """A document as YAML, keys in the order written."""
    return yaml.safe_dump(document, sort_keys=False, width=120, allow_unicode=True)
