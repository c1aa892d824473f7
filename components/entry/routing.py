"""Traefik's dynamic configuration: who reaches which part of the stack by which requests, and how.

Format: https://doc.traefik.io/traefik/reference/routing-configuration/dynamic-configuration-methods/. A request that no
router opens ends at one that asks for the login too and answers 403, so that nothing falls through to Grafana.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from model.addresses import is_loopback
from model.component import Planned, Planning
from model.route import Opening, RequestLimits, Route
from model.settings import Settings
from model.workload import SECRETS_DIR

WEB, SECURE = "web", "websecure"
"""Entry points for people: plain HTTP, and TLS."""
RESOLVER = "acme"
USERS = "traefik-users"
CERTIFICATE, KEY = "traefik-certificate", "traefik-certificate-key"
PROXY, PROXY_PORT = "oauth2-proxy", 4180
"""Where it is known who signed in at an OpenID Connect provider."""
FORWARDED = {"trustForwardHeader": False, "authResponseHeaders": ["X-Auth-Request-User", "X-Auth-Request-Email"]}
"""Traefik says itself who asks; the rest is for services that show the name.

Source: https://doc.traefik.io/traefik/reference/routing-configuration/http/middlewares/forwardauth/
"""
GRANTS = ("push", "federate")
"""What machines may be for; each has a file of its users of its own."""
CIPHERS = tuple(
    f"TLS_ECDHE_{kind}_WITH_{cipher}"
    for kind in ("ECDSA", "RSA")
    for cipher in ("AES_128_GCM_SHA256", "AES_256_GCM_SHA384", "CHACHA20_POLY1305_SHA256")
)
"""Suites of TLS 1.2 with forward secrecy and authenticated encryption; those of 1.3 cannot be chosen.

Source: https://wiki.mozilla.org/Security/Server_Side_TLS (intermediate)
"""
PER_SECOND, BURST = 10, 100
"""Requests of one address, so that guessing passwords cannot take the processor: at cost 10 bcrypt needs some 65 ms of
one core for each. A page of a web interface asks for some dozens of files at once."""
RETRIES = {"attempts": 40, "initialInterval": "500ms", "timeout": "30s"}
"""A part that is started anew, as for a new password or image, is waited for: nobody sees that it was away. A request
that has been sent is never repeated.

Source: https://doc.traefik.io/traefik/reference/routing-configuration/http/middlewares/retry/
"""
YEAR = 31_536_000
"""Seconds; the least that preload lists of browsers accept."""
REMEMBERED = 7200
"""Seconds for which a browser does not ask again what it may send; Chromium allows no more."""
NOBODY = "255.255.255.255/32"
"""No request comes from this address: https://www.rfc-editor.org/rfc/rfc919."""


def build_config(context: Planned) -> dict[str, Any]:
    """The dynamic configuration as a dict: routers and services for each route, what they share, and TLS."""
    routes = context.telemetry.routes
    routers: dict[str, Any] = {}
    for route in routes:
        routers |= build_routers(context, route)
    if context.settings.tls.on:
        routers["_redirect"] = {
            "entryPoints": [WEB],
            "rule": build_host_rule(context.settings),
            "service": "noop@internal",
            "middlewares": ["redirect"],
        }
    services = {
        route.name: {"loadBalancer": {"servers": [{"url": route.url}]}} for route in routes if not _is_internal(route)
    }
    http = {"routers": routers, "middlewares": build_middlewares(context), "services": services}
    return {"http": http, **({"tls": build_tls(context.settings)} if context.settings.tls.on else {})}


# -- routers ---------------------------------------------------------------------------------------------------------


def build_routers(context: Planning, route: Route) -> dict[str, Any]:
    """The routers of a route by name; longer prefixes win over shorter ones, and what is open over what is closed."""
    access, routers = context.settings.access, {}

    def join_openings(*grants: str) -> str | None:
        """The requests that are open for one of the grants: "" for all of them, None for none."""
        openings = [_build_rule(context.settings, route, item) for item in route.open if item.grant in grants]
        return _join_rules(openings) if openings else None

    people = join_openings("people", *(["silences"] if access.silences else []))
    if people is not None:
        routers[route.name] = _build_router(context, route, people, above=1)
    for grant in GRANTS:
        if access.list_machines(grant) and (programs := join_openings(grant)) is not None:
            routers[f"{route.name}_{grant}"] = _build_router(context, route, programs, above=2, login=f"login-{grant}")
    if people != "":
        routers[f"{route.name}_closed"] = _build_router(context, route, "", above=0, denied=True)
    return routers


def _build_router(
    context: Planning, route: Route, rule: str, *, above: int, login: str = "login", denied: bool = False
) -> dict[str, Any]:
    settings, outer = context.settings, build_outer_path(context.settings, route.prefix)
    used = ["security-headers", *(["compress"] if login == "login" and not denied else [])]
    if list_origins(route) and not denied:
        used.insert(1, f"cors-{route.name}")  # before limits: pages may read no answer that does not name them
    if settings.access.login != "none" or login != "login":
        used += ["rate-limit", login] if route.login else []
    used += [f"{name}-{route.name}" for name in ("rate", "size")] if route.limits and not denied else []
    used += ["closed"] if denied else _list_stripped_prefixes(settings, route)
    used += [] if denied or _is_internal(route) else ["retry"]
    parts = [build_host_rule(settings), f"PathPrefix(`{outer}`)", *([rule] if rule else [])]
    router: dict[str, Any] = {
        "entryPoints": [SECURE if settings.tls.on else WEB],
        "rule": " && ".join(parts),
        "priority": len(outer) * 10 + above,
        "service": "noop@internal" if denied else route.url if _is_internal(route) else route.name,
        "middlewares": used,
    }
    if settings.tls.on:
        router["tls"] = {"certResolver": RESOLVER} if settings.tls.acme else {}
    return router


def _build_rule(settings: Settings, route: Route, opening: Opening) -> str:
    def match_below(path: str) -> str:
        return f"PathPrefix(`{build_outer_path(settings, route.prefix.rstrip('/') + path)}`)"

    parts = [_join_rules([f"Method(`{method}`)" for method in opening.methods])] if opening.methods else []
    parts += [_join_rules([match_below(path) for path in opening.paths])] if opening.paths != ("",) else []
    parts += [f"!{match_below(path)}" for path in opening.closed]
    parts += [_join_rules([f"Header(`Origin`, `{origin}`)" for origin in opening.origins])] if opening.origins else []
    return " && ".join(parts)


def _join_rules(rules: Sequence[str]) -> str:
    """Rules of which one must hold; none at all where one of them is no condition."""
    if not all(rules):
        return ""
    if len(rules) == 1:
        return f"({rules[0]})" if " && " in rules[0] else rules[0]
    return f"({' || '.join(f'({rule})' if ' && ' in rule else rule for rule in rules)})"


def _list_stripped_prefixes(settings: Settings, route: Route) -> list[str]:
    if route.strip:
        return [f"strip-{route.name}"]
    return ["strip-base"] if settings.base_path and not (route.whole or _is_internal(route)) else []


def _is_internal(route: Route) -> bool:
    return route.url.startswith("api@")


def build_outer_path(settings: Settings, prefix: str) -> str:
    """A prefix as people have it, below the path of the base URL."""
    return settings.base_path or "/" if prefix == "/" else settings.base_path + prefix


def build_host_rule(settings: Settings) -> str:
    """The names by which people reach the stack; loopback has several, and any other name leads nowhere."""
    names = [settings.host.strip("[]")]
    if is_loopback(names[0]):
        names = [*dict.fromkeys((*names, "localhost", "127.0.0.1", "::1"))]
    rules = [f"Host(`{name}`)" for name in names]
    return rules[0] if len(rules) == 1 else f"({' || '.join(rules)})"


# -- what routers share ----------------------------------------------------------------------------------------------


def build_middlewares(context: Planned) -> dict[str, Any]:
    """What requests and answers go through, by name."""
    settings, routes = context.settings, context.telemetry.routes
    middlewares: dict[str, Any] = {
        "security-headers": {"headers": build_headers(settings)},
        "compress": {"compress": {}},
        "closed": {"ipAllowList": {"sourceRange": [NOBODY]}},
        "retry": {"retry": RETRIES},
        "rate-limit": {"rateLimit": build_rate_limit(settings)},
    }
    if settings.access.list_users():
        middlewares["login"] = build_basic_auth(context, USERS)
    elif settings.access.login == "oidc":
        middlewares["login"] = {
            "forwardAuth": {"address": f"http://{context.address(PROXY, PROXY_PORT)}/", **FORWARDED}
        }
    for grant in GRANTS:
        if settings.access.list_machines(grant):
            middlewares[f"login-{grant}"] = build_basic_auth(context, f"{USERS}-{grant}")
    middlewares |= {
        f"strip-{route.name}": {"stripPrefix": {"prefixes": [build_outer_path(settings, route.prefix)]}}
        for route in routes
        if route.strip
    }
    for route in routes:
        if origins := list_origins(route):
            middlewares[f"cors-{route.name}"] = {"headers": build_cross_origin_headers(route, origins)}
        if route.limits:
            middlewares |= build_request_limits(settings, route.name, route.limits)
    if settings.base_path:
        middlewares["strip-base"] = {"stripPrefix": {"prefixes": [settings.base_path]}}
    if settings.tls.on:
        port = {} if settings.port == 443 else {"port": str(settings.port)}
        middlewares["redirect"] = {"redirectScheme": {"scheme": "https", "permanent": True, **port}}
    return middlewares


def build_headers(settings: Settings) -> dict[str, Any]:
    """Headers that browsers honour: no sniffing, no framing by others, no leaking of addresses."""
    values: dict[str, Any] = {
        "contentTypeNosniff": True,
        "customFrameOptionsValue": "SAMEORIGIN",
        "referrerPolicy": "same-origin",
    }
    if settings.base_url.startswith("https:") and settings.tls.hsts:
        values["stsSeconds"] = YEAR
        values["forceSTSHeader"] = True  # Traefik itself need not be the one that speaks TLS
    return values


def list_origins(route: Route) -> list[str]:
    """The origins of pages that may send to a route and read its answers."""
    return list(dict.fromkeys(origin for opening in route.open for origin in opening.origins))


def build_cross_origin_headers(route: Route, origins: Sequence[str]) -> dict[str, Any]:
    """What a page of another origin may send, and read of answers: Traefik's own, too, so Traefik alone says it.

    It also answers a browser's question before a request. Format:
    https://doc.traefik.io/traefik/reference/routing-configuration/http/middlewares/headers/#cors-headers
    """
    methods = dict.fromkeys(method for each in route.open if each.origins for method in each.methods)
    return {
        "accessControlAllowOriginList": list(origins),
        "accessControlAllowMethods": [method for method in methods if method != "OPTIONS"],
        "accessControlAllowHeaders": ["Content-Type"],
        "accessControlExposeHeaders": ["Retry-After"],
        "accessControlMaxAge": REMEMBERED,
        "addVaryHeader": True,
    }


def build_basic_auth(context: Planning, users: str) -> dict[str, Any]:
    """Whoever is in a file of users. The password goes no further than Traefik.

    Source: https://doc.traefik.io/traefik/reference/routing-configuration/http/middlewares/basicauth/
    """
    file = f"{SECRETS_DIR}/{users}"
    return {"basicAuth": {"usersFile": file, "realm": f"monitoring {context.stack}", "removeHeader": True}}


def build_request_limits(settings: Settings, name: str, limits: RequestLimits) -> dict[str, Any]:
    """How often, and how much at once, whoever needs no login may send.

    Source: https://doc.traefik.io/traefik/reference/routing-configuration/http/middlewares/buffering/
    """
    size = {"maxRequestBodyBytes": limits.body, "memRequestBodyBytes": limits.body}
    return {
        f"rate-{name}": {"rateLimit": build_rate_limit(settings, limits.per_second, limits.burst)},
        f"size-{name}": {"buffering": size},
    }


def build_rate_limit(settings: Settings, average: int = PER_SECOND, burst: int = BURST) -> dict[str, Any]:
    """So many requests of one address; behind trusted proxies the address is the one that they name."""
    limit: dict[str, Any] = {"average": average, "period": "1s", "burst": burst}
    if settings.access.trusted_proxies:
        limit["sourceCriterion"] = {"ipStrategy": {"excludedIPs": list(settings.access.trusted_proxies)}}
    return limit


def build_tls(settings: Settings) -> dict[str, Any]:
    """Versions and ciphers, and the certificate where Traefik does not order one."""
    minimum = settings.tls.minimum_version.replace(".", "")
    options: dict[str, Any] = {"minVersion": f"VersionTLS{minimum}", "alpnProtocols": ["h2", "http/1.1", "acme-tls/1"]}
    if settings.tls.minimum_version == "1.2":
        options["cipherSuites"] = list(CIPHERS)
    document: dict[str, Any] = {"options": {"default": options}}
    if not settings.tls.acme:
        files = {"certFile": f"{SECRETS_DIR}/{CERTIFICATE}", "keyFile": f"{SECRETS_DIR}/{KEY}"}
        document["stores"] = {"default": {"defaultCertificate": files}}
    return document


def list_users(context: Planning) -> Mapping[str, Mapping[str, str]]:
    """The files of users, by the secret that is such a file: names, and the secrets that hold their passwords."""
    access = context.settings.access
    files = {USERS: access.list_users()} | {f"{USERS}-{grant}": access.list_machines(grant) for grant in GRANTS}
    return {name: {user.name: user.secret for user in people} for name, people in files.items() if people}
