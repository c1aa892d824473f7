"""Pulumi mocks that are as strict as the real engine: inputs are checked against the provider SDK's own types.

Plain mocks accept anything: a misspelt property, a word for a number, a nested key that does not exist. Here every
registration is compared with the `<Resource>Args` class of the SDK that its type token names, and kept for asserts.
"""

from __future__ import annotations

import asyncio
import collections.abc
import enum
import importlib
import json
import re
import types
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi
from google.protobuf import json_format  # type: ignore[import-untyped]  # no stubs are published with it
from pulumi import _types
from pulumi.runtime import mocks, rpc
from pulumi.runtime.settings import SETTINGS
from pulumi.runtime.stack import run_pulumi_func
from pulumi.runtime.sync_await import _ensure_event_loop

from model.errors import suggest_name

_SIGNATURE = "4dabf18193072939515e22adb298388d"
_SECRET = "1b47061264138c4ac30d75fd1eb44270"
_FALLBACKS: dict[str, Callable[[str], dict[str, Any]]] = {
    "docker:index/remoteImage:RemoteImage": lambda name: {"imageId": f"sha256:{name}"},
    "docker:index/container:Container": lambda name: {"containerLogs": "0", "exitCode": 0},
    "kubernetes:core/v1:Secret": lambda name: {"metadata": {"name": f"{name}-1a2b3c"}},
    "random:index/randomId:RandomId": lambda name: {"hex": f"hex-of-{name}"},
    "random:index/randomPassword:RandomPassword": lambda name: {"result": pulumi.Output.secret(f"canary-{name}")},
}
JSON_PROPERTIES = ("registryAuth", "sshOpts", "upsertExistingObjects")
"""Properties of providers that travel as JSON, beside those that enable something."""


class InvalidInputsError(AssertionError):
    """A program registers resources that its providers would not take: one line for each property that is wrong."""


@dataclass(frozen=True, kw_only=True)
class RecordedResource:
    """A registration: its plain inputs in camelCase, the paths of those that are secret, and its options."""

    type: str
    name: str
    urn: str
    inputs: Mapping[str, Any]
    secrets: frozenset[str]
    parent: str
    dependencies: tuple[str, ...]
    provider: str
    protect: bool
    retain_on_delete: bool
    delete_before_replace: bool
    replace_on_changes: tuple[str, ...]
    delete_timeout: str

    @property
    def custom(self) -> bool:
        """Whether a provider makes it, so that it is no component."""
        return _args_class(self.type) is not None


@dataclass
class Recorder(mocks.MockMonitor):
    """The engine's side of a program: checks, records and answers registrations.

    `computed` gives the properties that a provider would add to a resource's state, by type token or name.
    """

    computed: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    recorded: list[RecordedResource] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(_Answers(self.computed))

    def RegisterResource(self, request: Any) -> Any:
        """Records and checks a registration before it is answered."""
        if request.type != "pulumi:pulumi:Stack":
            secrets: set[str] = set()
            inputs = {
                key: _plain(value, key, secrets) for key, value in json_format.MessageToDict(request.object).items()
            }
            self.problems += [f"{request.type} {request.name}: {text}" for text in check_inputs(request.type, inputs)]
            self.recorded.append(
                _record(request, self.make_urn(request.parent, request.type, request.name), inputs, secrets)
            )
        return super().RegisterResource(request)  # type: ignore[no-untyped-call]


def run_program(
    program: Callable[[], object],
    *,
    stack: str = "dev",
    computed: Mapping[str, Mapping[str, Any]] | None = None,
) -> list[RecordedResource]:
    """Runs a Pulumi program to its end and returns what it registered, in order.

    Args:
        program: registers resources; may return an Output or awaitable.
        stack: the stack's name.
        computed: properties that providers add to a resource's state, by type token or resource name.

    Raises:
        InvalidInputsError: an input does not exist, is missing or has another type in the provider's SDK.
        Exception: whatever the program or one of its `apply` functions raises.
    """
    recorder = Recorder(computed=computed or {})
    _ensure_event_loop()  # type: ignore[no-untyped-call]  # the one that Outputs made outside of programs use too
    mocks.set_mocks(recorder.mocks, "observability", stack, monitor=recorder)
    SETTINGS.rpc_manager.clear()
    SETTINGS.outputs.clear()
    asyncio.get_event_loop().run_until_complete(run_pulumi_func(lambda: _awaited(program)))
    if recorder.problems:
        raise InvalidInputsError("\n".join(recorder.problems))
    return recorder.recorded


def check_inputs(token: str, inputs: Mapping[str, Any]) -> list[str]:
    """What is wrong with a resource's inputs by the SDK's types: a line for each, beginning with its path.

    Components have no SDK and pass.
    """
    args = _args_class(token)
    if args is None:
        return []
    if token.startswith("pulumi:providers:"):  # structured provider properties travel as JSON
        inputs = {
            key: _decoded(value) if key in JSON_PROPERTIES or key.startswith("enable") else value
            for key, value in inputs.items()
        }
    return list(_check_object(args, inputs, ""))


# -- the wire --------------------------------------------------------------------------------------------------------


class _Answers(mocks.Mocks):
    def __init__(self, computed: Mapping[str, Mapping[str, Any]]) -> None:
        self._computed = computed

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]] | None]:
        raise InvalidInputsError(f"no provider function is expected to be called, but {args.token} is")

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        state = dict(args.inputs)
        if args.typ in _FALLBACKS:
            state |= _FALLBACKS[args.typ](args.name)
        return f"{args.name}-id", {**state, **self._computed.get(args.typ, {}), **self._computed.get(args.name, {})}


def _record(request: Any, urn: str, inputs: Mapping[str, Any], secrets: set[str]) -> RecordedResource:
    return RecordedResource(
        type=request.type,
        name=request.name,
        urn=urn,
        inputs=inputs,
        secrets=frozenset(secrets),
        parent=request.parent,
        dependencies=tuple(request.dependencies),
        provider=request.provider,
        protect=request.protect,
        retain_on_delete=request.retainOnDelete,
        delete_before_replace=request.deleteBeforeReplace,
        replace_on_changes=tuple(request.replaceOnChanges),
        delete_timeout=request.customTimeouts.delete,
    )


def _plain(value: Any, path: str, secrets: set[str]) -> Any:
    """A wire value without its secret wrappers, whose paths go to `secrets`."""
    if isinstance(value, dict):
        if value.get(_SIGNATURE) == _SECRET:
            secrets.add(path)
            return _plain(value["value"], path, secrets)
        return {key: _plain(inner, f"{path}.{key}", secrets) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner, f"{path}[{number}]", secrets) for number, inner in enumerate(value)]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _decoded(value: Any) -> Any:
    try:
        return json.loads(value)
    except (TypeError, ValueError):
        return value


async def _awaited(program: Callable[[], object]) -> None:
    await pulumi.Output.from_input(program()).future()


# -- the provider's types --------------------------------------------------------------------------------------------


def _args_class(token: str) -> type | None:
    """The SDK's class of a resource's inputs, by the resource's type token; None for what has no SDK."""
    package, module, name = token.split(":")
    if token.startswith("pulumi:providers:"):
        return typing.cast(type, importlib.import_module(f"pulumi_{name}").ProviderArgs)
    if package in ("pulumi", "observability"):
        return None
    if package == "kubernetes" and re.match(r"[\w-]+\.", module) and ".k8s.io/" not in module:
        return None  # a kind that some other program brings; its definition is the judge
    module = re.sub(r"^(\w+)(\.\w+)*\.k8s\.io/", r"\1/", module)  # networking.k8s.io/v1 is the package networking.v1
    folder = "" if module.startswith("index/") else "." + module.replace("/", ".").replace("-", "_")
    resource = getattr(importlib.import_module(f"pulumi_{package}{folder}"), name)
    home = importlib.import_module(resource.__module__)
    found = getattr(home, f"{name}InitArgs", None) or getattr(home, f"{name}Args")
    return typing.cast(type, found)


def _check_object(args: type, value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, Mapping):
        yield f"{path}: {value!r} is not a mapping ({args.__name__})"
        return
    properties = _types.input_type_types(args)
    for name in sorted(_types._required_property_names(args) - value.keys()):
        yield f"{_join(path, name)}: is required by {args.__name__}"
    for name, inner in value.items():
        if name in properties:
            yield from _check(properties[name], inner, _join(path, name))
        else:
            yield f"{_join(path, name)}: {args.__name__} has no such property; {suggest_name(name, properties)}"


def _check(annotation: Any, value: Any, path: str) -> Iterator[str]:
    annotation = _unwrapped(annotation)
    origin, parts = typing.get_origin(annotation), typing.get_args(annotation)
    if value == rpc.UNKNOWN or annotation is Any:
        return
    if origin in (typing.Union, types.UnionType):
        results = [list(_check(part, value, path)) for part in parts]
        yield from min(results, key=len, default=[])
    elif _types.is_input_type(annotation):
        yield from _check_object(annotation, value, path)
    elif origin in (collections.abc.Sequence, list):
        yield from _check_list(parts[0], value, path)
    elif origin in (collections.abc.Mapping, dict):
        yield from _check_mapping(parts[1], value, path)
    elif not _fits(annotation, value):
        yield f"{path}: {value!r} is not of type {getattr(annotation, '__name__', annotation)}"


def _check_list(inner: Any, value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, list):
        yield f"{path}: {value!r} is not a list"
        return
    for number, item in enumerate(value):
        yield from _check(inner, item, f"{path}[{number}]")


def _check_mapping(inner: Any, value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, Mapping):
        yield f"{path}: {value!r} is not a mapping"
        return
    for key, item in value.items():
        yield from _check(inner, item, _join(path, key))


def _fits(annotation: Any, value: Any) -> bool:
    if annotation in (int, float):
        return isinstance(value, int if annotation is int else (int, float)) and not isinstance(value, bool)
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        return value in [member.value for member in annotation]
    if typing.get_origin(annotation) is typing.Literal:
        return value in typing.get_args(annotation)
    return isinstance(annotation, type) and isinstance(value, annotation)


def _unwrapped(annotation: Any) -> Any:
    """A type without what may stand for it in a program: Awaitable, Output, None and TypedDict."""
    if typing.get_origin(annotation) not in (typing.Union, types.UnionType):
        return annotation
    own = [part for part in typing.get_args(annotation) if not _stands_in(part)]
    return typing.Union[tuple(own)] if own else Any  # noqa: UP007 - built from a list


def _stands_in(part: Any) -> bool:
    origin = typing.get_origin(part)
    return part is type(None) or origin in (collections.abc.Awaitable, pulumi.Output) or typing.is_typeddict(part)


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def by_name(resources: Sequence[RecordedResource], name: str, kind: str = "") -> RecordedResource:
    """The one resource of a provider with that name, and of the type `kind` (such as Container) where given.

    Raises:
        LookupError: there is none, or there are several.
    """
    candidates = [resource for resource in resources if resource.custom and resource.type.endswith(kind)]
    found = [resource for resource in candidates if resource.name == name]
    if len(found) != 1:
        hint = suggest_name(name, (resource.name for resource in candidates))
        raise LookupError(f"{len(found)} resources are called {name!r}; {hint}")
    return found[0]
