"""How people reach the stack by TLS: a certificate authority, certificates of one's own, or none on loopback.

Lifetimes of Let's Encrypt's profiles: https://letsencrypt.org/docs/profiles/. Traefik's options:
https://doc.traefik.io/traefik/reference/install-configuration/tls/certificate-resolvers/acme/.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, model_validator

from model.addresses import HttpsUrl, PossiblePort
from model.base import DAY, HOUR, Duration, Name, Pem, Strict, format_duration, parse_duration
from model.errors import Inconsistent, Problem

DIRECTORIES = {
    "production": "https://acme-v02.api.letsencrypt.org/directory",
    "staging": "https://acme-staging-v02.api.letsencrypt.org/directory",
}
"""Let's Encrypt's own directories: https://letsencrypt.org/docs/acme-protocol-updates/."""
LIFETIMES = {"classic": 64 * DAY, "tlsserver": 45 * DAY, "shortlived": 160 * HOUR}
"""Seconds that a certificate of a profile is valid, at least: classic has 90 days until 2027-02-10 and 64 from then on,
and is renewed ten days before its end with either."""
PRODUCTION = ("prod", "production")
"""Environments that have certificates which browsers trust, unless the settings say otherwise."""
_RENEWALS = ((8760, 2880, 168), (2160, 720, 24), (720, 240, 12), (144, 48, 2), (24, 6, 1 / 6), (0, 1 / 3, 1 / 60))
"""What Traefik 3.7 does by the *configured* lifetime: from so many hours on it renews so many hours before the end, and
looks every so many hours."""

Variable = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$", examples=["CF_DNS_API_TOKEN"])]
Resolver = Annotated[str, Field(pattern=r"^[^\s:]+:[0-9]+$", examples=["1.1.1.1:53"]), PossiblePort]


class Dns(Strict):
    """A DNS provider that proves the possession of a name: https://go-acme.github.io/lego/dns/."""

    provider: Annotated[str, Field(pattern=r"^[a-z0-9]+$", examples=["cloudflare"])]
    """Code of the provider, as lego has it."""
    credentials: Mapping[Variable, Name] = Field(default_factory=dict)
    """The provider's variables, each with the configuration key of the secret that it names a file of."""
    resolvers: tuple[
        Annotated[str, Field(pattern=r"^[^\s:]+:[0-9]+$", examples=["1.1.1.1:53"]), PossiblePort], ...
    ] = ()
    """Name servers that are asked whether the record is there; the system's own when absent."""


class Acme(Strict):
    """Certificates of a certificate authority that speaks ACME (RFC 8555), such as Let's Encrypt."""

    email: Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$", examples=["ops@example.com"])]
    """Address of the account; Let's Encrypt sends no mail before a certificate ends."""
    directory: (
        Literal["production", "staging"]
        | Annotated[HttpsUrl, Field(examples=["https://ca.example.com/acme/directory"])]
        | None
    ) = None
    """Let's Encrypt's production or staging, or the address of another directory; production where the environment is
    called prod or production, and staging elsewhere, when absent."""
    challenge: Literal["http", "tls-alpn", "dns"] = "http"
    """How the name is proven: a request on port 80, a handshake on port 443, or a record."""
    dns: Dns | None = None
    """The DNS provider, for the challenge dns."""
    profile: Literal["classic", "tlsserver", "shortlived"] | None = None
    """Certificate profile that is ordered: Let's Encrypt's 90, 45 and 6 days; the authority's choice when absent."""
    lifetime: Duration | None = None
    """How long certificates of another authority than Let's Encrypt are valid, by which Traefik renews; 90d when
    absent."""
    ca_certificate: Pem | None = None
    """Certificate that the directory's own one is trusted by, for an authority that is not publicly trusted."""

    @property
    def letsencrypt(self) -> bool:
        """Whether it is Let's Encrypt, whose profiles and lifetimes are known."""
        return self.directory is None or self.directory in DIRECTORIES or self.directory in DIRECTORIES.values()

    @property
    def lifetime_seconds(self) -> float:
        """How long a certificate is valid, in seconds."""
        if self.lifetime:
            return parse_duration(self.lifetime)
        if self.letsencrypt:
            return LIFETIMES[self.profile or "classic"]
        return 90 * DAY

    def get_directory_url(self, environment: str) -> str:
        """Address of the directory in an environment."""
        named = self.directory or ("production" if environment in PRODUCTION else "staging")
        return DIRECTORIES.get(named, named)

    def derive_store_name(self, environment: str) -> str:
        """Name of the file with account and certificates: another one for each directory, so that none are mixed."""
        address = self.get_directory_url(environment)
        known = {url: name for name, url in DIRECTORIES.items()}
        return f"{known.get(address, hashlib.sha256(address.encode()).hexdigest()[:12])}.json"

    @model_validator(mode="after")
    def _check_fit(self) -> Acme:
        problems = []
        if (self.challenge == "dns") != (self.dns is not None):
            message = "is required with challenge dns" if self.dns is None else "has an effect with challenge dns only"
            problems.append(Problem("dns", message))
        lifetime = LIFETIMES[self.profile or "classic"]
        if self.lifetime and self.letsencrypt and parse_duration(self.lifetime) != lifetime:
            message = (
                f"{self.lifetime!r} contradicts the profile {self.profile or 'classic'}, whose certificates are"
                f" valid for {format_duration(lifetime)}: renewals would come too late or too often; leave it out"
            )
            problems.append(Problem("lifetime", message))
        if self.lifetime and parse_duration(self.lifetime) < HOUR:
            problems.append(Problem("lifetime", f"{self.lifetime!r} must be an hour at least, as Traefik counts hours"))
        if self.ca_certificate and self.letsencrypt:
            problems.append(Problem("caCertificate", "is for another directory than Let's Encrypt's; leave it out"))
        if problems:
            raise Inconsistent(problems)
        return self


class CertificateFiles(Strict):
    """A certificate that somebody else renews."""

    certificate_secret: Name
    """Configuration key of the secret that holds the certificate and its chain as PEM text."""
    key_secret: Name
    """Configuration key of the secret that holds its private key as PEM text."""


class TlsSettings(Strict):
    """TLS of the stack's one entry point."""

    mode: Literal["none", "acme", "files", "internal"] = "none"
    """Where the certificate comes from: none is for loopback, and for an ingress that has one; internal is an authority
    of the stack's own, whose certificate people import (`pulumi stack output caCertificate`)."""
    acme: Acme | None = None
    """The certificate authority, for the mode acme."""
    files: CertificateFiles | None = None
    """The certificate, for the mode files."""
    minimum_version: Literal["1.2", "1.3"] = "1.2"
    """Oldest version of TLS that is spoken."""
    hsts: bool = True
    """Browsers remember for a year to use https:// alone (Strict-Transport-Security)."""

    @property
    def on(self) -> bool:
        """Whether the stack itself speaks TLS."""
        return self.mode != "none"

    @model_validator(mode="after")
    def _check_source(self) -> TlsSettings:
        sections = {"acme": self.acme, "files": self.files}
        problems = [
            Problem(
                name, f"is required with mode {name}" if section is None else f"has an effect with mode {name} only"
            )
            for name, section in sections.items()
            if (section is not None) != (self.mode == name)
        ]
        if not self.on:
            problems += [
                Problem(name, "has an effect with TLS only; leave it out, or choose a mode")
                for name, field in (("minimumVersion", "minimum_version"), ("hsts", "hsts"))
                if field in self.model_fields_set
            ]
        if problems:
            raise Inconsistent(problems)
        return self


def compute_renewal(lifetime: float) -> tuple[float, float]:
    """When Traefik renews certificates that it takes for valid for `lifetime` seconds, and how often it looks.

    Returns:
        Seconds before the end, and seconds between two looks: `compute_renewal(160 * HOUR) == (172800, 7200)`.
    """
    hours = lifetime / HOUR
    before, every = next((before, every) for least, before, every in _RENEWALS if hours >= least)
    return before * HOUR, every * HOUR
