"""Lifetimes and renewals: what Traefik does by the lifetime that it is given."""

from __future__ import annotations

import pytest

from model.base import DAY, HOUR
from model.tls import LIFETIMES, Acme, compute_renewal


@pytest.mark.parametrize(
    ("lifetime", "before", "every"),
    [
        (12 * HOUR, 20 * 60, 60),
        (DAY, 6 * HOUR, 600),
        (160 * HOUR, 2 * DAY, 2 * HOUR),
        (45 * DAY, 10 * DAY, 12 * HOUR),
        (64 * DAY, 10 * DAY, 12 * HOUR),
        (90 * DAY, 30 * DAY, DAY),
        (365 * DAY, 120 * DAY, 7 * DAY),
    ],
)
def test_renewals_are_those_of_traefik(lifetime: int, before: float, every: float) -> None:
    """Source: pkg/provider/acme/provider.go of Traefik 3.7, as measured with short certificates."""
    assert compute_renewal(lifetime) == pytest.approx((before, every))


def test_renewals_come_before_the_end() -> None:
    """Of each profile, today and after 2027-02-10, when classic has 64 days: with time for several tries."""
    for name, lifetime in LIFETIMES.items():
        before, every = compute_renewal(lifetime)
        assert before < lifetime / 2, name
        assert before / every >= 20, name


def test_a_directory_has_a_store_of_its_own() -> None:
    """Also one that moved on its host, whose account Traefik would keep."""
    stores = {
        Acme.model_validate({"email": "a@example.com", "directory": directory}).derive_store_name("dev")
        for directory in ("staging", "production", "https://ca.example.com/a", "https://ca.example.com/b")
    }
    assert len(stores) == 4
    assert Acme(email="a@example.com").derive_store_name("dev") == "staging.json"
    assert Acme(email="a@example.com").derive_store_name("prod") == "production.json"
