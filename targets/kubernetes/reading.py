"""Objects of a stack as the API server gives them back, read several at a time. All questions read."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from kubernetes.client.exceptions import ApiException  # type: ignore[import-untyped]  # it publishes no types

from model.naming import LABEL
from targets.kubernetes.ownership import AT_ONCE, SECONDS, Reference


def read_objects(client: Any, references: Sequence[Reference]) -> dict[Reference, Any]:
    """Each object; None where there is none, and the API's words where it cannot be read."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = pool.map(lambda item: _ask(client, item.path), references)
        return dict(zip(references, answers, strict=True))


def list_labelled(client: Any, references: Iterable[Reference], stack: str) -> tuple[list[Any], list[str]]:
    """Objects with the stack's label, of the kinds and namespaces of `references`, and what cannot be listed."""
    kinds = {(item.api, item.kind, item.namespace): item for item in references}
    paths = {key: item.path.rpartition("/")[0] for key, item in sorted(kinds.items())}
    query = [("labelSelector", f"{LABEL}.stack={stack}")]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = dict(zip(paths, pool.map(lambda path: _ask(client, path, query), paths.values()), strict=True))
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
        answer = client.call_api(
            path,
            "GET",
            query_params=[*query],
            header_params={"Accept": "application/json"},
            auth_settings=["BearerToken"],
            _preload_content=False,
            _return_http_data_only=True,
            _request_timeout=SECONDS,
        )
    except ApiException as error:
        return None if error.status == 404 else f"{error.status} {error.reason}"
    return json.loads(answer.data)
