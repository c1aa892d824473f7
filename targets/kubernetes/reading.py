"""Objects of a stack as the API server gives them back, read several at a time. All questions read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from kubernetes.client.exceptions import ApiException  # type: ignore[import-untyped]  # it publishes no types

from model.naming import LABEL
from targets.kubernetes.api import ask_api, ask_each
from targets.kubernetes.ownership import Reference


def read_objects(client: Any, references: Sequence[Reference]) -> dict[Reference, Any]:
    """Each object; None where there is none, and the API's words where it cannot be read."""
    return ask_each(references, lambda item: _ask(client, item.path))


def list_labelled(client: Any, references: Iterable[Reference], stack: str) -> tuple[list[Any], list[str]]:
    """Objects with the stack's label, of the kinds and namespaces of `references`, and what cannot be listed."""
    kinds = {(item.api, item.kind, item.namespace): item for item in references}
    query = [("labelSelector", f"{LABEL}.stack={stack}")]
    answers = ask_each(sorted(kinds), lambda key: _ask(client, kinds[key].path.rpartition("/")[0], query))
    listed, unread = [], []
    for (api, kind, namespace), answer in answers.items():
        if isinstance(answer, dict):
            listed += [{**item, "apiVersion": api, "kind": kind} for item in answer.get("items") or ()]
        elif answer is not None:
            where = f" in namespace {namespace}" if namespace else ""
            unread.append(f"whether there are others of {kind}{where} is not known: {answer}")
    return listed, unread


def _ask(client: Any, path: str, query: Sequence[tuple[str, str]] = ()) -> Any:
    try:
        return ask_api(client, path, query=query)
    except ApiException as error:
        return None if error.status == 404 else f"{error.status} {error.reason}"
