"""oauth2-proxy: people sign in at an OpenID Connect provider, and Traefik asks here who did. Off unless access says so.

Flags: https://oauth2-proxy.github.io/oauth2-proxy/configuration/overview. It reads no documents but a certificate.
"""

from __future__ import annotations

from components.base import build_identity_labels, build_limits
from components.entry.routing import PROXY, PROXY_PORT
from model.access import Oidc
from model.component import Component, Planned, Planning
from model.route import Route
from model.secret import Secret
from model.settings import ComponentSettings
from model.telemetry import RuleGroup, ScrapeJob, ScrapeTarget, Telemetry
from model.workload import ConfigDir, HttpProbe, Port, SecretFile, Workload

NAME = PROXY
METRICS_PORT = 44180
CONFIG_DIR = "/etc/oauth2-proxy"
PREFIX = "/oauth2"
COOKIE = "oidc-cookie-secret"
CA = "ca.pem"


class Settings(ComponentSettings):
    """oauth2-proxy, which runs where access.login is oidc."""


# -- arguments -------------------------------------------------------------------------------------------------------


def list_arguments(context: Planning, oidc: Oidc) -> tuple[str, ...]:
    """The flags: it answers 202 to Traefik for whoever is signed in, and leads everybody else to the provider."""
    settings = context.settings
    secure = settings.base_url.startswith("https:")
    return (
        f"--http-address=0.0.0.0:{PROXY_PORT}",
        f"--metrics-address=0.0.0.0:{METRICS_PORT}",
        "--provider=oidc",
        f"--oidc-issuer-url={oidc.issuer}",
        f"--client-id={oidc.client_id}",
        f"--client-secret-file=/run/secrets/{oidc.client_secret}",
        f"--cookie-secret-file=/run/secrets/{COOKIE}",
        f"--cookie-secure={str(secure).lower()}",
        "--cookie-samesite=lax",  # the provider leads back by a link
        f"--redirect-url={settings.base_url}{PREFIX}/callback",
        f"--proxy-prefix={settings.base_path}{PREFIX}",
        "--code-challenge-method=S256",
        "--approval-prompt=auto",  # else the provider may have people agree each time
        f"--whitelist-domain={settings.authority}",  # where people wanted to go
        "--upstream=static://202",
        "--reverse-proxy=true",
        "--skip-provider-button=true",
        "--set-xauthrequest=true",
        *(f"--email-domain={domain}" for domain in oidc.email_domains or ("*",)),
        *(f"--allowed-group={group}" for group in oidc.groups),
        *((f"--provider-ca-file={CONFIG_DIR}/{CA}",) if oidc.ca_certificate else ()),
    )


# -- component -------------------------------------------------------------------------------------------------------


class OAuth2Proxy(Component[Settings]):
    """oauth2-proxy, which signs people in at an OpenID Connect provider."""

    name = NAME
    settings = Settings

    def telemetry(self, own: Settings, context: Planning) -> Telemetry:
        """It is scraped, and has the paths of signing in and out."""
        if context.settings.access.oidc is None:
            return Telemetry()
        target = ScrapeTarget(address=context.address(NAME, METRICS_PORT), labels=build_identity_labels(context, NAME))
        url = f"http://{context.address(NAME, PROXY_PORT)}"
        return Telemetry(
            scrape=(ScrapeJob(name=NAME, targets=(target,)),),
            rules=(RuleGroup(name=NAME),),
            routes=(Route(name=NAME, prefix=PREFIX, url=url, login=False, whole=True),),
        )

    def secrets(self, own: Settings, context: Planning) -> tuple[Secret, ...]:
        """What the client proves itself with, and the key that cookies are encrypted with."""
        oidc = context.settings.access.oidc
        if oidc is None:
            return ()
        return (
            Secret(name=oidc.client_secret, purpose=f"the secret of the client {oidc.client_id} at {oidc.issuer}"),
            Secret(
                name=COOKIE,
                purpose="the key that cookies of signed-in people are encrypted with",
                generate=True,
                after_rotation="Everyone signs in again.",
            ),
        )

    def workloads(self, own: Settings, context: Planned) -> tuple[Workload, ...]:
        """One oauth2-proxy; who is signed in is in the cookie, so it keeps nothing."""
        oidc = context.settings.access.oidc
        if oidc is None:
            return ()
        trusted = {CA: oidc.ca_certificate} if oidc.ca_certificate else {}
        names = (oidc.client_secret, COOKIE)
        return (
            Workload(
                name=NAME,
                image=NAME,
                limits=build_limits(own, memory=64, cpus=0.5),
                entrypoint=("/bin/oauth2-proxy",),
                args=list_arguments(context, oidc),
                config=ConfigDir(path=CONFIG_DIR, files=trusted, restart_on=frozenset(trusted)) if trusted else None,
                secrets=tuple(SecretFile(path=f"/run/secrets/{name}", secret=name) for name in names),
                ports=(Port(number=PROXY_PORT), Port(number=METRICS_PORT, name="metrics")),
                egress="anywhere",
                probe=HttpProbe(path="/ping", port=PROXY_PORT),
            ),
        )
