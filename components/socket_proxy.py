"""Socket proxy: HAProxy in front of the Docker socket, which lets only a few read calls through.

Format: https://docs.haproxy.org/2.6/configuration.html. Calls: https://docs.docker.com/reference/api/engine/.
"""

from __future__ import annotations

from components.base import MonitoringComponent, identity, limits
from model.plan import Context, Secret
from model.settings import ComponentSettings
from model.telemetry import RuleGroup, ScrapeJob, ScrapeTarget, Telemetry
from model.workload import ConfigDir, Exemption, HostMount, HttpProbe, Port, Workload

NAME = "socket-proxy"
PORT = 2375
TARGETS = ("docker",)
METRICS_PORT = 8404
CONFIG_DIR = "/etc/haproxy"
SOCKET = "/var/run/docker.sock"
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


def config() -> str:
    """haproxy.cfg. Followed logs and events stay silent for hours, hence the long time-outs."""
    paths = "|".join(ALLOWED)
    return f"""global
    log stdout format raw local0 warning
    maxconn 256

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
    default_backend engine

backend engine
    server engine unix@{SOCKET}

frontend metrics
    bind :{METRICS_PORT}
    http-request use-service prometheus-exporter if {{ path /metrics }}
    http-request return status 200 content-type text/plain string ok if {{ path /healthz }}
    http-request deny deny_status 404
"""


def telemetry(context: Context) -> Telemetry:
    """The proxy is scraped; TargetDown covers it."""
    target = ScrapeTarget(address=context.address(NAME, METRICS_PORT), labels=identity(context, NAME))
    return Telemetry(scrape=(ScrapeJob(name=NAME, targets=(target,)),), rules=(RuleGroup(name=NAME),))


def secrets(context: Context) -> tuple[Secret, ...]:
    """The proxy needs none."""
    return ()


def workloads(context: Context) -> tuple[Workload, ...]:
    """One proxy, the only container that sees the socket while it runs."""
    reason = "passes read-only calls of the agents on to the engine"
    return (
        Workload(
            name=NAME,
            image="haproxy",
            limits=limits(context.own(Settings), memory=64, cpus=0.5),
            entrypoint=("/usr/local/sbin/haproxy",),
            args=("-W", "-db", "-f", f"{CONFIG_DIR}/haproxy.cfg"),
            config=ConfigDir(
                path=CONFIG_DIR,
                files={"haproxy.cfg": config()},
                restart_on=frozenset({"haproxy.cfg"}),
                validate=("/usr/local/sbin/haproxy", "-c", "-f", "{dir}/haproxy.cfg"),
            ),
            ports=(Port(number=PORT, name="docker"),),
            host_mounts=(HostMount(source=context.settings.docker.socket, path=SOCKET, reason=reason),),
            exemptions=(Exemption(rule="docker-socket", reason=reason),),
            probe=HttpProbe(path="/healthz", port=METRICS_PORT),
        ),
    )


class SocketProxy(MonitoringComponent):
    """The read-only socket proxy as a ComponentResource."""


Resource = SocketProxy
