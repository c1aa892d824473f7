"""Prometheus' templates in the texts of alerts, for readers who see the text without an alert.

Format: https://prometheus.io/docs/prometheus/latest/configuration/template_reference/.
"""

from __future__ import annotations

import re

_TEMPLATE = re.compile(r"\{\{ *(?:printf \S+ )?\$(?:labels\.)?(\w+)[^}]*\}\}")


def fill_templates(text: str, quote: str = "") -> str:
    """A text with `<label>` in the place of each template, or `<value>`, between quotes where some are given."""
    return _TEMPLATE.sub(rf"{quote}<\1>{quote}", text)
