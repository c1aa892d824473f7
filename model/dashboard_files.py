"""Dashboards that people bring as files: what Grafana exports, with the stack's own data sources in it.

Format: https://grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model/ and, for
`__inputs`, .../dashboards/share-dashboards-panels/#export-a-dashboard-as-json.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from model.dashboard import LOKI, PROMETHEUS
from model.dashboard_spec import LONGEST_UID
from model.errors import ConfigError, Problem
from model.telemetry import TRACES, TRACING, Dashboard

SOURCES: Mapping[str, str] = {
    str(PROMETHEUS.type_val): str(PROMETHEUS.uid),
    str(LOKI.type_val): str(LOKI.uid),
    **dict.fromkeys(TRACING, TRACES),
}
"""The stack's data source of each type, by uid."""
BUILT_IN = ("datasource", "grafana", "__expr__")
"""Types of what Grafana answers itself: the mixture of several sources, other panels, expressions."""
ONLY_EXPORTED = ("__inputs", "__requires", "__elements")
"""What an export says to whoever imports it by hand."""
_UID = re.compile(rf"[a-zA-Z0-9_-]{{1,{LONGEST_UID}}}")
_VARIABLE = re.compile(r"\$(\w+)|\$\{(\w+)(?::\w+)?\}|\[\[(\w+)\]\]")
_HIDDEN = 2
"""A variable that is not shown: https://grafana.com/docs/grafana/latest/dashboards/variables/add-template-variables/."""


def parse_dashboard_file(text: str, file: str, *, folder: str, tag: str) -> Dashboard:
    """The dashboard of a file.

    Args:
        text: its JSON.
        file: its path, the first part of every problem's place; its name stands for a uid that is not there.
        folder: the Grafana folder it stands in.
        tag: what lists and menus know it by, beside its own tags.

    Raises:
        ConfigError: it is no dashboard, or asks data sources that the stack has not; everything at once.
    """
    document = _parse_document(text, file)
    problems = _check_shape(document)
    kinds = _list_source_variables(document)
    mapped = {} if problems else _Sources(kinds, problems).map_node(_fill_constants(document), "")
    if problems:
        raise ConfigError(Problem(f"{file}: {problem.where}" if problem.where else file, problem.message)
                          for problem in problems)  # fmt: skip
    uid = document.get("uid") or derive_uid(file)
    kept = {key: value for key, value in mapped.items() if key not in ONLY_EXPORTED}
    tags = [*dict.fromkeys([*(document.get("tags") or ()), tag])]
    model = {**kept, "id": None, "uid": uid, "tags": tags}
    _choose_sources(model, kinds)
    return Dashboard(uid=uid, title=document["title"], folder=folder, model=model, file=file)


def check_source_kinds(board: Dashboard, sources: Mapping[str, str]) -> list[Problem]:
    """What a dashboard of a file asks in another query language than the stack's data source of that uid has.

    Args:
        board: the dashboard, with the stack's data sources in it.
        sources: their types by uid.
    """
    return [
        Problem(f"{board.file}: {where}", f"{kind!r}, but this stack's traces are in {sources[uid]}, which takes other"
                f" queries; export the panel with a data source of the type {sources[uid]}, or leave it out")
        for where, uid, kind in _list_sources(board.model, "")
        if sources.get(uid, kind) != kind
    ]  # fmt: skip


def _list_sources(node: Any, where: str) -> Iterator[tuple[str, str, str]]:
    """Place, uid and type of the data sources that a panel asks; its queries repeat that of the panel."""
    source = node.get("datasource") if isinstance(node, Mapping) else None
    if isinstance(source, Mapping) and source.get("type") in SOURCES:
        yield f"{where}.datasource.type".lstrip("."), str(source["uid"]), str(source["type"])
        node = {key: value for key, value in node.items() if key != "targets"}
    parts = node.items() if isinstance(node, Mapping) else enumerate(node) if isinstance(node, list) else ()
    for key, value in parts:
        if isinstance(value, (Mapping, list)):
            yield from _list_sources(value, f"{where}[{key}]" if isinstance(key, int) else f"{where}.{key}".lstrip("."))


def derive_uid(file: str) -> str:
    """The uid of a dashboard that says none: the name of its file, which stays when its content changes."""
    return re.sub(r"[^a-zA-Z0-9_-]+", "-", PurePosixPath(file).stem).strip("-")[:LONGEST_UID] or "dashboard"


# -- the document ----------------------------------------------------------------------------------------------------


def _parse_document(text: str, file: str) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except ValueError as error:
        raise ConfigError([Problem(file, f"is not JSON: {error}")]) from None
    if isinstance(document, dict) and isinstance(document.get("dashboard"), dict):
        document = document["dashboard"]  # as Grafana's API answers
    if not isinstance(document, dict):
        raise ConfigError([Problem(file, "must be a Grafana dashboard: a JSON object with title and panels")])
    return document


def _check_shape(document: Mapping[str, Any]) -> list[Problem]:
    """What is missing of a dashboard."""
    if "spec" in document and ("apiVersion" in document or "kind" in document):
        message = "is a dashboard of Grafana's resource format (apiVersion, kind, spec); export the classic JSON model"
        return [Problem("", message)]
    problems = []
    title, panels, uid, tags = (document.get(key) for key in ("title", "panels", "uid", "tags"))
    if not isinstance(title, str) or not title.strip():
        problems.append(Problem("title", f"{json.dumps(title)}: must be the dashboard's heading, as text"))
    if not isinstance(panels, list) or not all(isinstance(panel, dict) for panel in panels):
        older = "; open and save it in a Grafana of today, which turns rows into panels" if "rows" in document else ""
        problems.append(Problem("panels", f"must be a list of panels{older}"))
    elif not panels:
        problems.append(Problem("panels", "must have at least 1 entry"))
    if uid is not None and uid != "" and (not isinstance(uid, str) or not _UID.fullmatch(uid)):
        message = (
            f"{json.dumps(uid)}: must be {LONGEST_UID} letters, digits, dashes and underscores at most, or be left out"
        )
        problems.append(Problem("uid", message))
    if tags is not None and not (isinstance(tags, list) and all(isinstance(tag, str) for tag in tags)):
        problems.append(Problem("tags", "must be a list of text"))
    return problems


def _list_inputs(document: Mapping[str, Any], kind: str) -> list[dict[str, Any]]:
    inputs = document.get("__inputs")
    return [entry for entry in inputs if isinstance(entry, dict) and entry.get("type") == kind] if inputs else []


def _list_variables(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    templating = document.get("templating")
    listed = templating.get("list") if isinstance(templating, dict) else None
    return [entry for entry in listed or () if isinstance(entry, dict)]


def _list_source_variables(document: Mapping[str, Any]) -> dict[str, str]:
    """Types of data sources by the names of inputs and variables that stand for them."""
    inputs = {str(entry.get("name")): str(entry.get("pluginId")) for entry in _list_inputs(document, "datasource")}
    chosen = {
        str(entry.get("name")): str(entry.get("query"))
        for entry in _list_variables(document)
        if entry.get("type") == "datasource"
    }
    return inputs | chosen


def _fill_constants(document: dict[str, Any]) -> Any:
    """The document with the constants that whoever imports it by hand would be shown."""
    constants = {
        f"${{{entry.get('name')}}}": str(entry.get("value", "")) for entry in _list_inputs(document, "constant")
    }
    return _replace_text(document, constants) if constants else document


def _replace_text(node: Any, values: Mapping[str, str]) -> Any:
    if isinstance(node, dict):
        return {key: _replace_text(value, values) for key, value in node.items()}
    if isinstance(node, list):
        return [_replace_text(value, values) for value in node]
    if isinstance(node, str):
        for name, value in values.items():
            node = node.replace(name, value)
    return node


def _choose_sources(model: Mapping[str, Any], kinds: Mapping[str, str]) -> None:
    """Variables of data sources stand for the stack's only one of their type, so nobody has to choose."""
    for variable in _list_variables(model):
        if variable.get("type") == "datasource":
            uid = SOURCES[kinds[str(variable.get("name"))]]
            variable |= {"current": {"selected": True, "text": uid, "value": uid}, "hide": _HIDDEN, "regex": ""}


# -- data sources ----------------------------------------------------------------------------------------------------


class _Sources:
    """Puts the stack's data sources in the place of those that a dashboard asks; what it cannot is a problem."""

    def __init__(self, kinds: Mapping[str, str], problems: list[Problem]) -> None:
        self._kinds = kinds
        self._problems = problems

    def map_node(self, node: Any, where: str) -> Any:
        """A part of a dashboard with the stack's data sources."""
        if isinstance(node, list):
            return [self.map_node(value, f"{where}[{number}]") for number, value in enumerate(node)]
        if not isinstance(node, dict):
            return node
        if node.get("type") == "datasource" and "query" in node:
            self._check_kind(str(node["query"]), f"{where}.query")
        if "libraryPanel" in node and "targets" not in node:
            self._problems.append(Problem(f"{where}.libraryPanel", "is not in the file; unlink it before the export"))
        return {
            key: self._map_source(value, f"{where}.{key}".lstrip("."), node)
            if key == "datasource"
            else self.map_node(value, f"{where}.{key}".lstrip("."))
            for key, value in node.items()
        }

    def _map_source(self, source: Any, where: str, owner: Mapping[str, Any]) -> Any:
        if not source:
            return _build_default(owner)
        kind, uid = (source.get("type"), source.get("uid")) if isinstance(source, dict) else (None, source)
        if kind in BUILT_IN or (isinstance(uid, str) and (uid.startswith("-- ") or uid in BUILT_IN)):
            return source
        if kind is None:
            kind = self._find_kind(str(uid), where)
        if not kind or not self._check_kind(str(kind), where):
            return source
        return {"type": kind, "uid": SOURCES[kind]}

    def _find_kind(self, name: str, where: str) -> str | None:
        """The type of a data source that only its name is known of."""
        match = _VARIABLE.fullmatch(name)
        variable = next(filter(None, match.groups()), "") if match else ""
        if variable in self._kinds:
            return self._kinds[variable]
        by_uid = {uid: kind for kind, uid in SOURCES.items()}
        if kind := by_uid.get(name, name.lower() if name.lower() in SOURCES else None):
            return kind
        if name == "default":
            return str(PROMETHEUS.type_val)
        what = "no input and no variable of this file" if match else "the name of a data source elsewhere"
        message = f"{name!r} is {what}, so its type is not known; give its type and uid, as Grafana exports them now"
        self._problems.append(Problem(where, message))
        return None

    def _check_kind(self, kind: str, where: str) -> bool:
        if kind in SOURCES:
            return True
        message = f"{kind!r} is a type of data source that no stack has; panels may ask {', '.join(SOURCES)}"
        self._problems.append(Problem(where, message))
        return False


def _build_default(owner: Mapping[str, Any]) -> dict[str, str] | None:
    """The source of what names none: Prometheus, unless its queries name theirs, or it is Grafana's own."""
    targets: Sequence[Any] = owner.get("targets") or ()
    if owner.get("builtIn") or any(isinstance(target, dict) and target.get("datasource") for target in targets):
        return None
    return {"type": str(PROMETHEUS.type_val), "uid": str(PROMETHEUS.uid)}
