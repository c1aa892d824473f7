"""The certificate of the stack's own entry point: whether there is one, and whether it is renewed in time.

Metric: https://doc.traefik.io/traefik/observe/metrics/ (traefik_tls_certs_not_after, seconds since the epoch). When it
is renewed: `model.tls.compute_renewal`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from components.drawing import draw_chart, select
from model.base import DAY, HOUR, format_duration
from model.dashboard_spec import Panel
from model.settings import Settings
from model.telemetry import AlertRule, Example, Severity
from model.tls import compute_renewal
from packs.base import Tune, build_flat_samples, build_service_series, build_thresholds, get_limit

SELF = "traefik"
METRIC = "traefik_tls_certs_not_after"
BY = "service, system, environment, instance"
OWN_FILES = (21.0 * DAY, 3.0 * DAY)
"""Seconds before the end at which a warning is sent, and a page, for a certificate that people renew."""
OWN_AUTHORITY = (90.0 * DAY, 7.0 * DAY)
"""The same for the stack's own authority: `make up` renews at the first run of a year, a year before the end."""
PATIENCE = 2
"""Looks that may fail before anybody is bothered: an authority has its maintenance."""
ACME_JOB = "acme"


def alerts(tune: Tune, settings: Settings) -> tuple[AlertRule, ...]:
    """The alerts about the certificate; none without TLS."""
    if not settings.tls.on:
        return ()
    warning, page = compute_bounds(settings)
    return (
        alert_on_missing_certificate(settings),
        alert_on_certificate_not_renewed(tune, settings, warning),
        alert_on_certificate_ending(tune, settings, page),
    )


def compute_bounds(settings: Settings) -> tuple[float, float]:
    """Seconds before the end at which a warning is sent, and a page."""
    acme = settings.tls.acme
    if acme is None:
        return OWN_FILES if settings.tls.files else OWN_AUTHORITY
    before, every = compute_renewal(acme.lifetime_seconds)
    return before - PATIENCE * every, before / 4


def build_selector(settings: Settings) -> str:
    """The certificates for the host of the base URL, a wildcard's too."""
    return f"{METRIC}{{{_build_matcher(settings)}}}"


def _build_matcher(settings: Settings) -> str:
    either = "|".join(re.escape(name).replace("\\", "\\\\") for name in _list_host_names(settings))
    return f'sans=~"(.+,)?({either})(,.+)?"'


def covers_host(settings: Settings, names: Iterable[str]) -> bool:
    """Whether a certificate with these names is one for the host of the base URL."""
    return bool(set(_list_host_names(settings)) & set(names))


def _list_host_names(settings: Settings) -> list[str]:
    host = settings.host.strip("[]")
    return [host, f"*.{host.partition('.')[2]}"] if "." in host else [host]


def _build_series(settings: Settings) -> str:
    return build_service_series(SELF, METRIC, instance="t:8082", sans=settings.host.strip("[]"))


def alert_on_missing_certificate(settings: Settings) -> AlertRule:
    """Traefik runs and has no certificate for its host: it serves one that nobody trusts."""
    steps = {
        "acme": (
            "Run `make verify`: it repeats what Traefik says of the last order.",
            'Read it all in Explore: `{service="traefik"} |~ "(?i)acme|certificate"`.',
            "A challenge failed: does the name lead to this host, and does the Internet reach its ports 80 and 443?",
            "The authority is away, or it limits orders: nothing is to be done, Traefik orders again every 15 minutes.",
        )
    }.get(settings.tls.mode, ('Read what Traefik says: `{service="traefik"} |= "certificate"` in Explore.',))
    up = build_service_series(SELF, "up", instance="t:8082")
    return AlertRule(
        name="TraefikCertificateMissing",
        expr=f'up{{service="{SELF}"}} == 1 unless on ({BY}) {build_selector(settings)}',
        for_="15m",  # an order takes a minute, and one is made again every quarter of an hour
        severity="critical",
        summary=f"There is no certificate for {settings.host}",
        description="Traefik serves a certificate of its own making, which browsers refuse, since it got no other one.",
        steps=steps,
        example=Example(
            fires={up: build_flat_samples(1)},
            silent={up: build_flat_samples(1), _build_series(settings): build_flat_samples(1e9)},
        ),
    )


def alert_on_certificate_not_renewed(tune: Tune, settings: Settings, seconds: float) -> AlertRule:
    """The newest certificate should have been replaced by now."""
    acme = settings.tls.acme
    why = (
        f"Traefik renews it {format_duration(compute_renewal(acme.lifetime_seconds)[0])} before its end,"
        " and did not succeed since."
        if acme
        else "Nobody has replaced it yet."
    )
    bound = get_limit(tune, "TraefikTLSCertificatesExpiringSoon", seconds)
    says = f"Less than {format_duration(bound)} are left. {why} At its end browsers refuse the whole stack."
    return _alert_on_end("TraefikTLSCertificatesExpiringSoon", settings, bound, "warning", says)


def alert_on_certificate_ending(tune: Tune, settings: Settings, seconds: float) -> AlertRule:
    """The last moment to do something about it."""
    bound = get_limit(tune, "TraefikTLSCertificatesExpiring", seconds)
    says = f"Less than {format_duration(bound)} are left and it was not renewed: people will not get in any more."
    return _alert_on_end("TraefikTLSCertificatesExpiring", settings, bound, "critical", says)


def _alert_on_end(name: str, settings: Settings, bound: float, severity: Severity, description: str) -> AlertRule:
    """Less than `bound` seconds are left of the newest certificate."""
    series, step = _build_series(settings), bound * 0.01
    at = bound + HOUR  # the clock of a test begins at 1970, and the alert is looked at after an hour
    return AlertRule(
        name=name,
        expr=f"max by ({BY}) ({build_selector(settings)}) - time() < {bound:g}",
        for_="5m",
        severity=severity,
        limit=bound,
        summary=f"The certificate of {settings.host} ends in {{{{ $value | humanizeDuration }}}}",
        description=description,
        steps=_list_renewal_steps(settings),
        example=Example(fires={series: build_flat_samples(at - step)}, silent={series: build_flat_samples(at + step)}),
    )


def _list_renewal_steps(settings: Settings) -> tuple[str, ...]:
    tls = settings.tls
    if tls.acme:
        return (
            "Run `make verify`: it repeats what Traefik says of the last order.",
            "A challenge fails that worked before: has the name another address now, or is port 80 closed?",
            "Is the authority away? See AcmeDirectoryUnreachable and its status page.",
        )
    if tls.files:
        return (
            f"Get a new certificate and store it: `make secret NAME={tls.files.certificate_secret}`, and its key:"
            f" `make secret NAME={tls.files.key_secret}`.",
            "Run `make up`: Traefik takes it without a new process.",
        )
    return ("Run `make up`: it makes a new certificate in each year, and Traefik takes it without a new process.",)


def alert_on_authority_unreachable() -> AlertRule:
    """The authority's directory does not answer, so no certificate can be renewed."""
    series = build_service_series(SELF, "probe_success", job=ACME_JOB, instance="https://ca.example.com/directory")
    return AlertRule(
        name="AcmeDirectoryUnreachable",
        expr=f'max_over_time(probe_success{{job="{ACME_JOB}"}}[15m]) == 0',
        for_="15m",  # renewals begin days before the end
        severity="warning",
        summary="The certificate authority at {{ $labels.instance }} does not answer",
        description="No certificate can be ordered or renewed meanwhile; the present one serves until its end.",
        steps=(
            "Does the host reach the Internet: a firewall, a proxy, DNS? Ask the address from it.",
            "Look at the authority's status page, such as https://letsencrypt.status.io for Let's Encrypt.",
        ),
        example=Example(fires={series: build_flat_samples(0)}, silent={series: build_flat_samples(1)}),
    )


# -- panels ----------------------------------------------------------------------------------------------------------


def panels(settings: Settings) -> tuple[Panel, ...]:
    """When the certificate ends; none without TLS."""
    if not settings.tls.on:
        return ()
    warning, page = compute_bounds(settings)
    newest = f"max by (sans) ({select(METRIC, _build_matcher(settings))})"
    return (
        draw_chart(
            "Certificate ends in", {"{{sans}}": f"{newest} - time()"}, "s",
            f"The newest with these names. A warning is sent below {format_duration(warning)}; people are called below"
            f" {format_duration(page)}.",
            width=24, height=6, thresholds=build_thresholds((page, "yellow"), (warning, "green")),
        ),
    )  # fmt: skip
