"""A measurement as a picture."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from bench.picture import draw_growth

CURVES = {"few": [(10.0, 0.02), (1000.0, 0.5)], "many": [(1000.0, 0.1), (100_000.0, 2.5)]}


def test_every_point_is_in_the_picture() -> None:
    """It is an SVG that asks nobody for anything, with a dot for each figure and the limit beside the curves."""
    text = draw_growth(CURVES, 3.0)
    assert ElementTree.fromstring(text).tag == "{http://www.w3.org/2000/svg}svg"  # noqa: S314 - our own
    assert len(re.findall(r'<circle [^>]*class="dot', text)) >= 4 and "limit 3 s" in text
    assert "<script xlink" not in text and not re.search(r'(?:href|src)="', text)
