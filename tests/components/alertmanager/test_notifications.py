"""The texts of notifications, as documents; what they become is seen in tests/e2e/test_notifications.py."""

from __future__ import annotations

import re

import pytest

from components.alertmanager.notifications import (
    MARKUPS,
    inline_templates,
    reference_template,
    render_definitions,
    render_document,
)
from components.alertmanager.receivers import WRITERS


def test_every_text_is_in_the_document() -> None:
    """Title, address and a text for each markup, each once."""
    names = re.findall(r'define "observability\.(\w+)"', render_document())
    assert names == ["title", "url", *MARKUPS]


@pytest.mark.parametrize("name", MARKUPS)
def test_every_text_says_what_where_how_bad_and_since_when(name: str) -> None:
    """And, but for the shortest one, where to go from there."""
    text = render_definitions()[name]
    for part in (".Annotations.summary", ".Labels.service", ".Labels.severity", ".StartsAt.UTC", ".EndsAt.UTC"):
        assert part in text
    links = (".Annotations.runbook_url", ".Annotations.dashboard_url", "/#/silences/new?filter=")
    assert all((part in text) is (name != "short") for part in links)


def test_blocks_are_closed() -> None:
    """As many ends as there are beginnings."""
    text = render_document()
    assert len(re.findall(r"\{\{ (?:if|with|range|define) ", text)) == text.count("{{ end }}")


def test_templates_may_stand_where_they_are_used() -> None:
    """A field with its templates in it, each once; other texts are as they were."""
    text = inline_templates(f"<b>{reference_template('title')}</b> {reference_template('telegram')}")
    assert re.findall(r'define "observability\.(\w+)"', text) == ["title", "telegram"]
    assert inline_templates("plain {{ .Status }}") == "plain {{ .Status }}"


def test_receivers_use_texts_that_are_there() -> None:
    """There is a writer for each way, and none that Alertmanager would look for in vain."""
    assert {name for name, _ in WRITERS.values()} >= {"slack_configs", "msteamsv2_configs"}
    assert set(MARKUPS) == {"text", "mail", "html", "slack", "markdown", "teams", "telegram", "short"}
