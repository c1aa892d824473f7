"""Who is notified of what, before and after. Secrets are files, so no document has one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cli.changes.values import (
    CHANGED,
    GONE,
    NEW,
    NOTIFICATIONS,
    Change,
    Detail,
    Documents,
    compare_values,
    format_value,
    parse_document,
    parse_documents,
)
from model.matching import convert_route

DOCUMENT = "alertmanager/alertmanager.yml"
_TEST = 'alertname="NotificationTest"'
"""A matcher of the routes by which `alert-test` reaches each receiver."""
_ELSE = "all that no other route takes"
_OWN = ("receiver", "matchers", "routes")


def compare_notifications(before: Documents, after: Documents) -> Iterator[Change]:
    """Routes by their matchers, then receivers, then all else of the document, such as times and inhibitions."""
    old, new = _read_document(before), _read_document(after)
    if old == new:
        return
    yield from _compare_routes(_list_routes(old), _list_routes(new))
    ways, later = _list_receivers(old), _list_receivers(new)
    for name in sorted(ways.keys() | later.keys()):
        if ways.get(name) != later.get(name):
            verb = NEW if name not in ways else GONE if name not in later else CHANGED
            details = tuple(compare_values(ways.get(name, {}), later.get(name, {})))
            yield Change(NOTIFICATIONS, verb, f"receiver {name}", details)
    rest, others = ({key: each[key] for key in each if key not in ("route", "receivers")} for each in (old, new))
    if details := tuple(compare_values(rest, others)):
        yield Change(NOTIFICATIONS, CHANGED, "alertmanager.yml", details)


def _compare_routes(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    for matchers in dict.fromkeys([*old, *new]):
        one, other = old.get(matchers), new.get(matchers)
        if one != other:
            verb = NEW if one is None else GONE if other is None else CHANGED
            yield Change(NOTIFICATIONS, verb, f"route of {matchers}", tuple(compare_values(one or {}, other or {})))
    common = [[name for name in side if name in old and name in new] for side in (old, new)]
    if common[0] != common[1]:
        order = Detail("order", ", ".join(common[0]), ", ".join(common[1]))
        yield Change(NOTIFICATIONS, CHANGED, "routes", (order,), "The first route that matches takes an alert.")


def _read_document(documents: Documents) -> dict[str, Any]:
    """Alertmanager's own document, or what an operator's object says in its place."""
    if DOCUMENT in documents:
        return dict(parse_document(documents[DOCUMENT]) or {})
    for text in documents.values():
        if "kind: AlertmanagerConfig" in text:
            for item in parse_documents(text):
                if item.get("kind") == "AlertmanagerConfig":
                    return {**item["spec"], "route": convert_route(item["spec"]["route"])}
    return {}


def _list_routes(document: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Each route by the matchers on the way to it: whom it notifies, grouping and times. Routes for tests are ours."""
    made: dict[str, dict[str, Any]] = {}
    if document.get("route"):
        _add_routes(document["route"], (), made)
    return made


def _add_routes(route: Mapping[str, Any], above: tuple[str, ...], made: dict[str, dict[str, Any]]) -> None:
    matchers = (*above, *map(str, route.get("matchers") or ()))
    if _TEST in matchers:
        return
    name = " and ".join(matchers) or _ELSE
    part = made.setdefault(name, {})
    if route.get("receiver"):
        part["notifies"] = f"{part['notifies']}, {route['receiver']}" if "notifies" in part else str(route["receiver"])
    part |= {key: format_value(value) for key, value in route.items() if key not in _OWN}
    for below in route.get("routes") or ():
        _add_routes(below, matchers, made)


def _list_receivers(document: Mapping[str, Any]) -> dict[str, Any]:
    return {
        str(item["name"]): {key: value for key, value in item.items() if key != "name"}
        for item in document.get("receivers") or ()
    }
