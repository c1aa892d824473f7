"""Addresses as settings: hosts with ports, URLs, image registries and IP addresses."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated

from pydantic import AfterValidator, Field

LARGEST_PORT = 65535
_OWN_PORTS = {"http": 80, "https": 443}
"""Ports of the schemes, which browsers leave out."""
PORT_TEXT = f"the port must be a number from 1 to {LARGEST_PORT}"
OWN_TEXT = (
    "is the container that asks, and nothing else; give a container's name, or host.docker.internal for a"
    " process of the Docker host (services and databases: onHost: true)"
)
_HOST = r"([A-Za-z0-9._-]+|\[[0-9a-fA-F:]+\])"
_REGISTRY = r"^([A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+|[A-Za-z0-9.-]+:[1-9][0-9]{0,4})$"
_HOST_PORT = rf"^{_HOST}:([1-9][0-9]{{0,4}})$"
_ENDPOINT = rf"^{_HOST}(:[1-9][0-9]{{0,4}})?$"
_URL = r"^https?://[^/\s?#]+([/?#]\S*)?$"
_SECURE = r"^https://[^/\s?#]+([/?#]\S*)?$"
_LINK = r"^(https?://[^/\s?#]+(/[^\s?#]*)?)?$"
_ORIGIN = r"^https?://[^/\s?#]+$"
_PAGE = r"^https?://([a-z0-9_-]+(\.[a-z0-9_-]+)*|\[[0-9a-f:]+\])(:[1-9][0-9]{0,4})?$"
_HEALTH = r"^(/[^\s#]*|https?://[^\s/?#]+(/[^\s#]*)?)$"

PATTERN_TEXTS = {
    _REGISTRY: "a registry's host, with a port where it has one, without a scheme or path",
    _HOST_PORT: "a host and a port, host:port",
    _ENDPOINT: "a host, with a port where it has one, without a scheme or path",
    _URL: "an address that begins with http:// or https:// and a host",
    _SECURE: "an address that begins with https:// and a host",
    _LINK: "an address that begins with http:// or https:// and a host, without ? or #, or nothing for no links",
    _HEALTH: "a path that begins with a slash, or a whole address that begins with http:// or https://",
    _PAGE: (
        "http:// or https:// and the whole name of a host, without *, with a port from 1 to 65535 where it is not the"
        " scheme's own, such as https://shop.example.com"
    ),
    _ORIGIN: "http:// or https:// and a host, with a port where it has one, without a path",
}
"""What the patterns ask for, as it completes "must be ..."."""

_END = re.compile(r"[/?#]")
_ABOUT_PAGE = re.compile(r"(https?)://(?:[^/?#@]*@)?(\[[^\]]*\]|[^/?#@:]*)(?::([0-9]*))?(?:[/?#].*)?", re.IGNORECASE)
_IN_BRACKETS = re.compile(r"^\[([^\]]*)\]")


def _parse_authority(address: str) -> str:
    """The host of an address and its port: `_parse_authority("http://me@h:80/x") == "h:80"`."""
    rest = address.partition("://")[2] or address
    end = _END.search(rest)
    return (rest[: end.start()] if end else rest).rpartition("@")[2]


def _check_port(value: str) -> str:
    authority = _parse_authority(value)
    if authority.startswith("["):
        authority = _IN_BRACKETS.sub("host", authority)
    host, colon, port = authority.partition(":")
    if not host:
        raise ValueError("must have a host")
    if colon and not (port.isdecimal() and 1 <= int(port) <= LARGEST_PORT):
        raise ValueError(PORT_TEXT)
    return value


def _check_link(value: str) -> str:
    return _check_port(value) if "://" in value else value


def _check_engine(value: str) -> str:
    return value if value.startswith(("unix://", "npipe://")) else _check_port(value)


def _check_ip(value: str) -> str:
    try:
        ipaddress.ip_address(value)
    except ValueError:
        raise ValueError("must be an IP address of the host, such as 127.0.0.1") from None
    return value


def _check_network(value: str) -> str:
    try:
        ipaddress.ip_network(value)
    except ValueError:
        raise ValueError("must be an IP address or a network such as 10.0.0.0/8, without bits of hosts") from None
    return value


def _check_not_own_host(value: str) -> str:
    if is_own_host(value):
        raise ValueError(OWN_TEXT)
    return value


def _check_host_port(value: str) -> str:
    """Both checks of what is known to be host:port: of these there may be 100,000."""
    host, _, port = value.rpartition(":")
    if int(port) > LARGEST_PORT:
        raise ValueError(PORT_TEXT)
    if _is_own_name(host.removeprefix("[").removesuffix("]"), address=host.startswith("[")):
        raise ValueError(OWN_TEXT)
    return value


def derive_page_origin(address: str) -> str | None:
    """What browsers send as the origin of a page at an address; None where it is none of a page.

    Source: https://html.spec.whatwg.org/multipage/browsers.html#ascii-serialisation-of-an-origin
    """
    if not (parts := _ABOUT_PAGE.fullmatch(address)):
        return None
    scheme, name, port = parts[1].lower(), parts[2], parts[3]
    try:
        if name.startswith("["):
            host = f"[{ipaddress.IPv6Address(name[1:-1])}]"
        elif name.rpartition(".")[2].isdecimal():
            host = str(ipaddress.IPv4Address(name))
        else:
            host = name.lower() if name.isascii() else name.encode("idna").decode()
    except ValueError:
        return None
    if port and not 1 <= int(port) <= LARGEST_PORT:
        return None
    own = not port or int(port) == _OWN_PORTS[scheme]
    origin = f"{scheme}://{host}" + ("" if own else f":{int(port)}")
    return origin if re.fullmatch(_PAGE, origin) else None


def _check_page_origin(value: str) -> str:
    if (origin := derive_page_origin(value)) is None:
        raise ValueError(f"must be {PATTERN_TEXTS[_PAGE]}")
    if origin != value:
        raise ValueError(f"browsers send {origin} as the origin of these pages; write it so")
    return value


def _check_endpoint(value: str) -> str:
    return value if value.startswith("/") else _check_not_own_host(_check_port(value))


Elsewhere = AfterValidator(_check_not_own_host)
"""Refuses an address, with or without scheme and path, by which a container asks nobody but itself."""

PossiblePort = AfterValidator(_check_port)
"""Refuses an address, with or without scheme and path, whose port no host can have."""

HostPort = Annotated[str, Field(pattern=_HOST_PORT, examples=["db.internal:5432"]), AfterValidator(_check_host_port)]
"""host:port, such as db.internal:5432 or [fd00::5]:5432."""

Endpoint = Annotated[str, Field(pattern=_ENDPOINT, examples=["minio.internal:9000"]), PossiblePort, Elsewhere]
"""A host with or without a port, such as s3.example.com."""

HttpUrl = Annotated[str, Field(pattern=_URL, examples=["http://hooks.example.com/alerts"]), PossiblePort, Elsewhere]
"""An address that a container of the stack calls."""

HealthEndpoint = Annotated[
    str,
    Field(pattern=_HEALTH, examples=["/health", "https://shop.example.com/ready?full=1"]),
    AfterValidator(_check_endpoint),
]
"""A path at each of a service's addresses, or an address of its own, with a query where it has one."""

PageOrigin = Annotated[
    str,
    AfterValidator(_check_page_origin),
    Field(examples=["https://shop.example.com"], json_schema_extra={"pattern": _PAGE}),
]
"""Scheme, host and port of a page, just as browsers send it: it is compared letter by letter."""

HttpOrigin = Annotated[str, Field(pattern=_ORIGIN, examples=["http://api:4000"]), PossiblePort, Elsewhere]
"""An address without a path, to which paths are added."""

HttpsUrl = Annotated[str, Field(pattern=_SECURE, examples=["https://login.example.com/realms/company"]), PossiblePort]
"""An address that is reached by TLS alone."""

LinkBase = Annotated[
    str,
    Field(pattern=_LINK, examples=["https://git.example.com/monitoring/docs/runbooks"]),
    AfterValidator(_check_link),
]
"""What links of notifications begin with: an address without a query; empty where there are none."""

Engine = Annotated[
    str,
    Field(pattern=r"^(unix:///|npipe://|tcp://|ssh://).+$", examples=["tcp://10.0.0.5:2376"]),
    AfterValidator(_check_engine),
]
"""The address of a Docker engine."""

Registry = Annotated[str, Field(pattern=_REGISTRY, examples=["registry.example.com:5000"]), PossiblePort]
"""An image registry: host or host:port."""

IpAddress = Annotated[str, AfterValidator(_check_ip)]
"""An IPv4 or IPv6 address."""

Network = Annotated[str, Field(examples=["10.0.0.0/8"]), AfterValidator(_check_network)]
"""An IP address, or a network in CIDR notation."""


def is_loopback(host: str) -> bool:
    """Whether a host, a name or an IP address without brackets, is reached from itself alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def is_own_host(address: str) -> bool:
    """Whether an address means whoever asks, or none: `is_own_host("http://localhost:80/x")` is True.

    These are localhost and names below it, loopback addresses, and those that only a listener can have.
    """
    authority = _parse_authority(address)
    bracketed = _IN_BRACKETS.match(authority) if authority.startswith("[") else None
    host = bracketed[1] if bracketed else authority.partition(":")[0]
    return _is_own_name(host, address=bracketed is not None)


def _is_own_name(host: str, *, address: bool) -> bool:
    """The same of a host alone, without brackets; with `address` it stood in some, so that it is an IPv6 address."""
    host = host.rstrip(".").lower()
    if host in ("localhost", "ip6-localhost", "ip6-loopback") or host.endswith(".localhost"):
        return True
    if not address and not host.startswith(("127.", "0.")):
        return False  # as no other IPv4 address is one of these
    try:
        address_ip = ipaddress.ip_address(host)
    except ValueError:
        return False
    plain = getattr(address_ip, "ipv4_mapped", None) or address_ip
    return bool(plain.is_loopback or plain.is_unspecified)
