"""Health endpoints, asked from outside by blackbox-exporter, as a client would.

Source: https://github.com/prometheus/blackbox_exporter/blob/master/CONFIGURATION.md
"""

from __future__ import annotations

from model.packs.base import SERVICE, Tune, above, colours, flat, limit, panel, series_of
from model.packs.drawing import NOTHING_YET, at, chart, stat
from model.system import DashboardSpec, Panel, Row
from model.telemetry import AlertRule, Example, Mute

SLOW_SECONDS = 2.0
"""A health endpoint does little: two seconds mean that something it asks is slow. A probe gives up after five."""
CERTIFICATE_DAYS = 14.0
"""Let's Encrypt's are renewed thirty days before their end: at fourteen that has failed for two weeks."""
DAY = 86400
SELF = "blackbox-exporter"
PROBES = "blackbox"
"""The job that has the exporter ask; its targets carry the labels of the services that are asked."""


# -- alerts ----------------------------------------------------------------------------------------------------------


def alerts(tune: Tune) -> tuple[AlertRule, ...]:
    """Alerts about what is asked from outside, and about the exporter itself."""
    return failed(), slow(tune), certificate(tune), config_refused()


def _series(name: str) -> str:
    return series_of("api", name, job=PROBES, instance="http://api:4000/health")


def failed() -> AlertRule:
    """No answer, or one that is not 2xx."""
    succeeded = _series("probe_success")
    return AlertRule(
        name="ProbeFailed",
        expr="probe_success == 0",  # the exporter's own 1 and 0: answered 2xx, or not
        hold="2m",  # a deployment's restart is over by then
        severity="critical",
        mutes=(Mute(alerts=("ProbeSlow",), on=(*SERVICE, "instance")),),
        summary="{{ $labels.instance }} does not answer 2xx",
        description="Asked from outside, {{ $labels.service }} is not healthy, whatever its metrics say.",
        steps=(
            "Ask it yourself: `curl -v <instance>`; many say in their answer which of their dependencies fails.",
            "Open the dashboard Endpoints: status 0 is no answer (network, name, container), 503 is the service's own"
            " word.",
            'Read its error lines from before the alert: `{service="<service>", level="error"}` in Explore.',
            "If it waits for a database or another service, mend that first: a restart would wait again.",
        ),
        example=Example(fires={succeeded: flat(0)}, silent={succeeded: flat(1)}),
    )


def slow(tune: Tune) -> AlertRule:
    """From the name's resolution to the last byte."""
    bound = limit(tune, "ProbeSlow", SLOW_SECONDS)
    return AlertRule(
        name="ProbeSlow",
        expr=f"probe_duration_seconds > {bound:g}",
        hold="5m",  # a cold start is over by then
        severity="warning",
        limit=bound,
        summary="{{ $labels.instance }} takes {{ $value | humanizeDuration }} to answer",
        description=f"The health endpoint takes more than {bound:g} s to answer: people wait for the service as well.",
        steps=(
            "Open the dashboard Endpoints, row Phases: is it the name, the connection, or the service's own work?",
            "If it is the work, see what the endpoint asks: databases and other services, one after the other.",
            "Compare with the duration of the service's ordinary requests: is the whole service slow?",
        ),
        example=above(_series("probe_duration_seconds"), bound),
    )


def certificate(tune: Tune) -> AlertRule:
    """The first certificate of the chain that ends; only endpoints that are asked by https have one."""
    bound = limit(tune, "ProbeCertificateExpiring", CERTIFICATE_DAYS)
    ends = _series("probe_ssl_earliest_cert_expiry")

    def ending(minutes: float) -> dict[str, str]:
        """The clock of a test begins at 1970: it is close from `minutes` on."""
        return {ends: f"{bound * DAY + minutes * 60!r}+0x180"}

    return AlertRule(
        name="ProbeCertificateExpiring",
        expr=f"probe_ssl_earliest_cert_expiry - time() < {bound:g} * {DAY}",
        hold="1h",  # whoever is at it now replaces the certificate within the hour
        severity="warning",
        limit=bound,
        summary="The certificate of {{ $labels.instance }} ends in {{ $value | humanizeDuration }}",
        description=f"A certificate ends in less than {bound:g} days: browsers and clients will refuse the service"
        " then.",
        steps=(
            "See which: `openssl s_client -connect <host>:443 </dev/null | openssl x509 -noout -subject -enddate`.",
            "Read the lines of what renews it (Traefik, certbot): what does the authority answer?",
            "Check that the name still leads here, and that the authority reaches port 80 or 443 from outside.",
            "If it was renewed but the old one is served, reload the server.",
        ),
        example=Example(fires=ending(59.5), silent=ending(120.5), at="2h"),
    )


def config_refused() -> AlertRule:
    """The exporter keeps its old configuration when it cannot read the new one."""
    loaded = series_of(SELF, "blackbox_exporter_config_last_reload_successful")
    return AlertRule(
        name="BlackboxConfigReloadFailed",
        expr="blackbox_exporter_config_last_reload_successful == 0",  # its own 1 and 0: taken, or refused
        hold="5m",  # long enough for `make up` to be repeated with a corrected document
        severity="warning",
        summary="blackbox-exporter refuses its configuration",
        description="The previous modules keep working; changed ones have no effect.",
        steps=(
            'Read why: `{service="blackbox-exporter", level="error"}` in Explore names the line.',
            "Run `make up` again: it validates the document, repeats the delivery and waits until it is taken.",
        ),
        example=Example(fires={loaded: flat(0)}, silent={loaded: flat(1)}),
    )


# -- panels ----------------------------------------------------------------------------------------------------------

ANSWERED = {"{{service}} {{instance}}": at("probe_success")}


def panels() -> tuple[Panel, ...]:
    """Which endpoints answer, how, how quickly, and how often they did."""
    took = {"{{service}} {{instance}}": at("probe_duration_seconds")}
    share = {"{{service}} {{instance}}": f"avg_over_time({at('probe_success')}[1h])"}
    status = {"{{service}} {{instance}}": at("probe_http_status_code")}
    return (
        panel(
            "Endpoints", ANSWERED, "short",
            "1: it answered 2xx when it was last asked. At 0 for long people are called.",
            kind="stat", width=24, height=5, thresholds=colours((1, "green")),
        ),
        chart(
            "Time to answer", took, "s",
            f"From the name to the last byte. A warning is sent when it stays above {SLOW_SECONDS:g} s.",
            thresholds=colours((SLOW_SECONDS, "red")),
        ),
        chart(
            "Status", status, "short", "HTTP status of the last answer; 0 is none at all, 503 the service's own word.",
        ),
        chart(
            "Answered within an hour", share, "percentunit",
            "Share of good answers. Below 100% somebody was turned away.",
        ),
    )  # fmt: skip


def board() -> DashboardSpec:
    """Everything about the health endpoints."""
    return DashboardSpec(
        uid="probes",
        title="Endpoints",
        description="Does everything answer when it is asked from outside, and how quickly?",
        refresh="30s",
        rows=(
            Row(title="Now", panels=_now()),
            Row(title="Answers", panels=panels()),
            Row(title="Phases", panels=_phases()),
            Row(title="Content and certificates", panels=_content(), collapsed=True),
            Row(title="The exporter", panels=_exporter(), collapsed=True),
        ),
    )


def _now() -> tuple[Panel, ...]:
    every = "every"
    share = f"avg(avg_over_time({at('probe_success')}[$__range]))"
    down = f"count({at('probe_success')} == 0){NOTHING_YET}"
    return (
        stat("Asked", f"count({at('probe_success')})", "short", "Health endpoints that are asked.", every, width=6),
        stat(
            "Without an answer", down, "short", "How many of them fail now. People are called after two minutes.",
            every, width=6, thresholds=colours((1, "red")),
        ),
        stat(
            "Slowest", f"max({at('probe_duration_seconds')})", "s", "The endpoint that takes longest.", every,
            width=6, thresholds=colours((SLOW_SECONDS, "red")),
        ),
        stat(
            "Availability", share, "percentunit", "Share of good answers in the time shown: all of them, usually.",
            every, width=6,
        ),
    )  # fmt: skip


def _phases() -> tuple[Panel, ...]:
    def phase(title: str, name: str, text: str, width: int = 8) -> Panel:
        query = at("probe_http_duration_seconds", f'phase="{name}"')
        return chart(title, {"{{service}} {{instance}}": query}, "s", text, width=width)

    every = {"{{phase}}": f"avg by (phase) ({at('probe_http_duration_seconds')})"}
    return (
        chart(
            "Mean of all endpoints",
            every,
            "s",
            "What takes the time: name, connection, TLS, work or transfer. Worry about what changed.",
        ),
        phase("Name", "resolve", "Until the name is resolved. Worry above 0.1 s: the name server is slow or far."),
        phase(
            "Connection", "connect", "Until the connection stands. Worry above 0.1 s: the network or a full backlog."
        ),
        phase("Work", "processing", "From the request to the first byte: the service and what it asks itself.", 12),
        phase("Transfer", "transfer", "From the first byte to the last. Grows with the size of the answer.", 12),
    )


def _content() -> tuple[Panel, ...]:
    ends = f"({at('probe_ssl_earliest_cert_expiry')} - time()) or 0 * {at('probe_http_ssl')}"
    size = {"{{service}} {{instance}}": at("probe_http_uncompressed_body_length")}
    redirects = {"{{service}} {{instance}}": at("probe_http_redirects")}
    return (
        chart(
            "Certificates end in", {"{{service}} {{instance}}": ends}, "s",
            f"0 where no TLS is asked for. A warning is sent below {CERTIFICATE_DAYS:g} days.",
        ),
        chart("Size of answers", size, "bytes", "A sudden change is another page, such as a proxy's own error."),
        chart("Redirects", redirects, "short", "Not followed: an endpoint that redirects is one that fails."),
    )  # fmt: skip


def _exporter() -> tuple[Panel, ...]:
    loaded = at("blackbox_exporter_config_last_reload_successful")
    unknown = f"increase({at('blackbox_module_unknown_total')}[1h])"
    return (
        stat("Configuration", loaded, "short",
        "1: it was taken. At 0 the previous one keeps working, and a warning is sent.",
             width=12, thresholds=colours((1, "green"))),
        stat("Unknown modules", unknown, "short",
        "Questions in the last hour for modules that it has not; never expected.",
             width=12, thresholds=colours((1, "red"))),
    )  # fmt: skip
