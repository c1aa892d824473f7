"""Web pages, as their visitors' browsers tell: uncaught errors, how soon pages show, which requests fail.

What browsers send are records, of which the OpenTelemetry gateway makes these metrics (components/otel/browser.py); no
label has a value that a browser chooses. Bounds of page timings: https://web.dev/articles/defining-core-web-vitals-thresholds.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from model.dashboard_spec import Panel
from model.limits import Share
from model.service import Metric
from model.telemetry import AlertRule, Example
from packs.base import (
    CHOSEN,
    SERVICE,
    Rules,
    Subject,
    build_counter_samples,
    build_panel,
    build_share_example,
    build_thresholds,
    format_percent,
)

ERRORS = 0.05
"""One error in twenty pages that are shown: visitors of every page meet one within a visit."""
SLOW_SECONDS = 4.0
"""Beyond this the main content of a page counts as poor where it takes longer for a quarter of the visits."""
FAILED = 0.05
"""One request of pages in twenty, as seen by browsers: those that never reach a server are among them."""
VITALS = ("ttfb", "fcp", "lcp", "inp")
"""Vitals in seconds: first byte, first content, main content, and the slowest answer to an interaction."""
PHASES = ("ttfb", "dom_interactive", "load")
"""Of a page load: first byte, document read, all of it there."""
RESULTS = ("2xx", "3xx", "4xx", "5xx", "failed")
"""How requests end: the class of their status, or no answer at all."""
KINDS = ("error", "timeout")
SECONDS = (0.1, 0.2, 0.5, 0.8, 1.0, 1.8, 2.5, 4.0, 6.0, 10.0)
"""Upper bounds; those of good and poor are among them."""
LAYOUT = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0)
MEMORY = "1h"
"""How long the gateway adds to a series of which nothing comes; then the series begins anew, at its next event."""
SLOWER = 0.25
"""The share of visits that BrowserPagesSlow is about: Core Web Vitals are judged by three of four visits."""
_BY = ", ".join(SERVICE)

METRICS: Mapping[str, Metric] = {
    "browser_exceptions_total": Metric(
        type="counter", help="Errors that nobody caught or that a page reported.", labels={"kind": KINDS},
        baseline=0.002,
    ),
    "browser_page_load_seconds": Metric(
        type="histogram", help="From the click to a phase of the page.", unit="seconds", labels={"phase": PHASES},
        buckets=SECONDS, baseline=0.6,
    ),
    "browser_web_vital_seconds": Metric(
        type="histogram", help="Web vitals that are times.", unit="seconds", labels={"vital": VITALS}, buckets=SECONDS,
        baseline=1.1,
    ),
    "browser_layout_shift": Metric(
        type="histogram", help="How much of a page moves while it loads (CLS).", unit="ratio", buckets=LAYOUT,
        baseline=0.03,
    ),
    "browser_requests_total": Metric(
        type="counter", help="Requests of pages by how they end.",
        labels={"result": ("2xx", "3xx", "failed")},  # what a stand-in shows while all is well
    ),
}  # fmt: skip
"""What the gateway makes of records; a stand-in of a demo exposes it itself."""


def is_made_of_records(name: str) -> bool:
    """Whether the gateway makes this metric: the service's process has it only as a stand-in of a demo."""
    return name in METRICS


def rules(subject: Subject) -> Rules:
    """Alerts on errors, slow pages, requests that fail, and pages from which nothing comes."""
    alerts = (alert_on_errors, alert_on_slow_pages, alert_on_failed_requests, alert_on_silence)
    return Rules(alerts=tuple(alert(subject) for alert in alerts))


def build_growth(by: str, series: str, window: str) -> str:
    """How much counters have grown in a window, their first values included, unlike `increase`.

    The gateway sends a sample when there was an event and at no other time, so what a series was before the window is
    looked for as far back as it is added to. One that is lower than then has begun anew.
    """
    now, before = f"last_over_time({series}[{window}])", f"last_over_time({series}[{MEMORY}] offset {window})"
    return f"sum by ({by}) ({now} - {before} >= 0 or {now})"


def alert_on_errors(subject: Subject) -> AlertRule:
    """Errors for each page that is shown."""
    bound, least = subject.get_limit("BrowserErrorsHigh", ERRORS), subject.get_min_failures("BrowserErrorsHigh")
    errors = build_growth(_BY, f"browser_exceptions_total{subject.build_selector()}", "10m")
    loads = subject.build_selector('phase="load"')
    pages = build_growth(_BY, f"browser_page_load_seconds_count{loads}", "10m")
    failed = subject.build_series("browser_exceptions_total", kind="error")
    shown = subject.build_series("browser_page_load_seconds_count", phase="load")
    return AlertRule(
        name="BrowserErrorsHigh",
        # an error may keep every page from being shown: then each one counts as of one page
        expr=f"{errors} / clamp_min({pages} or 0 * {errors}, 1) > {bound:g} and {errors} >= {least}",
        for_="5m",  # one visitor's extension is over by then
        severity="warning",
        limit=Share(bound),
        min_failures=least,
        summary=f"{subject.title}: {{{{ $value | humanize }}}} errors for each page that is shown",
        description=f"Browsers report more than {bound:g} errors for each page of {subject.title} that they load, and"
        f" at least {least} within 10 minutes. Where they load no page at all, errors are compared with one page.",
        steps=(
            'Read them, by release: `{service="<service>", level="error"} | service_version!=""`.',
            "Did a release go out? Compare the errors before and after it in the panel Errors by release.",
            "If all come from one browser, see browser_name beside the lines; if from one page, url_full.",
        ),
        example=Example(
            fires={failed: build_counter_samples(bound * 1000 * 1.2), shown: build_counter_samples(1000)},
            silent={failed: build_counter_samples(bound * 1000 * 0.8), shown: build_counter_samples(1000)},
        ),
    )


def alert_on_slow_pages(subject: Subject) -> AlertRule:
    """A quarter of the visitors wait too long for the main content."""
    bound, least = subject.get_limit("BrowserPagesSlow", SLOW_SECONDS), subject.get_min_failures("BrowserPagesSlow")
    name, lcp = "browser_web_vital_seconds", subject.build_selector('vital="lcp"')
    buckets = build_growth(f"le, {_BY}", f"{name}_bucket{lcp}", "30m")
    visits, few = build_growth(_BY, f"{name}_count{lcp}", "30m"), math.ceil(least / SLOWER)

    def build_buckets(quick: float) -> dict[str, str]:
        series = {
            "0.1": 0.0,
            **{f"{each:g}": 100.0 if each > bound else quick for each in SECONDS[1:]},
            "+Inf": 100.0,
        }
        return {
            subject.build_series(f"{name}_count", vital="lcp"): build_counter_samples(100.0),
            **{
                subject.build_series(f"{name}_bucket", vital="lcp", le=le): build_counter_samples(count)
                for le, count in series.items()
            },
        }

    return AlertRule(
        name="BrowserPagesSlow",
        expr=f"histogram_quantile({1 - SLOWER:g}, {buckets}) > {bound:g} and on ({_BY}) {visits} >= {few}",
        for_="15m",  # pages get slow with a release or a cache that is cold; the second is over by then
        severity="warning",
        limit=bound,
        min_failures=least,
        summary=f"{subject.title}: a quarter of the visitors wait {{{{ $value | humanizeDuration }}}} for a page",
        description=f"The main content of {subject.title} takes longer than {bound:g} s for a quarter of the visits,"
        f" which are at least {few} within 30 minutes.",
        steps=(
            "Look at the phases of a page load: a slow first byte is the server, the rest is what the page loads.",
            "If it is the server, look at its latency and at what it asks others for.",
            "If not, did a release bring a large script or picture? Compare the vitals before and after it.",
        ),
        example=Example(fires=build_buckets(70.0), silent=build_buckets(80.0)),
    )


def alert_on_failed_requests(subject: Subject) -> AlertRule:
    """Requests of pages that end badly, among them those that never arrive."""
    bound, name = subject.get_limit("BrowserRequestsFailing", FAILED), "browser_requests_total"
    bad, every = subject.build_selector('result=~"5xx|failed"'), subject.build_selector()
    least = subject.get_min_failures("BrowserRequestsFailing")
    failed, asked = (build_growth(_BY, f"{name}{matchers}", "10m") for matchers in (bad, every))
    series, good = (subject.build_series(name, result=result) for result in ("failed", "2xx"))
    return AlertRule(
        name="BrowserRequestsFailing",
        expr=f"{failed} / ({asked} > 0) > {bound:g} and {failed} >= {least}",
        for_="5m",  # longer than a restart of the service that is asked
        severity="warning",
        limit=Share(bound),
        min_failures=least,
        summary=f"{subject.title}: {{{{ $value | humanizePercentage }}}} of the requests of its pages fail",
        description=f"More than {format_percent(bound)} of the requests that pages of {subject.title} make get a"
        " server error or no answer, as browsers see it.",
        steps=(
            "Compare with the requests that the service itself counts: what only browsers see is lost on the way.",
            "If the service sees errors as well, go on with its own alerts.",
            "If not, look at the entry point in front of it: certificates, names, limits.",
        ),
        example=build_share_example(series, good, bound),
    )


def alert_on_silence(subject: Subject) -> AlertRule:
    """No page is loaded any more: not at night, and not on a day on which none is loaded in other weeks either."""
    name = f"browser_page_load_seconds_count{subject.build_selector()}"
    now, before = (f"count by ({_BY}) (last_over_time({name}[1d]{when}))" for when in ("", " offset 7d"))
    series = subject.build_series("browser_page_load_seconds_count", phase="load")
    return AlertRule(
        name="BrowserSilent",
        expr=f"{before} unless {now}",
        for_="1h",  # the gateway may have been away for as long, and a visitor be there soon
        severity="warning",
        summary=f"{subject.title}: no browser has sent anything for a day",
        description=f"Browsers have sent no page load of {subject.title} for a day, and did so on this day a week ago:"
        " either nobody can load its pages, or what they send is lost. No other alert about browsers can fire.",
        steps=(
            "Open a page yourself, with the browser's own tools: does it load, is the script of the telemetry there?",
            "Look at the script's requests there. Blocked by the page's policy: name the gateway in `connect-src`.",
            "Refused with 403: the origin of the page is not one of `otel: {browser: {origins: ...}}`.",
            "If they are taken, does the script give the service's name in the system's file as `service`?",
        ),
        example=Example(
            fires={series: "0+1x1440"},
            silent={series: "0+1x11520"},
            at="8d",
        ),
    )


def panels(subjects: Sequence[Subject]) -> tuple[Panel, ...]:
    """Errors for each page, errors by release, vitals and phases, requests by how they end."""
    chosen, by = f"{{{CHOSEN}}}", "{{service}}"
    errors = f"sum by (service) (rate(browser_exceptions_total{chosen}[$__rate_interval]))"
    pages = f'sum by (service) (rate(browser_page_load_seconds_count{{{CHOSEN}, phase="load"}}[$__rate_interval]))'
    vital = f"sum by (le, vital) (rate(browser_web_vital_seconds_bucket{chosen}[$__rate_interval]))"
    phase = f"sum by (le, phase) (rate(browser_page_load_seconds_bucket{chosen}[$__rate_interval]))"
    ended = f"sum by (result) (rate(browser_requests_total{chosen}[$__rate_interval]))"
    return (
        build_panel(
            "Errors for each page", {by: f"{errors} / ({pages} > 0)"}, "short",
            f"A warning is sent above {ERRORS:g}.", width=8, thresholds=build_thresholds((ERRORS, "red")),
        ),
        build_panel("Pages shown", {by: pages}, "cps", "Worry at a sudden fall: pages do not load.", width=8),
        build_panel("Requests of pages", {"{{result}}": ended}, "reqps", "As browsers see them.", width=8),
        build_panel(
            "Web vitals", {"{{vital}}": f"histogram_quantile(0.75, {vital})"}, "s",
            f"Three of four visits are quicker. A warning is sent when lcp stays above {SLOW_SECONDS:g} s.", width=12,
            thresholds=build_thresholds((SLOW_SECONDS, "red")),
        ),
        build_panel(
            "Phases of a page load", {"{{phase}}": f"histogram_quantile(0.75, {phase})"}, "s",
            "Three of four loads are quicker. A slow ttfb is the server.", width=12,
        ),
    )  # fmt: skip
