"""Templates in texts of alerts become words."""

from __future__ import annotations

import pytest

from model.templates import fill_templates


@pytest.mark.parametrize(
    ("template", "shown"),
    [
        ("a {{ $labels.instance }} b", "a <instance> b"),
        ("{{ $value | humanize }} x", "<value> x"),
        ('{{ printf "%.3g" $value }} s', "<value> s"),
    ],
)
def test_templates_become_words(template: str, shown: str) -> None:
    """Nobody fills a template in a runbook."""
    assert fill_templates(template) == shown
    assert fill_templates(template, "`") == shown.replace("<", "`<").replace(">", ">`")
