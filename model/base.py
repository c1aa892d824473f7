"""The strict base of everything read from YAML, and the small types that settings are made of."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Self, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, GetJsonSchemaHandler
from pydantic.alias_generators import to_camel
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from model.descriptions import list_descriptions

HOUR, DAY = 3600, 86_400
"""In seconds."""
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": float(HOUR), "d": float(DAY), "w": 7.0 * DAY, "y": 365.0 * DAY}
_BYTES = {"B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}
_SIZE = re.compile(r"([1-9]\d*)(B|KiB|MiB|GiB|TiB)")
LONGEST_NAME = 40
"""So that it fits into DNS labels of 63 characters together with what is put before and behind it."""
LEAST_MEMORY = "6MiB"
"""Docker starts no container with less: https://docs.docker.com/engine/containers/resource_constraints/."""
MOST_MEMORY = "64TiB"
"""What the largest hosts have."""
LONGEST_QUERY = "1h"
"""Beyond that, whoever asked is gone, and what is left takes one of the places that queries share."""
_LARGEST = 2**63 - 1
"""Sizes in bytes and durations in nanoseconds are 64-bit integers in everything that is configured."""

_NAME = r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$"
_KEY = r"^[a-z][a-z0-9]*([_-][a-z0-9]+)*$"
_DURATION = r"^([0-9]+y)?([0-9]+w)?([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?$"
_METRIC = r"^[a-zA-Z_:][a-zA-Z0-9_:]*$"
_LABEL = r"^([a-zA-Z]|_[a-zA-Z0-9])[a-zA-Z0-9_]*$"
_EXPOSED_LABEL = r"^(?:[a-zA-Z]|_[a-zA-Z0-9])[a-zA-Z0-9_]*$"
_DNS_LABEL = r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$"
_DNS_NAME = r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$"
_PEM = r"^-----BEGIN CERTIFICATE-----\n"
_HOST_PATH = r"^(/[^/\s'\"\\:]+)+$"
QUERY_LOG = r"^/prometheus/[A-Za-z0-9_-]+\.log$"
_CONTAINER = r"^[a-zA-Z0-9][a-zA-Z0-9_.-]*$"
_COMPOSE = r"^([a-z0-9][a-z0-9_-]*/)?[a-zA-Z0-9][a-zA-Z0-9_.-]*$"
_PROJECT_FILES = r"^[^/\s\\][^\\\n]*$"
_FILES = r"^/[^\s]*[^\s/]$"
LABEL_VALUE = r'^[^"\\\n]+$'
MATCHER = r'^([a-zA-Z_][a-zA-Z0-9_]*)(=~|!~|!=|=)"([^"\\\n]*)"$'
GROUP_LABEL = r"^(\.\.\.|[a-zA-Z][a-zA-Z0-9_]*|_[a-zA-Z0-9][a-zA-Z0-9_]*)$"
CLOCK = r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$"
_BUCKET = r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$"
_PATH = r"^/[^\s?#]*$"

PATTERN_TEXTS = {
    _NAME: "lower-case words of letters and digits, joined by dashes",
    _KEY: "lower-case words of letters and digits, joined by dashes or underscores",
    _DURATION: "a number and a unit of y, w, d, h, m, s or ms, the longest unit first",
    _METRIC: "letters, digits, underscores and colons, not starting with a digit; a dot is scraped as an underscore",
    _EXPOSED_LABEL: (
        "letters, digits and underscores, not starting with a digit or two underscores;"
        " a dot is scraped as an underscore"
    ),
    _LABEL: "letters, digits and underscores, not starting with a digit or two underscores",
    _DNS_LABEL: "lower-case letters, digits and dashes, with a letter or digit at both ends",
    _DNS_NAME: "lower-case letters, digits, dashes and dots, with a letter or digit at both ends of each part",
    _PEM: "the PEM text of a certificate, beginning with its own line -----BEGIN CERTIFICATE-----",
    _HOST_PATH: "an absolute path without spaces, quotes, colons or a slash at its end",
    _PATH: "a path that begins with a slash; what stands after it (?name=value) belongs to scrape: {params: ...}",
    QUERY_LOG: "a file of the data directory that ends in .log: no other directory is there to be written to",
    _CONTAINER: "letters, digits, underscores, dots and dashes, beginning with a letter or digit",
    _COMPOSE: "the name of a compose service, or project/service",
    _PROJECT_FILES: "a path from this file's folder, without a slash at its beginning; * may stand for names",
    _FILES: "an absolute path of files, in which * and ** may stand for names and folders",
    LABEL_VALUE: "text without quotes and backslashes",
    MATCHER: 'a label, one of = != =~ !~, and a value in double quotes without backslashes, such as team="shop"',
    GROUP_LABEL: 'the name of a label, or "..." for all of them',
    CLOCK: "a time of the day such as 08:30, 24:00 at the latest",
    _BUCKET: "3 to 63 lower-case letters, digits, dots and dashes, with a letter or digit at both ends",
}
"""What the patterns ask for, as it completes "must be ..."."""


class Strict(BaseModel):
    """Frozen, typed without coercion, and closed: an unknown key is an error. Keys are camelCase in YAML."""

    model_config = ConfigDict(
        defer_build=True,  # most models are only parts of others, and every command waits for what is built here
        frozen=True,
        extra="forbid",
        strict=True,
        allow_inf_nan=False,
        alias_generator=to_camel,
    )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """The JSON Schema, in which each key has the description of its field."""
        made = handler(schema)
        own = handler.resolve_ref_schema(made)
        for name, text in list_descriptions(cls).items():
            field = cls.model_fields[name]
            if text and not field.description:  # which pydantic writes itself
                own["properties"][field.alias or name]["description"] = text
        return made

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        """Itself, as nothing in it changes: pydantic copies a default for each model that has it."""
        return self


def list_models(annotation: Any) -> list[type[BaseModel]]:
    """The models an annotation can hold: itself, the values of a mapping, the items of a sequence, a union's parts."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for arg in get_args(annotation) for model in list_models(arg)]


def _check_duration(value: str) -> str:
    if not 0 < parse_duration(value) < _LARGEST / 1e9:
        raise ValueError("must be longer than zero and shorter than 293 years")
    return value


def _check_query_time(value: str) -> str:
    if parse_duration(value) > parse_duration(LONGEST_QUERY):
        raise ValueError(f"must be {LONGEST_QUERY} at most: nobody waits longer for a query")
    return value


def _check_size(value: str) -> str:
    if not 0 < parse_size(value) <= _LARGEST:
        raise ValueError("must be smaller than 8388608TiB")
    return value


def _check_memory(value: str) -> str:
    if parse_size(value) < parse_size(LEAST_MEMORY):
        raise ValueError(f"must be {LEAST_MEMORY} at least")
    if parse_size(value) > parse_size(MOST_MEMORY):
        raise ValueError(f"must be {MOST_MEMORY} at most: no host has more")
    return value


Name = Annotated[str, Field(pattern=_NAME, max_length=LONGEST_NAME)]
"""Lower-case words joined by dashes: safe as container, DNS and label name."""

ServiceKey = Annotated[str, Field(pattern=_KEY, max_length=LONGEST_NAME, examples=["user_service"])]
"""A service's key, spelt as compose spells the service; it is the label `service` of series and lines."""

Duration = Annotated[str, Field(pattern=_DURATION, examples=["30s", "15d"]), AfterValidator(_check_duration)]
"""A Prometheus duration such as 30s, 5m or 15d."""

RuleTime = Annotated[str, Field(pattern=_DURATION, min_length=2, examples=["0s", "5m"])]
"""A Prometheus duration that may be zero, as rule files have it."""

QueryTime = Annotated[Duration, AfterValidator(_check_query_time)]
"""How long a query may take."""

Size = Annotated[str, Field(examples=["512MiB", "10GiB"]), AfterValidator(_check_size)]
"""A size in binary units such as 512MiB."""

Memory = Annotated[Size, AfterValidator(_check_memory)]
"""A memory limit, such as 512MiB."""

ProjectFiles = Annotated[str, Field(pattern=_PROJECT_FILES, examples=["shop/*.json"])]
"""A path, or a pattern of paths (`*`, `**`, `?`), from the folder of the file that names it."""

DnsLabel = Annotated[str, Field(pattern=_DNS_LABEL, max_length=63, examples=["shop"])]
"""A name without dots as Kubernetes has it for namespaces of others, which may begin with a digit.

Source: https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#dns-label-names
"""

DnsName = Annotated[str, Field(pattern=_DNS_NAME, max_length=253)]
"""A name as DNS and Kubernetes have it, such as monitoring.example.com."""

HttpPath = Annotated[str, Field(pattern=_PATH, examples=["/metrics"])]
"""The path of an address, without a query."""

Bucket = Annotated[str, Field(pattern=_BUCKET, examples=["company-logs"])]
"""A bucket's name: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html."""

ContainerName = Annotated[str, Field(pattern=_CONTAINER, examples=["shop-api"])]
"""A container's name, or that of a compose service."""

ComposeService = Annotated[str, Field(pattern=_COMPOSE, examples=["backend", "shop/backend"])]
"""A service of any compose project, or of one: https://docs.docker.com/compose/how-tos/project-name/."""

Files = Annotated[str, Field(pattern=_FILES, examples=["/var/log/shop/*.log"])]
"""A pattern of absolute paths: https://github.com/bmatcuk/doublestar#patterns."""

Pem = Annotated[str, Field(pattern=_PEM)]
"""One certificate or several, as text; no secret."""

HostPath = Annotated[str, Field(pattern=_HOST_PATH, examples=["/run/user/1000/docker.sock"])]
"""An absolute path on the engine's host; what stands in it needs no quoting anywhere."""

PortNumber = Annotated[int, Field(ge=1, le=65535)]
"""A TCP port, 1 to 65535."""

MetricName = Annotated[str, Field(pattern=_METRIC)]
"""A Prometheus metric name."""

LabelName = Annotated[str, Field(pattern=_LABEL)]
"""A Prometheus label name."""


ExposedLabel = Annotated[str, Field(pattern=_EXPOSED_LABEL)]
"""The name of a label that a service exposes, as it is stored.

Source: https://prometheus.io/docs/instrumenting/escaping_schemes/
"""


def is_name(text: str) -> bool:
    """Whether a text is a `Name`."""
    return bool(re.fullmatch(_NAME, text)) and len(text) <= LONGEST_NAME


def fold_key(key: str) -> str:
    """A service's key as a `Name`, for whatever takes no underscores: `fold_key("user_service") == "user-service"`."""
    return key.replace("_", "-")


def derive_label_name(text: str) -> str:
    """A text as the name of a label: `derive_label_name("log.level") == "log_level"`."""
    name = re.sub(r"[^a-zA-Z0-9_]", "_", text)
    return f"_{name}" if name[:1].isdigit() else name


def is_dns_name(host: str) -> bool:
    """Whether a host is a name, not an address: `is_dns_name("10.0.0.1")` is False."""
    return bool(re.fullmatch(_DNS_NAME, host)) and not re.fullmatch(r"[0-9.]+", host)


def escape_dollars(value: Any) -> Any:
    """Plain data with each `$` of its texts twice: Compose and the Collector take a single one for a variable."""
    if isinstance(value, str):
        return value.replace("$", "$$")
    if isinstance(value, Mapping):
        return {key: escape_dollars(inner) for key, inner in value.items()}
    return [escape_dollars(inner) for inner in value] if isinstance(value, (list, tuple)) else value


@functools.cache  # every alert's `for` is compared, and there are few different ones
def parse_duration(duration: str) -> float:
    """The length of a Prometheus duration in seconds: `parse_duration("1h30m") == 5400.0`."""
    parts = re.findall(r"(\d+)(ms|[smhdwy])", duration)
    return sum(int(number) * _SECONDS[unit] for number, unit in parts)


def format_go_duration(duration: str) -> str:
    """A duration as Go's own parser reads it, which knows no days: `format_go_duration("1d") == "24h"`.

    Source: https://pkg.go.dev/time#ParseDuration
    """
    return format_duration(parse_duration(duration), ("h", "m", "s", "ms"))


def format_duration(length: float, units: Sequence[str] = ("d", "h", "m", "s", "ms")) -> str:
    """Seconds as a Prometheus duration: `format_duration(150) == "2m30s"`; what is below a millisecond is cut off."""
    left, text = int(length * 1000), ""
    for unit in units:
        count, left = divmod(left, round(_SECONDS[unit] * 1000))
        text += f"{count}{unit}" if count else ""
    return text or "0s"


def parse_size(size: str) -> int:
    """The number of bytes of a size: `parse_size("512MiB") == 536870912`.

    Raises:
        ValueError: the text is not a size.
    """
    match = _SIZE.fullmatch(size)
    if not match:
        raise ValueError("must be a whole number and a unit of B, KiB, MiB, GiB or TiB, such as 512MiB")
    return int(match[1]) * _BYTES[match[2]]
