"""What Prometheus scrapes: does each target answer, and are its samples taken?

Where a condition is one of Prometheus' own mixin it has its name:
https://github.com/prometheus/prometheus/blob/main/documentation/prometheus-mixin/alerts.libsonnet
"""

from __future__ import annotations

from model.limits import Share
from model.telemetry import AlertRule, Example, Inhibition
from packs.base import (
    ANSWERING,
    BY,
    PROBES,
    SERVICE,
    Tune,
    build_flat_samples,
    build_growth_example,
    build_service_series,
    format_percent,
    get_limit,
)

ANSWERED = 0.9
"""Of the scrapes of a quarter of an hour: six of sixty are more than a network that loses a packet now and then."""
FLAPS = 5
"""Changes between answer and no answer in that time: a restart makes two, and one that is taken back four."""
SELF = "prometheus"
FOLLOWS = ("BlackboxProbeFailed", "BlackboxProbeSlow")
"""Symptoms of a service of which nothing answers."""


def alerts(tune: Tune, *, cluster: bool = False) -> tuple[AlertRule, ...]:
    """Alerts about everything that is scraped; on a `cluster` many targets are found by what the platform knows."""
    rules = (alert_on_discovered_target_down(), alert_on_all_targets_missing()) if cluster else ()
    return (
        alert_on_target_down(cluster=cluster),
        *rules,
        alert_on_flapping_target(tune),
        alert_on_sample_limit_hit(),
        alert_on_duplicate_timestamps(),
        alert_on_out_of_order_timestamps(),
    )


def _build_up(**labels: str) -> str:
    return build_service_series("api", "up", job="api", instance="api:4000", **labels)


# -- answers ---------------------------------------------------------------------------------------------------------


def alert_on_target_down(*, cluster: bool = False) -> AlertRule:
    """No answer to a scrape, whoever was asked. Pods and nodes that the platform knows have an alert of their own."""
    up = f'up{{job!="{PROBES}", pod="", node=""}}' if cluster else ANSWERING
    before, now = (
        build_service_series("web", "up", job="web", instance="web:80", environment=name) for name in ("before", "test")
    )
    return AlertRule(
        name="TargetDown",
        # Prometheus' own 1 and 0: answered, or not. With other labels, as after a change of the environment, the same
        # target has a last answer of before for five minutes where Prometheus was replaced meanwhile.
        expr=f"{up} == 0 unless on(job, instance) up == 1",
        for_="1m",  # four missed scrapes at the default interval: no restart takes that long
        severity="critical",
        inhibits=(Inhibition(alerts=FOLLOWS, on=SERVICE, all_of=ANSWERING),),
        summary="{{ $labels.service }} ({{ $labels.instance }}) cannot be scraped",
        description="Prometheus has had no answer from {{ $labels.job }} for a minute: it is down or unreachable.",
        steps=(
            "Run `make doctor`: it shows whether the container runs, and Prometheus' own error for the target.",
            "Read the container's last lines in Loki: `{service=\"<service>\"}` in Grafana's Explore, from before the"
            " alert began; if it was killed at its memory limit, raise the limit.",
            "If it runs and serves, check the network: is the address right, and do the target and Prometheus share a"
            " network (`observability:docker: {externalNetworks: [...]}`)?",
        ),
        example=Example(
            fires={_build_up(): "1+0x58 0+0x61"},
            silent={_build_up(): "1+0x59 0+0x60", before: build_flat_samples(0), now: build_flat_samples(1)},
        ),
    )


def _build_discovered_up() -> str:
    """Targets that the platform told of: they have its names for pods or nodes."""
    return f'(up{{job!="{PROBES}", pod!=""}} or up{{job!="{PROBES}", node!=""}})'


def alert_on_discovered_target_down() -> AlertRule:
    """One pod or node of several; a pod has its address before it listens, so a slow start must not call anybody."""
    up, other = (_build_up(pod=f"api-{n}", node="a") for n in (1, 2))
    return AlertRule(
        name="DiscoveredTargetDown",
        expr=f"{_build_discovered_up()} == 0",  # Prometheus' own 1 and 0: answered, or not
        for_="10m",  # as in kube-prometheus' TargetDown: images are pulled and databases have replayed their logs
        severity="warning",  # others of its kind answer, else PrometheusAllTargetsMissing fires
        summary="{{ $labels.service }} ({{ $labels.instance }}) on node {{ $labels.node }} cannot be scraped",
        description="Prometheus has had no answer from a pod or node of {{ $labels.job }} for ten minutes; others may"
        " answer.",
        steps=(
            "Find what is wrong with it: `kubectl get pods -A -o wide --field-selector spec.nodeName=<node>`.",
            "If everything on that node fails, see the node: `kubectl describe node <node>`.",
            "Read its last lines: `kubectl -n <namespace> logs <pod> --all-containers --tail 50`.",
            "If it serves its users, ask for its metrics from another pod: a NetworkPolicy may keep Prometheus out.",
        ),
        example=Example(
            fires={up: "1+0x49 0+0x70", other: build_flat_samples(1)},
            silent={up: "1+0x50 0+0x69", other: build_flat_samples(1)},
        ),
    )


def alert_on_all_targets_missing() -> AlertRule:
    """None of the targets that were found answers."""
    first, second = (_build_up(pod=f"api-{n}", node="a") for n in (1, 2))
    return AlertRule(
        name="PrometheusAllTargetsMissing",
        expr=f"max by ({BY}, job) ({_build_discovered_up()}) == 0",  # Prometheus' own 1 and 0: answered, or not
        # a single replica that is replaced is back by then; BlackboxProbeFailed, which it silences, comes later
        for_="90s",
        severity="critical",
        inhibits=(
            Inhibition(alerts=("DiscoveredTargetDown",), on=(*SERVICE, "job")),
            Inhibition(alerts=FOLLOWS, on=SERVICE),
        ),
        summary="No target of {{ $labels.service }} answers",
        description="Prometheus has found pods or nodes of {{ $labels.job }}, and none of them has answered for a"
        " minute and a half.",
        steps=(
            "See whether they run: `kubectl -n <namespace> get pods -o wide`; events: `kubectl -n <namespace> get"
            " events --sort-by .lastTimestamp | tail`.",
            "Open the page Target health of Prometheus: `connection refused` is the process, a time-out the network.",
            "If they serve their users, look for what changed on the way: a NetworkPolicy, the port, the path.",
            "If all jobs fail, the fault is Prometheus' own network, or its node's.",
        ),
        example=Example(
            fires={first: "1+0x56 0+0x63", second: "1+0x50 0+0x69"},
            silent={first: "1+0x56 0+0x63", second: build_flat_samples(1)},
        ),
    )


def alert_on_flapping_target(tune: Tune) -> AlertRule:
    """A target that answers now and then is never down for long enough to be told."""
    bound = get_limit(tune, "TargetFlapping", ANSWERED)
    return AlertRule(
        name="TargetFlapping",
        expr=f"avg_over_time({ANSWERING}[15m]) < {bound:g} and changes({ANSWERING}[15m]) >= {FLAPS}",
        for_="5m",  # a quarter of an hour is in the condition; this leaves out the end of a bad deployment
        severity="warning",
        limit=Share(bound),
        summary="{{ $labels.service }} ({{ $labels.instance }}) answers {{ $value | humanizePercentage }} of its"
        " scrapes",
        description=f"In a quarter of an hour the target was lost at least three times and answered less than"
        f" {format_percent(bound)} of its scrapes: it restarts, is overloaded, or the way to it is.",
        steps=(
            "Draw `up` and `scrape_duration_seconds` of the target: does it fail when it is slow (time-out, 10 s)?",
            "If it restarts, read the lines before each start; see ContainerRestarting or KubePodCrashLooping.",
            "If two processes answer at one address (an old and a new one, two replicas), give each its own.",
            "If others at the same place flap too, it is the network or the host between.",
        ),
        example=Example(fires={_build_up(): "1 1 0 " * 40}, silent={_build_up(): "1+0x45 0+0x3 1+0x1 0+0x3 1+0x63"}),
    )


# -- samples ---------------------------------------------------------------------------------------------------------


def alert_on_sample_limit_hit() -> AlertRule:
    """Prometheus refuses a scrape with more samples than its job's limit as a whole."""
    refused = build_service_series(SELF, "prometheus_target_scrapes_exceeded_sample_limit_total")
    return AlertRule(
        name="PrometheusScrapeSampleLimitHit",
        expr="increase(prometheus_target_scrapes_exceeded_sample_limit_total[10m]) > 0",  # a refused scrape is a gap
        for_="0s",  # the target does not shrink by itself
        severity="warning",
        summary="{{ $value | humanize }} scrapes exceeded their sample limit in 10 minutes",
        description="These scrapes are refused as a whole. Lower the target's cardinality or raise sampleLimit for it.",
        steps=(
            "Find the target: on the page Target health of Prometheus it is down with `sample limit exceeded`.",
            'Look at the panel "Samples per scrape": what grew, and since which deployment?',
            'Count the series of each metric of it: `topk(10, count by (__name__) ({service="<service>"}))`, then drop'
            " the label with many values in the service.",
            "Only if every series is needed, raise `sampleLimit` of the service in the system's file.",
        ),
        example=build_growth_example(refused, 0, minutes=10),
    )


def alert_on_duplicate_timestamps() -> AlertRule:
    """Two values of one series in one scrape: only the first is kept."""
    return AlertRule(
        name="PrometheusDuplicateTimestamps",
        expr="rate(prometheus_target_scrapes_sample_duplicate_timestamp_total[5m]) > 0",  # each one is a lost sample
        for_="10m",  # as in the mixin; a container that restarts has an old and a new series for a moment
        severity="warning",
        summary="{{ $value | humanize }} samples per second are dropped as duplicates",
        description="A target exposes one series twice with different values, so what is stored is one of two: rates"
        " and sums of it are wrong.",
        steps=(
            'Find the job: `{service="prometheus"} |= "duplicate"` in Explore names the scrape pool and the target.',
            "Ask the target twice and compare: `curl -s <target>/metrics | sort | cut -d'}' -f1 | uniq -d`.",
            "If it is our own relabelling (`metric_relabel`), a label that told the series apart was dropped.",
        ),
        example=build_growth_example(
            build_service_series(SELF, "prometheus_target_scrapes_sample_duplicate_timestamp_total"), 0
        ),
    )


def alert_on_out_of_order_timestamps() -> AlertRule:
    """A sample that is older than one that is stored."""
    return AlertRule(
        name="PrometheusOutOfOrderTimestamps",
        expr="rate(prometheus_target_scrapes_sample_out_of_order_total[5m]) > 0",  # each one is a lost sample
        for_="10m",  # as in the mixin; a clock that was corrected is over by then
        severity="warning",
        summary="{{ $value | humanize }} samples per second are dropped as out of order",
        description="A target sends samples with times of its own that go back, or two targets write one series: what"
        " is dropped is a gap.",
        steps=(
            'Find the job: `{service="prometheus"} |= "out-of-order"` in Explore names the scrape pool.',
            "If the target sends times of its own (a gateway, cAdvisor), compare its clock with Prometheus' host.",
            "If a target gives samples of several others, as a gateway does, let it name each in a label of its own.",
        ),
        example=build_growth_example(
            build_service_series(SELF, "prometheus_target_scrapes_sample_out_of_order_total"), 0
        ),
    )
