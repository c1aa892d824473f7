"""The loader: the only place of the model that reads files. Everything wrong is reported at once, with its path."""

from __future__ import annotations

import json
import re
import types
import typing
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from model import addresses, base, patterns
from model.base import list_models
from model.checks.plain_secrets import hide_secrets, remove_followers
from model.descriptions import list_descriptions
from model.errors import ConfigError, Inconsistent, Problem, suggest_name

M = TypeVar("M", bound=BaseModel)

_PATTERNS = {**base.PATTERN_TEXTS, **addresses.PATTERN_TEXTS, **patterns.PATTERN_TEXTS}
"""What the patterns of all types ask for."""

_MERGE = "tag:yaml.org,2002:merge"
_TEXT = yaml.resolver.BaseResolver.DEFAULT_SCALAR_TAG
_EXPECTED = {
    "bool_type": "must be true or false",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "finite_number": "must be a finite number",
    "string_type": "must be text",
    "model_type": "must be a mapping of keys to values",
    "model_attributes_type": "must be a mapping of keys to values",
    "mapping_type": "must be a mapping of keys to values",
    "dict_type": "must be a mapping of keys to values",
    "tuple_type": "must be a list",
    "list_type": "must be a list",
}


def _construct_node(loader: Any, node: yaml.Node) -> Any:
    """What a node holds: mostly text, which needs no constructor."""
    if node.tag == _TEXT and isinstance(node, yaml.ScalarNode):
        return node.value
    return loader.construct_object(node, deep=True)


def _construct_sequence(loader: Any, node: yaml.SequenceNode) -> list[Any]:
    return [_construct_node(loader, item) for item in node.value]


def _construct_mapping(loader: Any, node: yaml.MappingNode) -> dict[Hashable, Any]:
    seen: dict[Hashable, int] = {}
    for key_node, _ in node.value:
        if key_node.tag == _MERGE:
            continue
        line, key = key_node.start_mark.line + 1, _construct_node(loader, key_node)
        if not isinstance(key, Hashable):
            raise yaml.constructor.ConstructorError(None, None, "a key must be plain text", key_node.start_mark)
        if key in seen:
            raise yaml.constructor.ConstructorError(
                None, None, f"key {key!r} stands twice (lines {seen[key]} and {line})", key_node.start_mark
            )
        seen[key] = line
    loader.flatten_mapping(node)
    return {_construct_node(loader, key): _construct_node(loader, value) for key, value in node.value}


_PLAIN = ("bool", "int", "float", "timestamp")
# YAML 1.2's core notation: 1.1 also reads yes, 0o17, 12:30:45 and 1_000 as something else than they look like
_CORE = (
    ("bool", r"true|false", "tf"),
    ("int", r"[-+]?(?:0|[1-9][0-9]*)", "-+0123456789"),
    ("float", r"[-+]?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?", "-+0123456789"),
)


def _build_strict_loader(base: Any) -> Any:
    """YAML without the traps: duplicate keys are an error, and only what looks like one is a boolean or a number."""
    made: Any = type("Loader", (base,), {})
    made.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _construct_mapping)
    made.add_constructor(yaml.resolver.BaseResolver.DEFAULT_SEQUENCE_TAG, _construct_sequence)
    made.yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag.removeprefix("tag:yaml.org,2002:") not in _PLAIN]
        for first, resolvers in base.yaml_implicit_resolvers.items()
    }
    for tag, pattern, first in _CORE:
        made.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(rf"^(?:{pattern})\Z"), list(first))
    return made


_FAST = _build_strict_loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader))
"""By libyaml, where PyYAML has it: ten times as fast."""
_EXACT = _build_strict_loader(yaml.SafeLoader)
"""Its errors name more."""


def _parse_yaml(text: str) -> Any:
    try:
        return yaml.load(text, Loader=_FAST)  # noqa: S506 - a subclass of a safe loader
    except yaml.YAMLError:
        return yaml.load(text, Loader=_EXACT)  # noqa: S506 - as above


def read_yaml(path: Path, root: Path | None = None) -> Any:
    """The YAML document of a file.

    Raises:
        ConfigError: the file is missing, cannot be read, is not YAML, or has a key twice.
    """
    return parse_yaml(read_content(path, root), _locate(path, root))


def read_content(path: Path, root: Path | None = None) -> bytes:
    """What is in a file.

    Raises:
        ConfigError: the file is missing or cannot be read.
    """
    try:
        return path.read_bytes()
    except FileNotFoundError:
        others = [p.stem for p in path.parent.glob("*.yaml")]
        message = f"there is no such file; {suggest_name(path.stem, others)}"
    except OSError as error:
        message = f"cannot be read: {error.strerror}"
    raise ConfigError([Problem(_locate(path, root), message)])


def _locate(path: Path, root: Path | None) -> str:
    """A file's name in messages."""
    return str(path.relative_to(root)) if root else str(path)


def parse_yaml(content: bytes, where: str) -> Any:
    """The YAML document in the content of a file that messages call `where`.

    Raises:
        ConfigError: it is not YAML, or has a key twice.
    """
    try:
        return _parse_yaml(content.decode("utf-8"))
    except yaml.MarkedYAMLError as error:
        message = f"line {error.problem_mark.line + 1}: {error.problem}" if error.problem_mark else str(error.problem)
    except (UnicodeDecodeError, yaml.reader.ReaderError):
        message = "is not UTF-8 text"
    raise ConfigError([Problem(where, message)])


def parse_model(model: type[M], data: Any, where: str) -> M:
    """`data` as a `model`, strictly, and without a secret in clear anywhere in it.

    Args:
        model: the type to build.
        data: what the YAML document holds.
        where: prefix of every problem's path, such as the file's name.

    Raises:
        ConfigError: all problems at once.
    """
    clean, plain = hide_secrets(data, where)
    try:
        made = _validate_model(model, clean, where)
    except ConfigError as error:
        raise ConfigError(remove_followers(list(error.problems), plain)) from None
    if plain:
        raise ConfigError(plain)
    return made


def _validate_model(model: type[M], data: Any, where: str) -> M:
    if not isinstance(data, dict):
        raise ConfigError([Problem(where, f"must be a mapping of keys to values, not {_format_value(data)}")])
    try:
        return model.model_validate_json(json.dumps(data, default=str))
    except ValidationError as error:
        raise ConfigError(
            p for issue in error.errors() if not _is_consequence(issue) for p in _build_problems(model, issue, where)
        ) from None
    except ValueError:  # json.dumps found a list or mapping inside itself
        raise ConfigError([Problem(where, "an alias refers to what contains it")]) from None


def _is_consequence(issue: Any) -> bool:
    """Whether the error only follows from others: a list counts as short when its entries were wrong."""
    return issue["type"] == "too_short" and bool(len(issue["input"]) >= issue["ctx"]["min_length"])


def _build_problems(model: type[BaseModel], issue: Any, where: str) -> list[Problem]:
    """The problems of one of pydantic's errors: one, unless a model's own check found several."""
    cause = issue.get("ctx", {}).get("error")
    if not isinstance(cause, Inconsistent):
        return [_build_problem(model, issue, where)]
    prefix = _format_path(issue["loc"])
    locations = [
        f"{prefix}.{problem.where}" if prefix and problem.where else prefix or problem.where
        for problem in cause.problems
    ]
    return [
        Problem(f"{where}: {location}" if location else where, p.message)
        for location, p in zip(locations, cause.problems, strict=True)
    ]


def _build_problem(model: type[BaseModel], issue: Any, where: str) -> Problem:
    is_key = issue["loc"][-1:] == ("[key]",)
    loc = issue["loc"][:-1] if is_key else issue["loc"]
    path = _format_path(loc)
    location = f"{where}: {path}" if path else where
    kind, value = issue["type"], issue["input"]
    if kind == "extra_forbidden":
        return Problem(location, _describe_unknown(_find_model(model, loc[:-1]), str(loc[-1])))
    if kind == "missing":
        return Problem(location, f"is required{_describe_field(model, loc)}")
    if loc and str(loc[-1]).endswith("Secret") and isinstance(value, str):
        return Problem(location, _describe_bad_name(issue))
    if kind == "literal_error":
        valid = [text.strip("'") for text in issue["ctx"]["expected"].replace(" or ", ", ").split(", ")]
        return Problem(location, f"{_format_value(value)} is not known; {suggest_name(str(value), valid)}")
    if kind == "value_error":
        return Problem(location, f"{_format_value(value)}: {issue['ctx']['error']}")
    return Problem(
        location,
        f"{_format_value(value)}: {_describe_expected(issue)}{'' if is_key else _describe_example(model, loc)}",
    )


def _describe_unknown(parent: type[BaseModel] | None, key: str) -> str:
    """That there is no such key, with what is likely meant; or what to do, where people look for that key."""
    if refused := getattr(parent, "REFUSED", {}).get(key):
        return str(refused)
    if renamed := getattr(parent, "RENAMED", {}).get(key):
        hint = f"it is called {renamed} now"
    else:
        hint = suggest_name(key, list_keys(parent)) if parent else ""
    return f"unknown key {key!r}; {hint}".rstrip("; ")


def _describe_bad_name(issue: Any) -> str:
    """What is wrong with the name of a secret, without showing it: it may be the secret itself."""
    expected = _describe_expected(issue)
    return f"{expected}: the name of a secret, not its value; store the value with: make secret NAME=<name>"


def _describe_expected(issue: Any) -> str:
    """What would be right, in our own words where pydantic's are about its types."""
    kind, value, context = issue["type"], issue["input"], issue.get("ctx", {})
    if kind == "string_pattern_mismatch":
        return (
            f"must be {_PATTERNS[context['pattern']]}"
            if context["pattern"] in _PATTERNS
            else f"must match {context['pattern']}"
        )
    if kind == "too_short":
        return f"must have at least {context['min_length']} entry"
    if kind == "string_too_long":
        return f"must have at most {context['max_length']} characters"
    if kind == "string_type" and isinstance(value, (bool, int, float)):
        return 'must be text; put it in "quotes"'
    message: str = issue["msg"].replace("Input should", "must")
    return _EXPECTED.get(kind, message[0].lower() + message[1:])


def _format_path(loc: Sequence[Any]) -> str:
    text = ""
    for part in loc:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def _format_value(value: Any) -> str:
    text = json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "..."


def list_keys(model: type[BaseModel]) -> list[str]:
    """The keys of a model as YAML has them."""
    return [field.alias or name for name, field in model.model_fields.items()]


def _find_field(model: type[BaseModel], loc: Sequence[Any]) -> Any:
    parent = _find_model(model, loc[:-1])
    if parent is None or not loc:
        return None
    return next((f for name, f in parent.model_fields.items() if loc[-1] in (name, f.alias)), None)


def _describe_field(model: type[BaseModel], loc: Sequence[Any]) -> str:
    parent = _find_model(model, loc[:-1])
    if parent is None or not loc:
        return ""
    said = list_descriptions(parent)
    text = next((said[name] for name, field in parent.model_fields.items() if loc[-1] in (name, field.alias)), "")
    return f": {text}" if text else ""


def _describe_example(model: type[BaseModel], loc: Sequence[Any]) -> str:
    field = _find_field(model, loc)
    examples = (getattr(field, "examples", None) or _find_examples(field.annotation)) if field is not None else ()
    return f", for example {examples[0]}" if examples else ""


def _find_examples(annotation: Any) -> Sequence[Any]:
    """The examples of the first annotated part of a type that has some; what is annotated anew stands last."""
    own = [list(getattr(part, "examples", None) or ()) for part in getattr(annotation, "__metadata__", ())]
    return next(filter(None, [*reversed(own), *map(_find_examples, typing.get_args(annotation))]), ())


def _find_model(model: type[BaseModel], loc: Sequence[Any]) -> type[BaseModel] | None:
    current: Any = model
    for part in loc:
        inner = list_models(current)
        if not inner:
            return None
        if isinstance(current, type) and issubclass(current, BaseModel):
            field = next((f for name, f in current.model_fields.items() if part in (name, f.alias)), None)
            current = field.annotation if field is not None else None
        else:
            current = inner[0] if isinstance(part, int) or _is_mapping(current) else current
    models = list_models(current)
    return models[0] if models else None


def _is_mapping(annotation: Any) -> bool:
    origin = typing.get_origin(annotation)
    if origin in (typing.Union, types.UnionType, typing.Annotated):
        return any(_is_mapping(arg) for arg in typing.get_args(annotation))
    return isinstance(origin, type) and issubclass(origin, Mapping)
