"""Who may come in from outside of the stack, and what for."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from model.addresses import HttpsUrl, Network
from model.base import Name, Pem, Strict
from model.errors import Inconsistent, Problem

FIRST_USER = "admin"
"""Who may sign in where the settings name nobody."""
Grant = Literal["people", "push", "federate", "silences"]
"""What may be allowed: reading for everybody who signs in, sending log lines, reading series as a Prometheus does,
and making or ending silences."""


class User(Strict):
    """Somebody who signs in."""

    name: Name
    """Name to sign in with."""
    password_secret: Name | None = None
    """Configuration key of the secret that holds the password; one called access-NAME-password is generated when
    absent."""

    @property
    def secret(self) -> str:
        """Name of the secret that holds the password."""
        return self.password_secret or f"access-{self.name}-password"


class Machine(User):
    """A program with a password of its own, which opens nothing else than it is for."""

    may: Annotated[tuple[Literal["push", "federate"], ...], Field(min_length=1)]
    """What it is for: push sends log lines to /loki/api/v1/push, federate reads /prometheus/federate."""


class Oidc(Strict):
    """An OpenID Connect provider at which people sign in: https://openid.net/specs/openid-connect-core-1_0.html."""

    issuer: HttpsUrl
    """The provider's issuer, below which /.well-known/openid-configuration lies."""
    client_id: Annotated[str, Field(min_length=1, pattern=r"^\S+$")]
    """The client that the provider knows this stack by; its redirect URL is BASE-URL/oauth2/callback."""
    client_secret: Name = "oidc-client-secret"  # noqa: S105 - its name
    """Configuration key of the secret that the client proves itself with."""
    groups: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    """Groups of which a person must be in one, by the claim `groups`; any when empty."""
    email_domains: tuple[Annotated[str, Field(pattern=r"^(\*|[a-z0-9.-]+)$", examples=["example.com"])], ...] = ()
    """Domains of which a person's address must have one; `*` is everybody whom the provider knows."""
    ca_certificate: Pem | None = None
    """Certificate that the provider's own one is trusted by, where that is not publicly trusted."""

    @model_validator(mode="after")
    def _check_choice(self) -> Oidc:
        if not (self.groups or self.email_domains):
            message = 'say who may come in: groups, or emailDomains (["*"] is everybody whom the provider knows)'
            raise Inconsistent([Problem("", message)])
        return self


class AccessSettings(Strict):
    """Who may come in through Traefik."""

    login: Literal["basic", "oidc", "none"] = "basic"
    """How people sign in: by a password, or at an OpenID Connect provider; none is for loopback alone. Grafana has a
    login of its own in any case."""
    oidc: Oidc | None = None
    """The provider, for the login oidc."""
    users: tuple[User, ...] = ()
    """Who may sign in; admin with a generated password when empty."""
    machines: tuple[Machine, ...] = ()
    """Programs with a password of their own."""
    trusted_proxies: tuple[Network, ...] = ()
    """Addresses of balancers and proxies in front of Traefik; from these alone the address of whoever asks
    (X-Forwarded-For) is believed."""
    silences: bool = False
    """Whether those who sign in may make and end silences; else this is for the stack's own network."""
    ports: tuple[Name, ...] = ()
    """Components whose own host port is opened on docker.bindAddress, past Traefik and its login, where that is not
    loopback; the ports of all others stay on loopback."""

    def list_users(self) -> tuple[User, ...]:
        """Everybody who may sign in with a password."""
        return self.users or (User(name=FIRST_USER),) if self.login == "basic" else ()

    def list_machines(self, grant: str) -> tuple[Machine, ...]:
        """The programs that have a grant."""
        return tuple(machine for machine in self.machines if grant in machine.may)

    @model_validator(mode="after")
    def _check_distinct(self) -> AccessSettings:
        problems = [
            Problem("users", "has an effect with login basic only; leave it out")
            for _ in self.users[:1]
            if self.login != "basic"
        ]
        if (self.login == "oidc") != (self.oidc is not None):
            message = "is required with login oidc" if self.oidc is None else "has an effect with login oidc only"
            problems.append(Problem("oidc", message))
        for key, items in (("users", self.users), ("machines", self.machines)):
            names = [item.name for item in items]
            problems += [
                Problem(f"{key}[{number}].name", f"{name!r} is declared twice")
                for number, name in enumerate(names)
                if name in names[:number]
            ]
        everyone = {user.name for user in self.list_users()}
        problems += [
            Problem(f"machines[{number}].name", f"{machine.name!r} is somebody who signs in; give the program its own")
            for number, machine in enumerate(self.machines)
            if machine.name in everyone
        ]
        if problems:
            raise Inconsistent(problems)
        return self
