"""Sign-in to Grafana at an OAuth 2 provider, and the role that a person has by her groups.

Settings: https://grafana.com/docs/grafana/latest/setup-grafana/configure-access/configure-authentication/generic-oauth/.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from model.addresses import HttpsUrl
from model.base import Name, Strict

Url = Annotated[HttpsUrl, Field(examples=["https://login.example.com/oauth2/authorize"])]
Group = Annotated[str, Field(pattern=r"^[^'\\]+$", examples=["monitoring-admins"])]


class OAuth(Strict):
    """A provider of OAuth 2 or OpenID Connect. Grafana looks nothing up, so each address is named."""

    name: Annotated[str, Field(min_length=1)] = "OAuth"
    """What the button says: Sign in with NAME."""
    client_id: Annotated[str, Field(min_length=1)]
    """The client that the provider knows Grafana by; its redirect URL is BASE-URL/login/generic_oauth."""
    client_secret: Name = "grafana-oauth-client-secret"  # noqa: S105 - its name
    """Configuration key of the secret that the client proves itself with."""
    auth_url: Url
    """Where people sign in."""
    token_url: Url
    """Where Grafana gets a token."""
    api_url: Url
    """Where it gets name, address and groups (userinfo)."""
    scopes: tuple[str, ...] = ("openid", "profile", "email", "groups")
    """What is asked for."""
    admin_groups: tuple[Group, ...] = ()
    """Groups whose members are administrators."""
    editor_groups: tuple[Group, ...] = ()
    """Groups whose members may edit; everybody else may look."""
    allowed_domains: tuple[Annotated[str, Field(pattern=r"^[a-z0-9.-]+$", examples=["example.com"])], ...] = ()
    """Domains of which a person's address must have one; any when empty."""
    auto_login: bool = False
    """Whether people are led to the provider at once, instead of to Grafana's form."""

    def build_role_path(self) -> str:
        """The role by the claim `groups`, as JMESPath (https://jmespath.org/specification.html)."""
        roles = (("Admin", self.admin_groups), ("Editor", self.editor_groups))
        tests = [f"contains(groups[*], '{group}') && '{role}'" for role, groups in roles for group in groups]
        return " || ".join([*tests, "'Viewer'"])

    def build_environment(self) -> Mapping[str, str]:
        """Grafana's variables; the secret is a file."""
        values = {
            "ENABLED": "true",
            "NAME": self.name,
            "CLIENT_ID": self.client_id,
            "AUTH_URL": self.auth_url,
            "TOKEN_URL": self.token_url,
            "API_URL": self.api_url,
            "SCOPES": " ".join(self.scopes),
            "ROLE_ATTRIBUTE_PATH": self.build_role_path(),
            "ALLOW_SIGN_UP": "true",  # whom the provider lets in gets an account
            "USE_PKCE": "true",
            "AUTO_LOGIN": str(self.auto_login).lower(),
            **({"ALLOWED_DOMAINS": " ".join(self.allowed_domains)} if self.allowed_domains else {}),
        }
        return {f"GF_AUTH_GENERIC_OAUTH_{key}": value for key, value in values.items()}
