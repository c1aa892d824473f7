"""An external SQL database, as settings; its password is named as a secret and never said."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, model_validator

from model.addresses import HostPort
from model.base import Pem, Strict
from model.errors import Inconsistent, Problem, suggest_name

SSL_MODES: Mapping[str, tuple[str, ...]] = {
    "postgres": ("verify-full", "verify-ca", "require", "disable"),
    "mysql": ("true", "skip-verify", "false"),
}
"""By type, the strictest first, which is the default."""
Word = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.@-]*$", max_length=63, examples=["grafana"])]


class Database(Strict):
    """A database that is there already, with an owner that may make tables in it."""

    type: Literal["postgres", "mysql"]
    """Which kind."""
    host: HostPort
    """Its address."""
    name: Word = "grafana"
    """The database in it."""
    user: Word = "grafana"
    """The database's owner."""
    ssl_mode: str | None = None
    """How far its certificate is trusted, in the words of its kind; completely when absent."""
    ca_certificate: Pem | None = None
    """PEM text of who signed its certificate; those that are known to everyone when absent."""

    @model_validator(mode="after")
    def _check_mode(self) -> Database:
        known = SSL_MODES[self.type]
        if self.ssl_mode is not None and self.ssl_mode not in known:
            hint = suggest_name(self.ssl_mode, known)
            raise Inconsistent([Problem("sslMode", f"{self.ssl_mode!r} is not known to {self.type}; {hint}")])
        return self

    @property
    def trust(self) -> str:
        """The mode in force."""
        return self.ssl_mode or SSL_MODES[self.type][0]

    def build_environment(self, ca_path: str) -> dict[str, str]:
        """Grafana's variables for it, without the password; `ca_path` is where the certificate of `ca_certificate` is.

        Source: https://grafana.com/docs/grafana/latest/setup-grafana/configure-grafana/#database
        """
        trusted = {"GF_DATABASE_CA_CERT_PATH": ca_path} if self.ca_certificate else {}
        return {
            "GF_DATABASE_TYPE": self.type,
            "GF_DATABASE_HOST": self.host,
            "GF_DATABASE_NAME": self.name,
            "GF_DATABASE_USER": self.user,
            "GF_DATABASE_SSL_MODE": self.trust,
            **trusted,
        }
