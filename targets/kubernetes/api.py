"""Questions to the API server whose answers are plain data: types of the client's own would cost seconds."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")
SECONDS = 4
"""How long the cluster may take for an answer before it counts as unreachable."""
AT_ONCE = 8
"""Questions on their way at a time: a stack has some 150 objects, and a cluster may be 50 ms away."""


def ask_api(
    client: Any,
    path: str,
    *,
    accept: str = "application/json",
    query: Sequence[tuple[str, str]] = (),
    seconds: int = SECONDS,
) -> Any:
    """What the API server answers to a GET of a path, for which it has so many seconds.

    Raises:
        kubernetes.client.exceptions.ApiException: it refuses, or there is no such thing (status 404).
    """
    answer = client.call_api(
        path,
        "GET",
        query_params=[*query],
        header_params={"Accept": accept},
        auth_settings=["BearerToken"],
        _preload_content=False,
        _return_http_data_only=True,
        _request_timeout=seconds,
    )
    return json.loads(answer.data)


def ask_each(keys: Sequence[Key], ask: Callable[[Key], Value]) -> dict[Key, Value]:
    """The answer to each of several questions, some of which are on their way at a time."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return dict(zip(keys, pool.map(ask, keys), strict=True))
