"""What a dashboard asks when it is opened."""

from __future__ import annotations

from tests.support.panels import list_queries


def test_all_of_a_variable_is_what_the_dashboard_says() -> None:
    """A dashboard of some services asks for those alone; without a word of it, all is everything."""
    named = [{"name": "service", "allValue": "milvus|rag-api"}, {"name": "environment"}]
    target = {"expr": 'up{service=~"$service", environment=~"${environment}"}'}
    board = {"templating": {"list": named}, "panels": [{"title": "Up", "type": "stat", "targets": [target]}]}
    assert list_queries(board) == [("Up", "prometheus", 'up{service=~"milvus|rag-api", environment=~".*"}')]
