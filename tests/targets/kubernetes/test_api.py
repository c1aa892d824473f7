"""Questions to the API server: read-only, bounded in time, and answered as plain data."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

from targets.kubernetes.api import SECONDS, ask_api, ask_each


class Api:
    """An API server that remembers how it was asked."""

    def __init__(self) -> None:
        self.options: dict[str, Any] = {}

    def call_api(self, path: str, method: str, **options: Any) -> Any:
        """The path, as JSON."""
        self.options = {"method": method, **options}
        return SimpleNamespace(data=json.dumps({"path": path}))


def test_a_question_changes_nothing_and_ends() -> None:
    """It is a GET, which the server has so many seconds for."""
    api = Api()
    assert ask_api(api, "/api/v1/pods", query=[("limit", "1")]) == {"path": "/api/v1/pods"}
    assert (api.options["method"], api.options["_request_timeout"]) == ("GET", SECONDS)
    assert api.options["query_params"] == [("limit", "1")]


def test_each_answer_stands_at_its_question() -> None:
    """However many are on their way at a time."""
    assert ask_each([3, 1, 2], lambda number: number * 10) == {3: 30, 1: 10, 2: 20}
