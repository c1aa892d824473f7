"""Log lines and what they cost."""

from __future__ import annotations

import pytest

from mcp_server.loglines import list_selectors


@pytest.mark.parametrize(
    ("query", "selectors"),
    [
        ('{a="b"} |= "x"', ['{a="b"}']),
        ('{a="}"} | line_format "{{.x}}"', ['{a="}"}']),
        ("{a=`{}`} | json", ["{a=`{}`}"]),
        ('sum(rate({a="1"}[5m])) / sum(rate({a="2"}[5m]))', ['{a="1"}', '{a="2"}']),
        ('{a="\\"}"}', ['{a="\\"}"}']),
        ("rate(up[5m])", []),
        ('{a="b"', []),
    ],
)
def test_selectors_are_those_outside_of_quotes(query: str, selectors: list[str]) -> None:
    """What a query costs is what its selectors match; braces of templates and values are none."""
    assert list_selectors(query) == selectors
