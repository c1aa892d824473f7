"""Secrets that are made of other secrets: files of users, and a certificate of the stack's own authority.

What is random in them is kept in Pulumi's state, so that a second run makes the same: else each would be a change.
"""

from __future__ import annotations

import base64
import datetime
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace

import bcrypt
import pulumi
import pulumi_random as random

from components.entry.authority import issue_certificate
from model.naming import derive_resource_name
from model.secret import Htpasswd, Issued, Secret

COST = 10
"""Of bcrypt: some 65 ms of one core for each request that signs in, as Traefik remembers no result. 14 would be a
second; a generated password of 32 characters is not guessed at any cost."""
LONGEST = 72
"""Bytes of a password that bcrypt looks at: https://pypi.org/project/bcrypt/."""
_BCRYPT = str.maketrans(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
    "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
)
"""From the alphabet of Base64 to that of bcrypt."""


def derive_secrets(
    stack: str, secrets: Mapping[str, Secret], values: Mapping[str, pulumi.Output[str]], opts: pulumi.ResourceOptions
) -> dict[str, pulumi.Output[str]]:
    """The values of all secrets that are made of others, by name.

    Args:
        stack: the stack's name.
        secrets: every secret of the plan, by name.
        values: the values of those that are not made of others.
        opts: options of what keeps the random parts.
    """
    derived: dict[str, pulumi.Output[str]] = {}
    for secret in secrets.values():
        if isinstance(secret.made, Htpasswd):
            derived[secret.name] = _render_users_file(stack, secret.name, secret.made, values, opts)
        elif isinstance(secret.made, Issued):
            derived[secret.name] = _issue_certificate(secret.made, values[secret.made.seed])
    return derived


def find_authority(
    secrets: Mapping[str, Secret], values: Mapping[str, pulumi.Output[str]]
) -> pulumi.Output[str] | None:
    """The certificate of the stack's own authority, which is no secret; None where it has none."""
    for secret in secrets.values():
        if isinstance(secret.made, Issued):
            return pulumi.Output.unsecret(
                _issue_certificate(replace(secret.made, part="authority"), values[secret.made.seed])
            )
    return None


def hash_password(password: str, salt: bytes) -> str:
    """The bcrypt hash of a password with a salt of 16 bytes.

    Raises:
        pulumi.RunError: the password is longer than LONGEST bytes, or empty.
    """
    encoded = password.encode()
    if not 0 < len(encoded) <= LONGEST:
        raise pulumi.RunError(
            f"a password of the entry point must have 1 to {LONGEST} bytes, and this has {len(encoded)}"
        )
    text = base64.b64encode(salt).decode()[:22].translate(_BCRYPT)
    return bcrypt.hashpw(encoded, f"$2b${COST:02d}${text}".encode()).decode()


def _render_users_file(
    stack: str, name: str, file: Htpasswd, values: Mapping[str, pulumi.Output[str]], opts: pulumi.ResourceOptions
) -> pulumi.Output[str]:
    """Lines of user:hash, as htpasswd has them."""
    lines = []
    for user, secret in sorted(file.users.items()):
        salt = random.RandomId(
            derive_resource_name(stack, f"{name}-{user}-salt"),
            byte_length=16,
            keepers={"password": values[secret]},
            opts=opts,
        )
        lines.append(pulumi.Output.all(user, values[secret], salt.hex).apply(_render_user_line))
    return pulumi.Output.secret(pulumi.Output.concat(*lines))


def _render_user_line(parts: Sequence[str]) -> str:
    user, password, salt = parts
    return f"{user}:{hash_password(password, hashlib.sha256(salt.encode()).digest()[:16])}\n"


def _issue_certificate(issued: Issued, seed: pulumi.Output[str]) -> pulumi.Output[str]:
    year = datetime.datetime.now(datetime.UTC).year
    return pulumi.Output.secret(seed.apply(lambda text: issue_certificate(text, issued.host, year)[issued.part]))
