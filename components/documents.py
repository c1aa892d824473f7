"""How documents are written: one way for all components, so that the same content is always the same text.

Content becomes libyaml's events without the tree of nodes between, which takes three quarters of the time that PyYAML
needs for thousands of rules and targets. The text is the same, but that what occurs twice is written twice, with no
anchor. Events have no tags where none is written, as each would be copied and checked all the same.
Events: https://pyyaml.org/wiki/PyYAMLDocumentation.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

import yaml
from yaml import emitter, events
from yaml.representer import SafeRepresenter
from yaml.resolver import Resolver

_EMITTER: Any = yaml._yaml.CEmitter if yaml.__with_libyaml__ else emitter.Emitter
"""libyaml where it is there: the same text, ten times as fast. A dumper has one too, and looks it up for each event."""
_STREAM_BEGIN, _STREAM_END = events.StreamStartEvent(), events.StreamEndEvent()
_DOCUMENT_BEGIN, _DOCUMENT_END = events.DocumentStartEvent(explicit=False), events.DocumentEndEvent(explicit=False)
_MAP_BEGIN = events.MappingStartEvent(None, None, implicit=True, flow_style=False)
_MAP_END = events.MappingEndEvent()
_SEQ_BEGIN = events.SequenceStartEvent(None, None, implicit=True, flow_style=False)
_SEQ_END = events.SequenceEndEvent()
_RESOLVER: Any = Resolver()


class _GoResolver(Resolver):
    """What a program in Go takes for a number or a date, besides what a YAML library of Python does.

    Its parser of dates knows a comma before the fraction of a second, as Python's logging writes it, and its numbers
    need no dot: https://pkg.go.dev/go.yaml.in/yaml/v3 (3.0.6, resolve.go).
    """


_GoResolver.add_implicit_resolver(
    "tag:yaml.org,2002:timestamp",
    re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt]|[ \t]+)[0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}[.,][0-9]+.*"),
    list("0123456789"),
)
_GoResolver.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"[-+]?(\.[0-9_]+|[0-9][0-9_]*(\.[0-9_]*)?)([eE][-+]?[0-9]+)?$|[-+]?0o?[0-7_]+$"),
    list("-+.0123456789"),
)
_REPRESENTER = SafeRepresenter()


def render_yaml(document: Any) -> str:
    """A document as YAML, keys in the order written.

    Raises:
        yaml.representer.RepresenterError: something in it is no plain value.
    """
    return _emit([document])


def render_yaml_documents(documents: Iterable[Any]) -> str:
    """Several documents in one text, each begun where it is not the first by a line of three dashes."""
    return _emit(documents)


def _emit(documents: Iterable[Any]) -> str:
    stream = io.StringIO()
    emit = _EMITTER(stream, width=120, allow_unicode=True).emit
    emit(_STREAM_BEGIN)
    for document in documents:
        emit(_DOCUMENT_BEGIN)
        _emit_value(document, emit)
        emit(_DOCUMENT_END)
    emit(_STREAM_END)
    return stream.getvalue()


def _emit_value(value: Any, emit: Callable[[events.Event], None]) -> None:
    if type(value) is str:  # most of a document
        emit(_build_text(value))
    elif isinstance(value, dict):
        emit(_MAP_BEGIN)
        for key, entry in value.items():
            if type(key) is str and type(entry) is str:  # most of a mapping, without two calls for each
                emit(_build_text(key))
                emit(_build_text(entry))
            else:
                _emit_value(key, emit)
                _emit_value(entry, emit)
        emit(_MAP_END)
    elif isinstance(value, (list, tuple)):
        emit(_SEQ_BEGIN)
        for entry in value:
            _emit_value(entry, emit)
        emit(_SEQ_END)
    else:
        emit(_build_scalar(value, type(value).__name__))


@lru_cache(maxsize=4096)  # keys, severities and names of labels are the same again and again
def _build_text(value: str) -> events.ScalarEvent:
    """A text, in quotes where it would else be read as a number, a date or the like."""
    patterns = _GoResolver.yaml_implicit_resolvers.get(value[:1], ())  # by the first character: of most there are none
    plain = not patterns or not any(pattern.match(value) for _, pattern in patterns)
    return events.ScalarEvent(None, None, (plain, True), value)


@lru_cache(maxsize=1024)
def _build_scalar(value: Any, kind: str) -> events.ScalarEvent:
    """A value as the representer writes it; `kind` is for the cache alone, to which 1, 1.0 and True are equal."""
    node: Any = _REPRESENTER.represent_data(value)
    plain, quoted = (_RESOLVER.resolve(yaml.ScalarNode, node.value, how) for how in ((True, False), (False, True)))
    return events.ScalarEvent(None, node.tag, (plain == node.tag, quoted == node.tag), node.value, style=node.style)
