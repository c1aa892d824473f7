"""How a service's metrics are asked for where plain HTTP without a login is not enough.

The words are those of Prometheus' scrape_config:
https://prometheus.io/docs/prometheus/latest/configuration/configuration/#scrape_config.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from model.base import DnsName, Name, Pem, Strict
from model.errors import Inconsistent, Problem

HeaderName = Annotated[str, Field(pattern=r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")]
Protocol = Literal["PrometheusText0.0.4", "PrometheusText1.0.0", "OpenMetricsText0.0.1", "OpenMetricsText1.0.0"]
RESERVED = frozenset(
    {
        "accept", "accept-encoding", "authorization", "connection", "content-length", "host", "proxy-authorization",
        "te", "trailer", "transfer-encoding", "upgrade", "user-agent", "www-authenticate",
        "x-prometheus-scrape-timeout-seconds",
    }
)  # fmt: skip
"""Headers that Prometheus sets itself and refuses in its configuration: prometheus/common, config/headers.go."""


class BasicAuth(Strict):
    """A user and a password."""

    username: Annotated[str, Field(min_length=1)]
    """The user's name."""
    password_secret: Name
    """Configuration key of the secret that holds the password."""


class ScrapeTls(Strict):
    """How the certificate of an https endpoint is verified."""

    ca_certificate: Pem | None = None
    """PEM text of whoever signed it; the publicly trusted authorities when absent."""
    server_name: DnsName | None = None
    """The name that it must be for, where that is not the host of the address."""
    unverified_because: str | None = Field(default=None, min_length=10)
    """Why it is not verified at all, in words; it is verified when absent."""

    def build_config(self, certificate: str) -> dict[str, Any]:
        """Prometheus' tls_config, which blackbox_exporter shares; `certificate` is the path of `ca_certificate`."""
        return {
            **({"ca_file": certificate} if self.ca_certificate else {}),
            **({"server_name": self.server_name} if self.server_name else {}),
            **({"insecure_skip_verify": True} if self.unverified_because else {}),
        }

    @model_validator(mode="after")
    def _check_verified(self) -> ScrapeTls:
        if self.unverified_because and self.ca_certificate:
            raise Inconsistent(
                [Problem("caCertificate", "has no effect on what is not verified; leave unverifiedBecause out, or it")]
            )
        return self


class Scrape(Strict):
    """How metrics are asked for; of a service, what is absent is what the system says."""

    scheme: Literal["http", "https"] = "http"
    """The protocol."""
    tls: ScrapeTls | None = None
    """How the certificate of an https endpoint is verified."""
    basic_auth: BasicAuth | None = None
    """The login, where it is a user and a password."""
    bearer_token_secret: Name | None = None
    """Configuration key of the secret that holds the login, where it is a token."""
    params: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    """The query of the address: each parameter with its values."""
    headers: Mapping[HeaderName, str] = Field(default_factory=dict)
    """More headers of the request; none of them secret."""
    honor_labels: bool = False
    """Whether a series keeps its own labels where the target has some of the same names (service, environment, job,
    instance); they are renamed to exported_<name> when absent."""
    fallback_scrape_protocol: Protocol = "PrometheusText0.0.4"
    """What an answer without a content type, or with one that is none of metrics, is read as."""
    metric_name_escaping_scheme: Literal["underscores", "dots", "values"] = "underscores"
    """How names that PromQL's older rules do not know, such as those with dots, are written."""

    @model_validator(mode="after")
    def _check_consistency(self) -> Scrape:
        problems = []
        if self.basic_auth and self.bearer_token_secret:
            problems.append(Problem("bearerTokenSecret", "there is a basicAuth already; a request has one login"))
        problems += [
            Problem(f"headers.{name}", "is a header that Prometheus sets itself; choose another, or a key of its own")
            for name in self.headers
            if name.lower() in RESERVED
        ]
        if problems:
            raise Inconsistent(problems)
        return self

    def list_secrets(self) -> tuple[str, ...]:
        """The secrets that it names."""
        named = (self.basic_auth.password_secret if self.basic_auth else None, self.bearer_token_secret)
        return tuple(name for name in named if name)

    def complete(self, own: Scrape) -> Scrape:
        """This, with what `own` says itself in its place; a login of `own` replaces one of another kind.

        Plain HTTP has no certificate to verify, so nothing is left of `tls` there.
        """
        if not own.model_fields_set and (self.tls is None or self.scheme == "https"):
            return self
        said = {name: getattr(own, name) for name in own.model_fields_set}
        if said.get("basic_auth"):
            said["bearer_token_secret"] = None
        if said.get("bearer_token_secret"):
            said["basic_auth"] = None
        if said.get("scheme", self.scheme) == "http":
            said["tls"] = None
        return self.model_copy(update=said)


USUAL = Scrape()
"""What a service gets that says nothing."""
