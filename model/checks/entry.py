"""Whether the stack's entry point is closed to whoever can reach it, and whether TLS and logins have an effect."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from model.addresses import is_loopback
from model.base import is_dns_name
from model.errors import Problem, suggest_name
from model.places import locate_setting

if TYPE_CHECKING:
    from model.component import Planned, Planning

TRAEFIK = "traefik"


def check_entry(context: Planned) -> list[Problem]:
    """What is open without TLS or a login, and what is said of them in vain."""
    if not context.is_enabled(TRAEFIK):
        return list(_check_unused(context))
    return [
        *_check_open(context),
        *_check_host_names(context),
        *_check_cluster(context),
        *_check_ports(context),
        *_check_programs(context),
    ]


def find_exposure(context: Planning) -> str | None:
    """The key of the setting by which others than the host itself reach the stack; None where nothing does that."""
    docker, cluster = context.settings.docker, context.settings.kubernetes
    if context.settings.target == "docker":
        return None if is_loopback(docker.bind_address) else "docker.bindAddress"
    if cluster.ingress_class:
        return "kubernetes.ingressClass"
    return None if cluster.service_type == "ClusterIP" else "kubernetes.serviceType"


def _check_open(context: Planning) -> Iterator[Problem]:
    way, settings = find_exposure(context), context.settings
    if way is None:
        return
    if not settings.tls.on and not settings.kubernetes.ingress_class:
        message = f"opens the stack, and passwords would cross the network in clear: choose one, as {way} is set"
        yield Problem(locate_setting(context.stack, "tls.mode"), f"'none' {message} (acme, files or internal)")
    if settings.access.login == "none":
        message = f"'none' opens everything but Grafana to whoever reaches the stack, as {way} is set; use basic"
        yield Problem(locate_setting(context.stack, "access.login"), message)


def _check_host_names(context: Planning) -> Iterator[Problem]:
    settings = context.settings
    where, tls = locate_setting(context.stack, "baseUrl"), settings.tls
    secure = settings.base_url.startswith("https://")
    if tls.on and not secure:
        yield Problem(where, f"{settings.base_url!r}: must begin with https:// where tls.mode is {tls.mode}")
    if settings.kubernetes.ingress_class and settings.target == "kubernetes" and not secure:
        message = "must begin with https://, as the ingress leads people of other hosts to the stack"
        yield Problem(where, f"{settings.base_url!r}: {message}")
    if tls.acme and not is_dns_name(settings.host):
        message = "a certificate is ordered for the name of a host, for example https://monitoring.example.com"
        yield Problem(where, f"{settings.base_url!r}: {message}")


def _check_cluster(context: Planning) -> Iterator[Problem]:
    """TLS of the stack's own where an ingress has it, and challenges that no authority can reach."""
    settings = context.settings
    cluster, acme = settings.kubernetes, settings.tls.acme
    if settings.target != "kubernetes":
        return
    if settings.tls.on and cluster.ingress_class:
        message = f"{settings.tls.mode!r}: the ingress speaks TLS in front of the stack; use none, and tlsSecret"
        yield Problem(locate_setting(context.stack, "tls.mode"), message)
    elif acme and acme.challenge != "dns" and cluster.service_type == "ClusterIP":
        message = f"{acme.challenge!r}: no authority reaches a Service of type ClusterIP; use dns, or LoadBalancer"
        yield Problem(locate_setting(context.stack, "tls.acme.challenge"), message)


def _check_ports(context: Planning) -> Iterator[Problem]:
    settings = context.settings
    for number, name in enumerate(settings.access.ports):
        where = locate_setting(context.stack, f"access.ports[{number}]")
        if settings.target != "docker" or find_exposure(context) is None:
            yield Problem(where, "has an effect on Docker only, where docker.bindAddress is not loopback; leave it out")
        elif name not in context.sections or name == TRAEFIK:
            known = [other for other in context.sections if other != TRAEFIK]
            yield Problem(where, f"{name!r} is no component beside Traefik; {suggest_name(name, known)}")
        elif not context.is_enabled(name):
            yield Problem(where, f"{name!r} is switched off; leave it out")


def _check_programs(context: Planned) -> Iterator[Problem]:
    """Machines whose way leads nowhere, and logins where none is wanted."""
    known = {opening.grant for route in context.telemetry.routes for opening in route.open}
    ways = {"push": "Loki", "federate": "Prometheus"}
    for number, machine in enumerate(context.settings.access.machines):
        for grant in machine.may:
            if grant not in known:
                where = locate_setting(context.stack, f"access.machines[{number}].may")
                yield Problem(where, f"{grant!r} has no effect: there is no {ways[grant]} of this stack's own")
    if context.settings.access.silences and "silences" not in known:
        where = locate_setting(context.stack, "access.silences")
        yield Problem(where, "has no effect: there is no Alertmanager of this stack's own; leave it out")


def _check_unused(context: Planning) -> Iterator[Problem]:
    for key in ("tls", "access"):
        if getattr(context.settings, key).model_fields_set:  # Pulumi fills in what a stack leaves out, as {}
            yield Problem(
                locate_setting(context.stack, key), "has no effect, as traefik.enabled is false; leave it out"
            )
