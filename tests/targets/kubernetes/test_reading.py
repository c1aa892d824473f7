"""Objects are read as they are, and what cannot be read is said."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
from kubernetes.client.exceptions import ApiException  # type: ignore[import-untyped]  # it publishes no types

from targets.kubernetes.ownership import Reference
from targets.kubernetes.reading import list_labelled, read_objects

ITEM = Reference("v1", "Service", "monitoring-dev", "loki")


class Api:
    """A cluster that answers each question alike."""

    def __init__(self, answer: Any) -> None:
        self.answer, self.calls = answer, list[tuple[str, Any]]()

    def call_api(self, path: str, method: str, **options: Any) -> Any:
        """One question."""
        self.calls.append((path, options["query_params"]))
        if isinstance(self.answer, int):
            raise ApiException(status=self.answer, reason="no")
        return SimpleNamespace(data=json.dumps(self.answer))


@pytest.mark.parametrize(("answer", "expected"), [({"a": 1}, {"a": 1}), (404, None), (403, "403 no")])
def test_an_object_is_itself_nothing_or_a_reason(answer: Any, expected: Any) -> None:
    """What is not there is no error; what may not be read is one, in the API's words."""
    assert read_objects(Api(answer), [ITEM]) == {ITEM: expected}


def test_objects_are_listed_by_the_label_of_the_stack() -> None:
    """Once for each kind and namespace, with the kind that lists leave out."""
    api = Api({"items": [{"metadata": {"name": "x"}}]})
    other = Reference("v1", "Service", "monitoring-dev", "other")
    listed, unread = list_labelled(api, [ITEM, other], "dev")
    assert listed == [{"metadata": {"name": "x"}, "apiVersion": "v1", "kind": "Service"}] and unread == []
    assert api.calls == [
        ("/api/v1/namespaces/monitoring-dev/services", [("labelSelector", "io.observability.stack=dev")])
    ]
    assert list_labelled(Api(404), [ITEM], "dev") == ([], [])
    (said,) = list_labelled(Api(403), [ITEM], "dev")[1]
    assert said == "whether there are others of Service in namespace monitoring-dev is not known: 403 no"
