"""Statements about a line; tests/e2e/test_levels.py shows what the collector itself makes of lines by them."""

from __future__ import annotations

import json
import re

from components.collector.statements import PAIR, build_groups
from components.lines.reading import Reading


def test_services_that_are_read_alike_share_a_group() -> None:
    """Each line is compared with each group, so a thousand services must not make a thousand of them."""
    odd = Reading(labels=("component",))
    made = build_groups({f"s{number}": odd if number % 2 else Reading() for number in range(6)}, Reading())
    first, usual, text = (group["conditions"][0] for group in made)
    assert "^(?:s1|s3|s5)$" in first and usual.startswith("not IsMatch") and text == 'log.attributes["level"] == nil'


def test_text_is_searched_for_its_level_alone() -> None:
    """Lines of text without an expression have no fields, even those that look like JSON."""
    assert len(build_groups({}, Reading(format="text", fields=()))) == 1


def test_the_first_name_of_a_level_counts() -> None:
    """Each statement overwrites the one before, so that the first is set last."""
    (group, _) = build_groups({}, Reading(level_field="sev"))
    sets = [each for each in group["statements"] if each.startswith('set(log.cache["level"], log.cache["line"]')]
    assert '["sev"]' in sets[-1] and '["level"]' in sets[-2]


def test_a_line_of_logfmt_is_json() -> None:
    """Words that are no pairs are left out, and a quoted value may have spaces and quotes in it."""
    line = 'level=info it\'s msg="a \\"b\\" c" empty= done'
    pairs = re.sub(PAIR, lambda match: f'"{match[1] or ""}":"{match[2] or match[3] or ""}",', line)
    made = json.loads(f'{{{pairs}"":""}}')
    assert made == {"level": "info", "msg": 'a "b" c', "empty": "", "": ""}
