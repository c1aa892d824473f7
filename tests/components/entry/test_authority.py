"""The stack's own authority: the same secret gives the same certificates, which others can verify."""

from __future__ import annotations

import ssl

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.verification import PolicyBuilder, Store

from components.entry.authority import YEARS, issue_certificate

SEED = "s" * 64


def test_the_same_secret_gives_the_same(tmp_path: object) -> None:
    """Else each run would be a change; another secret, host or year gives another certificate."""
    made = issue_certificate(SEED, "m.example.com", 2026)
    assert issue_certificate.__wrapped__(SEED, "m.example.com", 2026) == made
    others = [
        issue_certificate("t" * 64, "m.example.com", 2026),
        issue_certificate(SEED, "n.example.com", 2026),
        issue_certificate(SEED, "m.example.com", 2027),
    ]
    assert len({made["chain"], *(other["chain"] for other in others)}) == 4
    assert len({made["key"], *(other["key"] for other in others)}) == 4
    assert others[2]["authority"] == made["authority"], "it is trusted once"


@pytest.mark.parametrize("host", ["m.example.com", "localhost"])
def test_a_verifier_accepts_the_chain(host: str) -> None:
    """By the rules for the web: names, usage, basic constraints, identifiers."""
    made = issue_certificate(SEED, host, 2026)
    leaf, authority = x509.load_pem_x509_certificates(made["chain"].encode())
    store = Store([x509.load_pem_x509_certificate(made["authority"].encode())])
    when = leaf.not_valid_before_utc.replace(month=11)
    builder = PolicyBuilder().store(store).time(when)
    chain = builder.build_server_verifier(x509.DNSName(host)).verify(leaf, [])
    assert chain[-1] == authority
    key = load_pem_private_key(made["key"].encode(), None)
    assert key.public_key() == leaf.public_key()
    ssl.create_default_context(cadata=made["authority"])


def test_it_is_renewed_once_a_year() -> None:
    """Whoever runs the program each year always has a year left; no certificate is longer than Apple allows."""
    (leaf, _) = x509.load_pem_x509_certificates(issue_certificate(SEED, "10.0.0.5", 2026)["chain"].encode())
    assert leaf.not_valid_after_utc.year == 2026 + YEARS
    assert (leaf.not_valid_after_utc - leaf.not_valid_before_utc).days <= 825
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(address) for address in names.get_values_for_type(x509.IPAddress)] == ["10.0.0.5"]
