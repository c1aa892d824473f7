"""Paths of the entry point: which requests come in from outside of the stack, and where they go."""

from __future__ import annotations

from dataclasses import dataclass

from model.access import Grant

READ = ("GET", "HEAD")
"""Methods that change nothing."""


@dataclass(frozen=True, kw_only=True)
class Opening:
    """Requests below a route's prefix that come in from outside of the stack, for whoever has the grant.

    `methods` are those of the requests, all of them when empty; `paths` are prefixes below the route's own one, and
    `closed` those among them that stay closed. `grant` is one of `model.access.Grant`. Where there are `origins`, a
    request says that it comes from a page of one of them, which may read the answer; `methods` then have OPTIONS, by
    which browsers ask before they send.
    """

    methods: tuple[str, ...] = READ
    paths: tuple[str, ...] = ("",)
    closed: tuple[str, ...] = ()
    grant: Grant = "people"
    origins: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class RequestLimits:
    """What one address may send in the long run, in requests per second, and at once; and bytes of one request."""

    per_second: int
    burst: int
    body: int


@dataclass(frozen=True, kw_only=True)
class Route:
    """A path prefix that Traefik sends to `url`; `strip` removes the prefix before the service sees it.

    Only what is in `open` comes in. What has a login of its own has no other in front of it: `login`. A service that
    knows its own outer path takes the base URL's as it comes: `whole`. `page` is the path of what people open there.
    `limits` bound what is open without a login.
    """

    name: str
    prefix: str
    url: str
    strip: bool = False
    login: bool = True
    open: tuple[Opening, ...] = (Opening(methods=()),)
    whole: bool = False
    page: str | None = None
    limits: RequestLimits | None = None
