"""Secrets made of other secrets: files of users that a second run makes again."""

from __future__ import annotations

import bcrypt
import pulumi
import pytest

from components.entry.derived import COST, LONGEST, hash_password

SALT = bytes(range(16))


@pytest.mark.parametrize("password", ["a", "x" * LONGEST, "pässword"])
def test_bcrypt_accepts_the_hash(password: str) -> None:
    """Ours is bcrypt's own, at the cost that was chosen; the same password and salt give the same."""
    made = hash_password(password, SALT)
    assert made.startswith(f"$2b${COST}$") and bcrypt.checkpw(password.encode(), made.encode())
    assert hash_password(password, SALT) == made and hash_password(password, bytes(16)) != made


@pytest.mark.parametrize("password", ["", "x" * (LONGEST + 1)])
def test_what_bcrypt_would_cut_is_refused(password: str) -> None:
    """With the length, never with the password."""
    with pytest.raises(pulumi.RunError, match=f"must have 1 to {LONGEST} bytes, and this has {len(password)}"):
        hash_password(password, SALT)
