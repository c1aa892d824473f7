"""Certificates by ACME: Traefik's arguments for them, and what makes Traefik order again what it did not get.

Format: https://doc.traefik.io/traefik/reference/install-configuration/tls/certificate-resolvers/acme/. Traefik 3.7
orders a certificate once for each change of its configuration: after an authority that was away it would wait for ever.
So it also reads a document by HTTP (its `http` provider) that is another one every quarter of an hour.
"""

from __future__ import annotations

from collections.abc import Mapping

from components.base import build_haproxy_arguments
from components.entry.routing import RESOLVER, WEB
from model.base import HOUR
from model.component import Planning
from model.secret import Secret
from model.tls import Acme
from model.workload import MIB, SECRETS_DIR, DataVolume, HttpProbe, Limits, Port, SecretFile, Workload

STORE = "/acme"
"""Directory of the accounts and certificates; Traefik itself makes its file, with mode 0600."""
TRUSTED = "acme-ca.pem"
"""Document with the certificate of an authority that is not publicly trusted."""
RETRY = "traefik-acme-retry"
RETRY_PORT = 8080
RETRY_SECONDS = 900
"""Let's Encrypt refuses a name after five failed tries within an hour: https://letsencrypt.org/docs/rate-limits/."""


def list_arguments(context: Planning, documents: str) -> tuple[str, ...]:
    """The resolver's arguments; none without ACME. `documents` is the directory of Traefik's documents."""
    acme, environment = context.settings.tls.acme, context.settings.environment
    if acme is None:
        return ()
    hours = round(acme.lifetime_seconds / HOUR)
    values = {
        "email": acme.email,
        "caserver": acme.get_directory_url(environment),
        "storage": f"{STORE}/{acme.derive_store_name(environment)}",
        "certificatesduration": str(hours),
        "keytype": "EC256",
        **({"profile": acme.profile} if acme.profile else {}),
        **({"cacertificates": f"{documents}/{TRUSTED}", "casystemcertpool": "true"} if acme.ca_certificate else {}),
        **build_challenge(acme),
    }
    resolver = f"--certificatesresolvers.{RESOLVER}.acme"
    return (
        *(f"{resolver}.{key}={value}" for key, value in values.items()),
        f"--providers.http.endpoint=http://{context.address(RETRY, RETRY_PORT)}/",
        "--providers.http.pollinterval=60s",
    )


def build_challenge(acme: Acme) -> dict[str, str]:
    """How the name is proven, as keys of the resolver."""
    if acme.challenge == "http":
        return {"httpchallenge.entrypoint": WEB}
    if acme.challenge == "tls-alpn":
        return {"tlschallenge": "true"}
    dns = acme.dns
    resolvers = {"dnschallenge.resolvers": ",".join(dns.resolvers)} if dns and dns.resolvers else {}
    return {"dnschallenge.provider": dns.provider if dns else "", **resolvers}


def render_documents(context: Planning) -> dict[str, str]:
    """The authority's own certificate, where it is not publicly trusted. It is read at start alone."""
    acme = context.settings.tls.acme
    return {TRUSTED: acme.ca_certificate} if acme and acme.ca_certificate else {}


def build_environment(context: Planning) -> Mapping[str, str]:
    """Variables that name the files with the DNS provider's credentials; lego reads each NAME from NAME_FILE."""
    return {f"{variable}_FILE": f"{SECRETS_DIR}/{secret}" for variable, secret in _find_credentials(context).items()}


def list_secrets(context: Planning) -> tuple[Secret, ...]:
    """The DNS provider's credentials."""
    dns = context.settings.tls.acme.dns if context.settings.tls.acme else None
    code = dns.provider if dns else ""
    return tuple(
        Secret(name=name, purpose=f"{variable} of the DNS provider {code}")
        for variable, name in _find_credentials(context).items()
    )


def list_secret_files(context: Planning) -> tuple[SecretFile, ...]:
    """The same as files; a provider reads them when Traefik starts."""
    return tuple(SecretFile(path=f"{SECRETS_DIR}/{name}", secret=name) for name in _find_credentials(context).values())


def _find_credentials(context: Planning) -> Mapping[str, str]:
    acme = context.settings.tls.acme
    return acme.dns.credentials if acme and acme.dns else {}


def list_volumes(context: Planning) -> tuple[DataVolume, ...]:
    """Where account and certificates outlive Traefik: a new account and certificate at each start are soon refused."""
    if context.settings.tls.acme is None:
        return ()
    return (DataVolume(name="traefik-acme", path=STORE, retain=context.settings.retain_data, size=64 * MIB),)


def build_retry_workload(context: Planning) -> tuple[Workload, ...]:
    """HAProxy with a document for Traefik that differs every RETRY_SECONDS and says nothing else."""
    if context.settings.tls.acme is None:
        return ()
    return (
        Workload(
            name=RETRY,
            limits=Limits(memory=64 * MIB, cpus=0.1),
            **build_haproxy_arguments(render_retry_config()),
            ports=(Port(number=RETRY_PORT),),
            probe=HttpProbe(path="/", port=RETRY_PORT),
        ),
    )


def render_retry_config() -> str:
    """haproxy.cfg: one answer, a middleware that no router uses, whose header counts quarters of an hour.

    Format: https://docs.haproxy.org/2.6/configuration.html#4.2-http-request%20return
    """
    header = f'{{"X-Retry":"%[date,div({RETRY_SECONDS})]"}}'
    answer = f'{{"http":{{"middlewares":{{"retry":{{"headers":{{"customRequestHeaders":{header}}}}}}}}}}}'
    return f"""global
    log stdout format raw local0 warning
    maxconn 64

defaults
    mode http
    timeout connect 5s
    timeout client 10s
    timeout server 10s

frontend retry
    bind :{RETRY_PORT}
    http-request return status 200 content-type application/json lf-string '{answer}'
"""
