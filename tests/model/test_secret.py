"""Secrets say what they are made of."""

from __future__ import annotations

from model.secret import Htpasswd, Issued, Secret


def test_a_secret_names_its_sources() -> None:
    """What is made of others names them; what is generated or configured has none."""
    users = Htpasswd(users={"ops": "ops-password", "guest": "guest-password"})
    assert Secret(name="users", purpose="p", made=users).list_sources() == ("ops-password", "guest-password")
    key = Issued(part="key", seed="authority", host="stack.example")
    assert Secret(name="key", purpose="p", made=key).list_sources() == ("authority",)
    assert Secret(name="alone", purpose="p", generate=True).list_sources() == ()
