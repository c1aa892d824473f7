"""Secrets as a plan names them: their purpose, and where their values come from; never a value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Htpasswd:
    """A file of users with bcrypt hashes, made of other secrets: the name of each user, and of the secret with its
    password.
    """

    users: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Issued:
    """Part of a certificate of the stack's own authority, as PEM text: the authority's own, the chain, or the key.

    `seed` is the secret that the authority is made of, `host` the name or address that the certificate is for.
    """

    part: Literal["authority", "chain", "key"]
    seed: str
    host: str


@dataclass(frozen=True, kw_only=True)
class Secret:
    """A secret of the stack: taken from the encrypted configuration key `name`, or generated when `generate` is set.

    `purpose` completes the sentence "the secret is ..." in error messages. `length` is in characters. What is `made` of
    other secrets is never in the configuration. `permanent` says why another value would not work and what to do
    instead, where it cannot be rotated; `after_rotation` says what people have to do themselves when it was.
    """

    name: str
    purpose: str
    generate: bool = False
    length: int = 32
    made: Htpasswd | Issued | None = None
    permanent: str = ""
    after_rotation: str = ""

    def list_sources(self) -> tuple[str, ...]:
        """Names of the secrets that it is made of."""
        if isinstance(self.made, Htpasswd):
            return tuple(self.made.users.values())
        return (self.made.seed,) if self.made else ()
