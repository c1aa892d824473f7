"""Objects of a cluster's API that another program reads: an operator, or what loads dashboards."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from model.errors import Problem

LARGEST = 1_000_000
"""Bytes of an object; the API server takes 1 MiB in ConfigMaps and Secrets, names and labels included."""


@dataclass(frozen=True, kw_only=True)
class ExtraObject:
    """An object in the stack's namespace, by its API (`monitoring.coreos.com/v1`), kind and name.

    `body` is all of it but metadata. Where it refers to a secret of the plan, it does so as a key of the Secret called
    `SECRETS`, and `secrets` names the secret; the target knows the Secret's real name.
    """

    api: str
    kind: str
    name: str
    body: Mapping[str, Any]
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()


SECRETS = "receiver-secrets"
"""Stands for the Secret with all secrets that declared objects refer to, until its name is known."""


def check_objects(objects: Iterable[ExtraObject]) -> list[Problem]:
    """Objects that no cluster would hold: two of one name, or too large; nothing says where."""
    result, seen = [], set()
    for item in objects:
        what = f"{item.kind} {item.name!r}"
        if (item.kind, item.name) in seen:
            result.append(Problem("", f"{what} is declared more than once", taken=item.name))
        seen.add((item.kind, item.name))
        size = len(json.dumps(item.body).encode())
        if size > LARGEST:
            message = f"{what} has {size:,} bytes, and a cluster holds {LARGEST:,} at most: make it smaller"
            result.append(Problem("", message))
    return result
