"""When a health endpoint that is asked from outside fails, is slow, or will be refused for its certificate.

Source: https://github.com/prometheus/blackbox_exporter/blob/master/CONFIGURATION.md
"""

from __future__ import annotations

from model.base import DAY, HOUR
from model.limits import Share
from model.telemetry import AlertRule, Example, Inhibition
from packs.base import (
    PROBES,
    SERVICE,
    Tune,
    build_flat_samples,
    build_gauge_example,
    build_service_series,
    format_percent,
    get_limit,
)

SLOW_SECONDS = 2.0
"""A health endpoint does little: two seconds mean that something it asks is slow. A probe gives up after five."""
CERTIFICATE_DAYS = 7.0
"""Whatever renews certificates of 30 days and more does so at least 10 days before their end (Traefik; others at a
third of their life): at seven that has failed for days."""
LAST_DAYS = 3.0
"""The warning has been there for four days and was overlooked: next comes the outage."""
LAST_HOURS = 6
"""Even certificates of one day are renewed eight hours before their end; a new stack knows no more than this."""
ANSWERED_SHARE = 0.9
"""Of the answers of a quarter of an hour: one in ten people is turned away."""
FLAPS = 5
"""Changes between answer and no answer in that time: a restart makes two, and one that is taken back four."""
SELF = "blackbox-exporter"


def alerts(tune: Tune) -> tuple[AlertRule, ...]:
    """Alerts about what is asked from outside, and about the exporter itself."""
    return (
        alert_on_failed_probe(),
        alert_on_flapping_probe(tune),
        alert_on_slow_probe(tune),
        alert_on_certificate_last_days(tune),
        alert_on_certificate_expiry(tune),
        alert_on_missing_probe(),
        alert_on_config_refused(),
    )


def _build_series(name: str) -> str:
    return build_service_series("api", name, job=PROBES, instance="http://api:4000/health")


def alert_on_failed_probe() -> AlertRule:
    """No answer, or one that is not 2xx."""
    succeeded = _build_series("probe_success")
    return AlertRule(
        name="BlackboxProbeFailed",
        expr="probe_success == 0",  # the exporter's own 1 and 0: answered 2xx, or not
        for_="2m",  # a deployment's restart is over by then
        severity="critical",
        inhibits=(Inhibition(alerts=("BlackboxProbeSlow",), on=(*SERVICE, "instance")),),
        summary="{{ $labels.instance }} does not answer 2xx",
        description="Asked from outside, {{ $labels.service }} is not healthy, whatever its metrics say.",
        steps=(
            "Ask it yourself: `curl -v <instance>`; many say in their answer which of their dependencies fails.",
            "Open the dashboard Endpoints: status 0 is no answer (network, name, container), 503 is the service's own"
            " word.",
            'Read its error lines from before the alert: `{service="<service>", level="error"}` in Explore.',
            "If it waits for a database or another service, mend that first: a restart would wait again.",
        ),
        example=Example(fires={succeeded: build_flat_samples(0)}, silent={succeeded: build_flat_samples(1)}),
    )


def alert_on_slow_probe(tune: Tune) -> AlertRule:
    """From the name's resolution to the last byte."""
    bound = get_limit(tune, "BlackboxProbeSlow", SLOW_SECONDS)
    return AlertRule(
        name="BlackboxProbeSlow",
        expr=f"probe_duration_seconds > {bound:g}",
        for_="5m",  # a cold start is over by then
        severity="warning",
        limit=bound,
        summary="{{ $labels.instance }} takes {{ $value | humanizeDuration }} to answer",
        description=f"The health endpoint takes more than {bound:g} s to answer: people wait for the service as well.",
        steps=(
            "Open the dashboard Endpoints, row Phases: is it the name, the connection, or the service's own work?",
            "If it is the work, see what the endpoint asks: databases and other services, one after the other.",
            "Compare with the duration of the service's ordinary requests: is the whole service slow?",
        ),
        example=build_gauge_example(_build_series("probe_duration_seconds"), bound),
    )


def alert_on_flapping_probe(tune: Tune) -> AlertRule:
    """One that answers now and then never fails for long enough to be told."""
    bound = get_limit(tune, "BlackboxProbeFlapping", ANSWERED_SHARE)
    succeeded = _build_series("probe_success")
    return AlertRule(
        name="BlackboxProbeFlapping",
        expr=f"avg_over_time(probe_success[15m]) < {bound:g} and changes(probe_success[15m]) >= {FLAPS}",
        for_="5m",  # a quarter of an hour is in the condition; this leaves out the end of a bad deployment
        severity="warning",
        limit=Share(bound),
        summary="{{ $labels.instance }} answers {{ $value | humanizePercentage }} of the time",
        description=f"In a quarter of an hour the endpoint failed at least three times and answered less than"
        f" {format_percent(bound)} of the times it was asked: people are turned away now and then.",
        steps=(
            "Open the dashboard Endpoints: does it fail by time-out (5 s), by refusal, or with a status of its own?",
            "Failing in turn is often one bad instance of several: ask each of them by itself.",
            'If the service restarts, read its lines before each start: `{service="<service>"}` in Explore.',
        ),
        example=Example(fires={succeeded: "1 1 0 " * 40}, silent={succeeded: "1+0x45 0+0x3 1+0x1 0+0x3 1+0x63"}),
    )


# -- certificates ----------------------------------------------------------------------------------------------------

LEFT = "probe_ssl_earliest_cert_expiry - time()"
STEPS = (
    "See which: `openssl s_client -connect <host>:443 </dev/null | openssl x509 -noout -subject -enddate`.",
    "Read the lines of what renews it (Traefik, certbot): what does the authority answer?",
    "Check that the name still leads here, and that the authority reaches port 80 or 443 from outside.",
    "If it was renewed but the old one is served, reload the server.",
)


def _build_expiry_condition(days: float, known: int) -> str:
    """Less than `days` left of one that has been served for `known` days: short-lived ones never are."""
    same = f"probe_ssl_earliest_cert_expiry == probe_ssl_earliest_cert_expiry offset {known}d"
    return f"{LEFT} < {days:g} * {DAY} and {same}"


def _build_expiry_series(bound: float, minutes: float, begin: int = 0) -> dict[str, str]:
    """The clock of a test begins at 1970: less than `bound` days are left from minute `minutes` on.

    Until minute `begin` another certificate was served.
    """
    ends = bound * DAY + minutes * 60
    before = f"{ends - DAY!r}+0x{begin - 1} " if begin else ""
    return {_build_series("probe_ssl_earliest_cert_expiry"): f"{before}{ends!r}+0x{15000 - begin}"}


def alert_on_certificate_expiry(tune: Tune) -> AlertRule:
    """The first certificate of the chain that ends; only endpoints that are asked by https have one.

    The exporter does not tell when a certificate began. One that was served a week ago already lives for longer than
    that and should have been renewed; short-lived ones (6 days) are replaced before.
    """
    bound = get_limit(tune, "BlackboxSslCertificateWillExpireSoon", CERTIFICATE_DAYS)
    at = 8 * 24 * 60
    return AlertRule(
        name="BlackboxSslCertificateWillExpireSoon",
        expr=_build_expiry_condition(bound, 7),
        for_="1h",  # whoever is at it now replaces the certificate within the hour
        severity="warning",
        limit=bound,
        summary="The certificate of {{ $labels.instance }} ends in {{ $value | humanizeDuration }}",
        description=f"A certificate that has been served for a week ends in less than {bound:g} days and was not"
        " renewed: browsers and clients will refuse the service then.",
        steps=STEPS,
        example=Example(
            fires=_build_expiry_series(bound, at - 60.5),
            silent=_build_expiry_series(bound, at - 100, begin=2 * 24 * 60),
            at="8d",
        ),
    )


def alert_on_certificate_last_days(tune: Tune) -> AlertRule:
    """What the warning became; the last hours are told of any certificate, however long it lives."""
    bound = get_limit(tune, "BlackboxSslCertificateLastDays", LAST_DAYS)
    at = 7 * 24 * 60
    return AlertRule(
        name="BlackboxSslCertificateLastDays",
        expr=f"{_build_expiry_condition(bound, 6)} or {LEFT} < {LAST_HOURS} * {HOUR}",
        for_="15m",  # a renewal that is under way, and one restart of the server, are over by then
        severity="critical",
        limit=bound,
        inhibits=(Inhibition(alerts=("BlackboxSslCertificateWillExpireSoon",), on=(*SERVICE, "instance")),),
        summary="The certificate of {{ $labels.instance }} ends in {{ $value | humanizeDuration }}",
        description=f"A certificate that was not renewed ends in less than {bound:g} days (or in less than"
        f" {LAST_HOURS} hours, if it lives for days only): then browsers and clients refuse the service.",
        steps=STEPS,
        example=Example(
            fires=_build_expiry_series(bound, at - 15.5),
            silent=_build_expiry_series(bound, at - 100, begin=2 * 24 * 60),
            at="7d",
        ),
    )


# -- the exporter ----------------------------------------------------------------------------------------------------


def alert_on_missing_probe() -> AlertRule:
    """The exporter answers for itself, but not about an endpoint: that it is down says TargetDown of its own target."""
    probed = build_service_series("api", "up", job=PROBES, instance="http://api:4000/health")
    own = build_service_series(SELF, "up", job=SELF, instance="blackbox-exporter:9115")
    return AlertRule(
        name="BlackboxProbeNotRun",
        expr=f'up{{job="{PROBES}"}} == 0 and on(system, environment) up{{job="{SELF}"}} == 1',  # Prometheus' 1 and 0
        for_="5m",  # a reload of its modules is over by then
        severity="warning",
        summary="blackbox-exporter does not ask {{ $labels.instance }}",
        description="The exporter runs, but its answer about this endpoint is refused or too late: nobody knows whether"
        " the endpoint works, and BlackboxProbeFailed cannot fire.",
        steps=(
            "Open the page Target health of Prometheus, job blackbox: it shows the error.",
            "A time-out is an exporter without CPU, or an endpoint that takes longer than the scrape: see its limits.",
            "`400 Bad Request` is a module that it does not have: run `make up` again.",
        ),
        example=Example(
            fires={probed: build_flat_samples(0), own: build_flat_samples(1)},
            silent={probed: build_flat_samples(0), own: build_flat_samples(0)},
        ),
    )


def alert_on_config_refused() -> AlertRule:
    """The exporter keeps its old configuration when it cannot read the new one."""
    loaded = build_service_series(SELF, "blackbox_exporter_config_last_reload_successful")
    return AlertRule(
        name="BlackboxConfigReloadFailed",
        expr="blackbox_exporter_config_last_reload_successful == 0",  # its own 1 and 0: taken, or refused
        for_="5m",  # long enough for `make up` to be repeated with a corrected document
        severity="warning",
        summary="blackbox-exporter refuses its configuration",
        description="The previous modules keep working; changed ones have no effect.",
        steps=(
            'Read why: `{service="blackbox-exporter", level="error"}` in Explore names the line.',
            "Run `make up` again: it validates the document, repeats the delivery and waits until it is taken.",
        ),
        example=Example(fires={loaded: build_flat_samples(0)}, silent={loaded: build_flat_samples(1)}),
    )
