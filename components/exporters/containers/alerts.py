"""When containers hit their limits, are unhealthy, or crash-loop.

There is none for kills for memory: cAdvisor's libraries (0.60) leave container_oom_events_total at 0. NodeOOMKill has
the kernel's own count, which includes containers. On a cluster, restarts and health are told by its own API (the pack
`cluster`), and are left out here: kubelets have no health, and one crash need not be told twice.
Source: https://github.com/google/cadvisor/blob/master/docs/storage/prometheus.md
"""

from __future__ import annotations

from model.limits import Count, Share
from model.telemetry import AlertRule, Example
from packs.base import Tune, build_counter_samples, build_flat_samples, build_service_series, format_percent, get_limit

MEMORY = 0.9
"""The working set cannot be given back; above nine tenths the next burst ends in an OOM kill."""
THROTTLED = 0.25
"""A quarter of the time: whoever waits for an answer notices; below it are the bursts of starts and scrapes."""
RESTARTS = 2.0
"""In a quarter of an hour: a deployment is one, a deployment that is taken back is two."""
GRACE = 300
"""Seconds after its start in which a container may be unhealthy: databases replay their logs."""
SELF = "cadvisor"
"""The job that tells of containers, whoever answers it."""
NAMED = 'name!=""'
"""Containers: what has no name is a group of them, or the host."""
LINES = 'Read its last lines: `{service="<name without the stack>"}` in Explore, or `docker logs --tail 50 <name>`.'


def alerts(tune: Tune) -> tuple[AlertRule, ...]:
    """Alerts about containers that hit their limits, are unhealthy or crash-loop."""
    return (*list_limit_alerts(tune), alert_on_restarts(tune), alert_on_unhealthy_container())


def list_limit_alerts(tune: Tune) -> tuple[AlertRule, ...]:
    """Alerts that hold for the containers of an engine and of a cluster alike, and one that says that none is seen."""
    return alert_on_high_memory(tune), alert_on_cpu_throttling(tune), alert_on_no_containers()


def _build_series(name: str) -> str:
    return (
        build_service_series(SELF, name, instance="cadvisor:8080", id="/docker/1").removesuffix("}")
        + ', name="demo-api"}'
    )


def alert_on_no_containers() -> AlertRule:
    """It answers, so that TargetDown is silent, and names no container: it must run in one itself, so something is."""
    up = build_service_series(SELF, "up", job="cadvisor", instance="cadvisor:8080")
    return AlertRule(
        name="ContainerMetricsMissing",
        expr=f'up{{job="cadvisor"}} == 1 unless on(instance) container_last_seen{{{NAMED}}}',
        for_="10m",  # after its start it lists the containers within seconds; a node that joins pulls images first
        severity="warning",
        summary="{{ $labels.instance }} sees no container",
        description="It is scraped and names not one container: their dashboards are empty, and no alert about a"
        " container can fire.",
        steps=(
            "Read what it said at its start: `docker logs <stack>-cadvisor 2>&1 | grep -i factory`; `Registration of"
            " the docker container factory failed` has the reason.",
            "Compare with the engine: `docker info -f '{{.ServerVersion}} {{.Driver}} {{.DockerRootDir}}'`; are its"
            " socket and its data in the places that `observability:docker` names?",
            "Run `make verify`: does the socket proxy answer, through which it asks the engine?",
            "On a cluster ask the kubelet: `kubectl get --raw /api/v1/nodes/<node>/proxy/metrics/cadvisor | grep -c"
            " container_last_seen`.",
        ),
        # in the second example only groups of containers are seen at first, and then a container
        example=Example(
            fires={
                up: build_flat_samples(1),
                build_service_series(SELF, "container_last_seen", instance="cadvisor:8080", id="/"): build_flat_samples(
                    1
                ),
            },
            silent={up: build_flat_samples(1), _build_series("container_last_seen"): "_x55 1+0x60"},
        ),
    )


def alert_on_high_memory(tune: Tune) -> AlertRule:
    """Of those that have a limit."""
    bound = get_limit(tune, "ContainerMemoryNearLimit", MEMORY)
    used, most = _build_series("container_memory_working_set_bytes"), _build_series("container_spec_memory_limit_bytes")
    return AlertRule(
        name="ContainerMemoryNearLimit",
        expr=f"container_memory_working_set_bytes{{{NAMED}}} / (container_spec_memory_limit_bytes{{{NAMED}}} > 0)"
        f" > {bound:g}",
        for_="10m",  # a burst of requests, or a compaction, is over by then
        severity="warning",
        limit=Share(bound),
        summary="{{ $labels.name }} uses {{ $value | humanizePercentage }} of its memory limit",
        description=f"More than {format_percent(bound)} of its limit is in use and cannot be given back; at 100% the"
        " kernel kills"
        " it.",
        steps=(
            "Open the dashboard Containers, row In use: did it jump (a large request), or grow for hours (a leak)?",
            "Compare with its last deployment, and with its own metrics (heap, connections, queues).",
            "If what it needs is honest, raise its limit: `memory` of the component, or where the service is run.",
            "If it leaks, restart it at a quiet moment and keep a heap profile from before.",
        ),
        example=Example(
            fires={used: build_flat_samples(bound * 1010), most: build_flat_samples(1000)},
            silent={used: build_flat_samples(bound * 990), most: build_flat_samples(1000)},
        ),
    )


def alert_on_cpu_throttling(tune: Tune) -> AlertRule:
    """Share of the time, not of its own periods: one that works for a moment every minute may use its quota up."""
    bound = get_limit(tune, "CPUThrottlingHigh", THROTTLED)
    throttled, period = (
        _build_series("container_cpu_cfs_throttled_periods_total"),
        _build_series("container_spec_cpu_period"),
    )
    most = 600  # periods of 100 ms in a minute

    def build_periods(part: float) -> dict[str, str]:
        return {throttled: build_counter_samples(most * part), period: build_flat_samples(100000)}

    return AlertRule(
        name="CPUThrottlingHigh",
        expr=f"rate(container_cpu_cfs_throttled_periods_total{{{NAMED}}}[5m])"
        f" * container_spec_cpu_period{{{NAMED}}} / 1e6 > {bound:g}",
        for_="15m",  # a start, a migration or a compaction is over by then
        severity="warning",
        limit=Share(bound),
        summary="{{ $labels.name }} is CPU throttled {{ $value | humanizePercentage }} of the time",
        description=f"It has used up its CPU limit before the end of more than {format_percent(bound)} of the"
        " periods of 100 ms, and"
        " stands still until the next one.",
        steps=(
            "Open the dashboard Containers, row CPU: is it at its limit on average, or only in bursts?",
            "Is it slow for those who ask? If not, the limit does what it should: raise the threshold of this alert.",
            "If it is, raise its limit (`cpus`); programs with many threads need more than their average.",
            "If it uses much more than last week for the same work, look at its last deployment.",
        ),
        example=Example(fires=build_periods(bound * 1.01), silent=build_periods(bound * 0.99)),
    )


def alert_on_restarts(tune: Tune) -> AlertRule:
    """The same container: one that a deployment replaces has another id."""
    bound = get_limit(tune, "ContainerRestarting", RESTARTS)
    started = _build_series("container_start_time_seconds")

    def build_starts(times: int) -> dict[str, str]:
        """It starts so often after minute 50, a minute apart."""
        return {started: " ".join(["1+0x50", *(f"{n}+0x0" for n in range(2, times + 2)), f"{times + 1}+0x60"])}

    return AlertRule(
        name="ContainerRestarting",
        expr=f"changes(container_start_time_seconds{{{NAMED}}}[15m]) > {bound:g}",
        for_="0s",  # a quarter of an hour is in the condition
        severity="warning",
        limit=Count(bound),
        summary="{{ $labels.name }} restarted {{ $value | humanize }} times in 15 minutes",
        description=f"It has restarted more than {bound:g} times in 15 minutes: it crashes or is killed again and"
        " again.",
        steps=(
            LINES,
            "Ask the engine why: `docker inspect -f '{{.State.OOMKilled}} {{.State.ExitCode}}' <name>`;"
            " 137 without OOMKilled is a kill from outside.",
            "If it ran out of memory, follow the steps of ContainerMemoryNearLimit.",
            "If it waits for something at its start (a database, a secret), mend that: it starts by itself then.",
        ),
        example=Example(fires=build_starts(int(bound) + 1), silent=build_starts(int(bound))),
    )


def alert_on_unhealthy_container() -> AlertRule:
    """By the container's own health check; those without one say -1."""
    health, started = _build_series("container_health_state"), _build_series("container_start_time_seconds")
    return AlertRule(
        name="ContainerUnhealthy",
        expr=f"container_health_state{{{NAMED}}} == 0 and time() - container_start_time_seconds > {GRACE}",
        for_="5m",  # a check that fails during a burst succeeds again by then
        severity="warning",
        summary="{{ $labels.name }} is unhealthy",
        description="Its own health check has failed for minutes: it runs, but does not do its work.",
        steps=(
            "See what the check says: `docker inspect -f '{{json .State.Health}}' <name>`.",
            LINES,
            "If nothing points further, restart it: `docker restart <name>`; the engine does not do that by itself.",
        ),
        example=Example(
            fires={health: "1+0x40 0+0x80", started: build_flat_samples(1)},
            silent={health: "0+0x58 1+0x60", started: build_flat_samples(1)},
        ),
    )
