"""A certificate authority of the stack's own, made of one random secret: the same secret gives the same certificates.

Keys are on the curve P-256, as browsers take no Ed25519; signatures are deterministic (RFC 6979). Format: X.509,
https://www.rfc-editor.org/rfc/rfc5280.
"""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

BEGIN, END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2046, 1, 1, tzinfo=UTC)
"""When the authority is valid; whoever trusts it need not do it again for its twenty years."""
YEARS = 2
"""Of a certificate, from the beginning of the year in which it is made: less than the 825 days that Apple allows for
authorities of one's own (https://support.apple.com/en-us/103769). The first run of each year makes a new one."""
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Of the curve P-256: https://www.rfc-editor.org/rfc/rfc5639."""


@cache
def issue_certificate(seed: str, host: str, year: int) -> Mapping[str, str]:
    """The authority's certificate, the chain and the key of a host, as PEM text.

    Args:
        seed: the random secret, 32 characters at least.
        host: name or IP address.
        year: the year in which it is made.

    Returns:
        The texts by part: authority, chain (certificate and authority), key.
    """
    own, key = _derive_key(seed, "authority"), _derive_key(seed, f"host {host} {year}")
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"monitoring {_derive_digest(seed, 'name').hex()[:8]}")])
    authority = _start_certificate(name, name, own, valid=(BEGIN, END), serial=_derive_digest(seed, "serial"))
    authority = authority.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    authority = authority.add_extension(_build_key_usage(authority=True), critical=True)
    leaf = _build_leaf(name, host, key, year, _derive_digest(seed, f"serial {host} {year}"))
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(own.public_key())
    leaf = leaf.add_extension(identifier, critical=False)
    signed = [builder.sign(own, hashes.SHA256(), ecdsa_deterministic=True) for builder in (authority, leaf)]
    texts = [certificate.public_bytes(serialization.Encoding.PEM).decode() for certificate in signed]
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return {"authority": texts[0], "chain": texts[1] + texts[0], "key": private.decode()}


def _build_leaf(
    issuer: x509.Name, host: str, key: ec.EllipticCurvePrivateKey, year: int, serial: bytes
) -> x509.CertificateBuilder:
    valid = (datetime(year, 1, 1, tzinfo=UTC), datetime(year + YEARS, 1, 1, tzinfo=UTC))
    builder = _start_certificate(x509.Name([]), issuer, key, valid=valid, serial=serial)
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    return (
        builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([_build_general_name(host)]), critical=True
        )  # critical where the subject is empty
        .add_extension(_build_key_usage(authority=False), critical=True)
        .add_extension(usage, critical=False)
    )


def _start_certificate(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    *,
    valid: tuple[datetime, datetime],
    serial: bytes,
) -> x509.CertificateBuilder:
    begin, end = valid
    number = int.from_bytes(serial[:16], "big") >> 1 or 1
    builder = x509.CertificateBuilder(subject_name=subject, issuer_name=issuer, public_key=key.public_key())
    builder = builder.serial_number(number).not_valid_before(begin).not_valid_after(end)
    return builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)


def _build_key_usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _build_general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host.strip("[]")))
    except ValueError:
        return x509.DNSName(host)


def _derive_key(seed: str, use: str) -> ec.EllipticCurvePrivateKey:
    number = int.from_bytes(_derive_digest(seed, f"key {use}"), "big") % (_ORDER - 1) + 1
    return ec.derive_private_key(number, ec.SECP256R1())


def _derive_digest(seed: str, use: str) -> bytes:
    return hashlib.sha512(f"{use}\n{seed}".encode()).digest()
