"""Socket proxy: HAProxy in front of the Docker socket, which lets only a few read calls through.

Format: https://docs.haproxy.org/2.6/configuration.html. Calls: https://docs.docker.com/reference/api/engine/.
"""

from __future__ import annotations

from components.base import build_haproxy_arguments, build_identity_labels, build_limits
from model.component import Component, Planned, Planning
from model.settings import ComponentSettings, DockerSettings
from model.stores import DockerApi
from model.telemetry import DOCKER_API, RuleGroup, ScrapeJob, ScrapeTarget, SeriesCount, Telemetry
from model.workload import Exemption, HostMount, HttpProbe, Port, Workload

NAME = "socket-proxy"
PORT = 2375
METRICS_PORT = 8404
SILENT = "no engine answers at the mounted socket; see docker.socket"
"""What health and metrics answer then, with status 503."""
SOCKET = "/var/run/docker.sock"
SNAPSHOTTER = "io.containerd.snapshotter.v1"
"""Driver type by which `docker info` says that the engine keeps images in containerd."""
ALLOWED = (
    r"_ping",
    r"version",
    r"info",
    r"events",
    r"networks",
    r"containers/json",
    r"containers/[a-zA-Z0-9_.-]+/json",
    r"containers/[a-zA-Z0-9_.-]+/logs",
    r"images/[a-zA-Z0-9_./:-]+/json",
)
"""Paths that log discovery and container metrics need, below an optional /vX.YY."""


class Settings(ComponentSettings):
    """The read-only proxy in front of the Docker socket."""


def render_config(settings: DockerSettings) -> str:
    """haproxy.cfg. Followed logs and events stay silent for hours, hence the long time-outs.

    A buffer must hold the whole answer to /info, as it is looked into; engines with many plugins send 10 KiB.
    The check is in a backend of its own, so that a request waits for an engine that just starts instead of failing.
    """
    paths = "|".join(ALLOWED)
    return f"""global
    log stdout format raw local0 warning
    maxconn 256
    tune.bufsize 65536

defaults
    mode http
    log global
    option dontlognull
    timeout connect 5s
    timeout client 24h
    timeout server 24h
    timeout http-request 10s

frontend docker
    bind :{PORT}
    acl reads method GET HEAD
    acl allowed path,url_dec -m reg -i ^(/v[0-9.]+)?/({paths})$
    http-request deny deny_status 403 unless reads allowed
    http-request set-var(txn.info) bool(true) if {{ method GET }} {{ path,url_dec -m reg -i ^(/v[0-9.]+)?/info$ }}
    default_backend engine

backend engine
{_render_info_rule(settings)}
    server engine unix@{SOCKET}

backend alive
    option httpchk GET /_ping
    timeout check 5s
    server engine unix@{SOCKET} check inter 2s fall 3 rise 1

frontend metrics
    bind :{METRICS_PORT}
    http-request deny deny_status 404 unless {{ path /metrics }} or {{ path /healthz }}
    http-request return status 503 content-type text/plain string "{SILENT}" unless {{ nbsrv(alive) gt 0 }}
    http-request use-service prometheus-exporter if {{ path /metrics }}
    http-request return status 200 content-type text/plain string ok
"""


def _render_info_rule(settings: DockerSettings) -> str:
    """What cAdvisor, the only one to ask, is told of an engine whose layers it cannot see.

    It reads a file of each container's layer below the data root, or asks containerd, and leaves a container out where
    that fails. For a version below 1.10 it looks for no layer, and for a driver that it does not know it looks for no
    disk: all containers are there, without the figures of their file systems.
    Source: https://github.com/google/cadvisor/blob/v0.60.6/container/docker/handler.go.
    """
    answer = """{"ServerVersion":"1.9.0","Driver":"none","DockerRootDir":"%[var(txn.root),json(utf8s)]"}"""
    short = f"http-response return status 200 content-type application/json lf-string '{answer}' if info answered"
    rules = [
        "acl info var(txn.info) -m bool",
        "acl answered status 200",
        "http-response wait-for-body time 5s if info",
        "http-response set-var(txn.root) res.body,json_query('$.DockerRootDir') if info",
        short,
    ]
    if settings.image_store == "classic":
        rules[3:3] = [f"acl containerd res.body -m sub {SNAPSHOTTER}"]
        rules[-1] += f" containerd or info answered !{{ var(txn.root) -m str {settings.data_root} }}"
    return "\n".join(f"    {rule}" for rule in rules)


# -- component -------------------------------------------------------------------------------------------------------


class SocketProxy(Component[Settings]):
    """The read-only proxy in front of the Docker socket."""

    name = NAME
    settings = Settings
    targets = ("docker",)

    def telemetry(self, own: Settings, context: Planning) -> Telemetry:
        """The proxy is scraped; TargetDown covers it."""
        target = ScrapeTarget(address=context.address(NAME, METRICS_PORT), labels=build_identity_labels(context, NAME))
        return Telemetry(
            scrape=(ScrapeJob(name=NAME, series=SeriesCount(target=260), targets=(target,)),),
            docker_apis=(DockerApi(address=context.address(NAME, PORT), workload=NAME),),
            rules=(RuleGroup(name=NAME),),
            offers=(DOCKER_API,),
        )

    def workloads(self, own: Settings, context: Planned) -> tuple[Workload, ...]:
        """One proxy, the only container that sees the socket while it runs."""
        reason = "passes read-only calls of the agents on to the engine"
        return (
            Workload(
                name=NAME,
                limits=build_limits(own, memory=64, cpus=0.5),
                **build_haproxy_arguments(render_config(context.settings.docker)),
                ports=(Port(number=PORT, name="docker"),),
                host_mounts=(HostMount(source=context.settings.docker.engine_socket, path=SOCKET, reason=reason),),
                exemptions=(Exemption(rule="docker-socket", reason=reason),),
                probe=HttpProbe(path="/healthz", port=METRICS_PORT),
            ),
        )
