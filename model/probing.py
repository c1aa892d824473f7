"""How the health endpoints of a service are asked from outside.

The words are those of blackbox_exporter's module http:
https://github.com/prometheus/blackbox_exporter/blob/master/CONFIGURATION.md.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from model.base import DnsName, PortNumber, Strict
from model.scraping import ScrapeTls

_AROUND = re.compile(r"^https?://[^/?#]*|[?#].*")


def _check_pattern(value: str) -> str:
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(f"must be a regular expression: {error}") from None
    return value


Status = Annotated[int, Field(ge=100, le=599)]
Pattern = Annotated[str, Field(min_length=1), AfterValidator(_check_pattern)]


class Probe(Strict):
    """How health endpoints are asked; of a service, what is absent is what the system says."""

    port: PortNumber | None = None
    """The port of health endpoints that are paths; that of the metrics when absent."""
    scheme: Literal["http", "https"] | None = None
    """Their protocol; that of the metrics when absent, and http on a port of their own."""
    tls: ScrapeTls | None = None
    """How the certificate of an https endpoint is verified; as that of the metrics when absent."""
    valid_status_codes: tuple[Status, ...] = ()
    """The statuses of a healthy answer; 200 to 299 when absent."""
    follow_redirects: bool = False
    """Whether a redirect is followed, and its end judged; else a redirect is an answer like any other."""
    host: DnsName | None = None
    """The name that is asked for (the header Host), where it is not that of the address."""
    fail_if_body_not_matches_regexp: tuple[Pattern, ...] = ()
    """Expressions (RE2) that the body of a healthy answer has to match, all of them."""

    def complete(self, own: Probe) -> Probe:
        """This, with what `own` says itself in its place."""
        said = {name: getattr(own, name) for name in own.model_fields_set}
        return self.model_copy(update=said) if said else self

    def build_module(self, certificate: str = "") -> dict[str, Any]:
        """The part `http` of a module of blackbox_exporter; `certificate` is the path of whom to trust."""
        made: dict[str, Any] = {"preferred_ip_protocol": "ip4", "follow_redirects": self.follow_redirects}
        if self.valid_status_codes:
            made["valid_status_codes"] = list(self.valid_status_codes)
        if self.host:
            made["headers"] = {"Host": self.host}
        if self.fail_if_body_not_matches_regexp:
            made["fail_if_body_not_matches_regexp"] = list(self.fail_if_body_not_matches_regexp)
        if self.tls:
            made["tls_config"] = self.tls.build_config(certificate)
        return made


USUAL_PROBE = Probe()
"""How a service is asked that says nothing."""


def is_path(endpoint: str) -> bool:
    """Whether a health endpoint is a path of the service's own addresses, and no address of its own."""
    return endpoint.startswith("/")


def get_path(endpoint: str) -> str:
    """The path of a health endpoint, without its query."""
    return _AROUND.sub("", endpoint) or "/"
