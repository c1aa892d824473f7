"""How documents are written: one way for all components, so that the same content is always the same text.

Content becomes libyaml's events without the tree of nodes between, which takes three quarters of the time that PyYAML
needs for thousands of rules and targets. The text is the same, but that what occurs twice is written twice, with no
anchor. Events have no tags where none is written, as each would be copied and checked all the same.
Events: https://pyyaml.org/wiki/PyYAMLDocumentation.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
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
    for event in _list_events(documents):
        emit(event)
    return stream.getvalue()


def _list_events(documents: Iterable[Any]) -> list[events.Event]:
    made: list[events.Event] = [_STREAM_BEGIN]
    for document in documents:
        made.append(_DOCUMENT_BEGIN)
        _add_events(document, made)
        made.append(_DOCUMENT_END)
    made.append(_STREAM_END)
    return made


def _add_events(value: Any, made: list[events.Event]) -> None:
    if type(value) is str:  # most of a document
        made.append(_build_text(value))
    elif isinstance(value, dict):
        made.append(_MAP_BEGIN)
        for key, entry in value.items():
            if type(key) is str and type(entry) is str:  # most of a mapping, without two calls for each
                made += (_build_text(key), _build_text(entry))
            else:
                _add_events(key, made)
                _add_events(entry, made)
        made.append(_MAP_END)
    elif isinstance(value, (list, tuple)):
        made.append(_SEQ_BEGIN)
        for entry in value:
            _add_events(entry, made)
        made.append(_SEQ_END)
    else:
        made.append(_build_scalar(value, type(value).__name__))


@lru_cache(maxsize=4096)  # keys, severities and names of labels are the same again and again
def _build_text(value: str) -> events.ScalarEvent:
    """A text, in quotes where it would else be read as a number, a date or the like."""
    patterns = Resolver.yaml_implicit_resolvers.get(value[:1], ())  # by the first character: of most there are none
    plain = not any(pattern.match(value) for _, pattern in patterns)
    return events.ScalarEvent(None, None, (plain, True), value)


@lru_cache(maxsize=1024)
def _build_scalar(value: Any, kind: str) -> events.ScalarEvent:
    """A value as the representer writes it; `kind` is for the cache alone, to which 1, 1.0 and True are equal."""
    node: Any = _REPRESENTER.represent_data(value)
    plain, quoted = (_RESOLVER.resolve(yaml.ScalarNode, node.value, how) for how in ((True, False), (False, True)))
    return events.ScalarEvent(None, node.tag, (plain == node.tag, quoted == node.tag), node.value, style=node.style)
