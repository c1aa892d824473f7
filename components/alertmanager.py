"""Alertmanager: groups alerts and routes them to receivers.

Format: https://prometheus.io/docs/alerting/latest/configuration/. Every credential is read from a file. Nothing is
inhibited here: see `model.muting`.
"""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from components import routes as notation
from components.base import limits, published
from components.discovery import instances
from components.documents import dump
from components.notifications import FILE, document
from components.operator.routing import alertmanager_config
from components.receivers import receiver, secret_file, webhook
from components.routes import NOBODY
from model import intervals, openings, routes, routing
from model.base import Duration, seconds
from model.checks.times import notifying
from model.component import Component, Planned, Planning
from model.declared import Declared
from model.errors import Inconsistent, Problem
from model.integrations import Webhook
from model.intervals import TimeInterval
from model.packs import alertmanager as pack
from model.packs.alertmanager import SWITCH
from model.places import in_section
from model.receivers import DeadMansSwitch, Receiver
from model.routes import GroupLabel, grouping
from model.routes import Route as AlertRoute
from model.scope import own_only
from model.secret import Secret
from model.settings import ComponentSettings
from model.telemetry import NOTIFICATION, Datasource, Route, RuleGroup, ScrapeJob, SeriesCount, StackRow, Telemetry
from model.workload import ConfigDir, DataVolume, HttpProbe, Port, Reload, SecretFile, Workload

NAME = "alertmanager"
PORT = 9093
GOSSIP_PORT = 9094
CONFIG_DIR = "/etc/alertmanager"
DATA_DIR = "/alertmanager"


class Settings(ComponentSettings):
    """Alertmanager."""

    receivers: tuple[Receiver, ...] = ()
    """Receivers; the first one gets everything that no route claims, but for what is only information."""
    routes: tuple[AlertRoute, ...] = ()
    """Routes by severity and labels, tried in this order. Without one for `info`, alerts of that severity are shown and
    sent to nobody."""
    dead_mans_switch: DeadMansSwitch | None = None
    """Where Watchdog is sent, again and again; without it that alert is sent to nobody."""
    group_by: tuple[GroupLabel, ...] = ("alertname", "service")
    """Labels whose equal values put alerts into one notification, "..." for each alert alone."""
    group_wait: Duration = "10s"
    """How long the first notification of a group waits for others of it."""
    group_interval: Duration = "1m"
    """How often a changed group is sent."""
    repeat_interval: Duration = "4h"
    """How often an unchanged group is sent again."""
    replicas: Annotated[int, Field(ge=1, le=5)] = 1
    """Instances that agree on what was sent; more than one on Kubernetes only."""
    retention: Duration = "120h"
    """How long silences and the notification log are kept."""

    time_intervals: tuple[TimeInterval, ...] = ()
    """Named times, in which routes notify (activeTimeIntervals) or are mute (muteTimeIntervals)."""

    @property
    def instances(self) -> int:
        """Instances of Alertmanager."""
        return self.replicas

    @model_validator(mode="after")
    def _agree(self) -> Settings:
        names = [receiver.name for receiver in self.receivers]
        found = [
            Problem(f"receivers[{number}].name", f"{name!r} is a receiver of ours; choose another name")
            for number, name in enumerate(names)
            if name in (NOBODY, SWITCH)
        ]
        found += [
            Problem(f"receivers[{number}].name", f"receiver {name!r} is declared twice")
            for number, name in enumerate(names)
            if name in names[:number]
        ]
        grouped = grouping(self.group_by)
        found += [grouped] if grouped else []
        found = found or [*routes.problems(names, self.routes), *intervals.problems(self.time_intervals, self.routes)]
        if found:
            raise Inconsistent(found)
        return self


# -- documents -------------------------------------------------------------------------------------------------------


def receivers(own: Settings, context: Planning) -> tuple[Receiver, ...]:
    """The declared receivers; the demo's own webhook where none is declared, so that alerts can be seen arriving."""
    if own.receivers or not context.settings.demo:
        return own.receivers
    address = context.address("demo-webhook", 8080)
    hook = Webhook.model_construct(url=f"http://{address}/demo/webhook")
    return (Receiver.model_construct(name="default", webhook=hook),)


def config(own: Settings, context: Planning) -> dict[str, Any]:
    """alertmanager.yml as a dict. Without any receiver alerts are shown in Alertmanager and sent nowhere."""
    known = receivers(own, context)
    names = [item.name for item in known]
    default = names[0] if names else NOBODY
    below = [*notation.to_each(names), *watchdog(own), *(notation.routes(own.routes) if own.receivers else [])]
    nobody = [{"name": NOBODY}] if own.receivers or not names else []
    return {
        "route": {
            "receiver": default,
            "group_by": list(own.group_by),
            "group_wait": own.group_wait,
            "group_interval": own.group_interval,
            "repeat_interval": own.repeat_interval,
            "routes": below,
        },
        "receivers": [*map(receiver, known), *switches(own), *nobody],
        **({"time_intervals": notation.time_intervals(own.time_intervals)} if own.time_intervals else {}),
        "templates": [FILE],
    }


def watchdog(own: Settings) -> list[dict[str, Any]]:
    """The route of Watchdog to the dead man's switch; without one it is information like any other."""
    if own.dead_mans_switch is None:
        return []
    every = own.dead_mans_switch.interval
    # an unchanged group is looked at after each group_interval; it is sent then only if repeat_interval is over
    times = {"group_wait": "0s", "group_interval": every, "repeat_interval": "1s"}
    return [{"receiver": SWITCH, "matchers": ['alertname="Watchdog"'], **times}]


def switches(own: Settings) -> list[dict[str, Any]]:
    """The receiver of Watchdog, where there is one; that it ends is no message to it."""
    if own.dead_mans_switch is None:
        return []
    return [{"name": SWITCH, "webhook_configs": [{**webhook(own.dead_mans_switch), "send_resolved": False}]}]


# -- workload --------------------------------------------------------------------------------------------------------


def gossip(context: Planning, replicas: int) -> tuple[str, ...]:
    """How instances find each other, to agree on what was sent; a single one has nobody to gossip with.

    Source: https://prometheus.io/docs/alerting/latest/high_availability/
    """
    if replicas == 1:
        return ("--cluster.listen-address=",)
    peers = context.instances(NAME, GOSSIP_PORT)
    return (f"--cluster.listen-address=0.0.0.0:{GOSSIP_PORT}", *(f"--cluster.peer={peer}" for peer in peers))


# -- component -------------------------------------------------------------------------------------------------------


class Alertmanager(Component[Settings]):
    """Alertmanager, which sends notifications."""

    name = NAME
    settings = Settings
    under_operator = frozenset(
        {
            "enabled",
            "receivers",
            "routes",
            "group_by",
            "group_wait",
            "group_interval",
            "repeat_interval",
            "dead_mans_switch",
            "time_intervals",
        }
    )
    """Settings that mean something where an operator runs Alertmanager too."""

    def telemetry(self, own: Settings, context: Planning) -> Telemetry:
        """Alertmanager is scraped, is a data source, and has alerts about its own delivery."""
        operator, address = context.operator, context.address(NAME, PORT)
        url = operator.alertmanager if operator else f"http://{address}/alertmanager"
        found = instances(context, NAME, PORT, own.replicas)
        switch = own.dead_mans_switch.interval if own.dead_mans_switch else "1m"
        rules = pack.alerts(context.system.tune, replicas=context.count(NAME), switch=switch, own=operator is None)
        route = Route(name=NAME, prefix="/alertmanager", url=f"http://{address}", open=openings.ALERTMANAGER)
        return Telemetry(
            offers=(NOTIFICATION,),
            rows=(StackRow(title="Alertmanager", panels=pack.panels(), position=20),),
            scrape=(
                ScrapeJob(name=NAME, series=SeriesCount(target=490), path=f"{urlsplit(url).path}/metrics", **found),
            ),
            datasources=(
                Datasource(
                    uid="alertmanager",
                    name="Alertmanager",
                    kind="alertmanager",
                    url=url,
                    json_data={"implementation": "prometheus"},
                ),
            ),
            rules=(RuleGroup(name="alertmanager", alerts=rules),),
            routes=() if operator else (route,),
        )

    def problems(self, own: Settings, context: Planned) -> list[Problem]:
        """Times that contradict each other, labels that no alert has, and what an operator's objects cannot say."""
        where = in_section(context.stack, NAME, "")
        found = notifying(context, NAME, own)
        found += routing.problems(where.rstrip("."), own.routes, own.group_by, context.telemetry, context.stack)
        if context.operator:
            message = "has no field in an AlertmanagerConfig, which the operator reads; leave it out"
            found += [Problem(f"{where}{path}", message) for path in own_only(own, NAME)]
        return found

    def warnings(self, own: Settings, context: Planned) -> list[str]:
        """A missing receiver; the receivers of an operator's own Alertmanager are not known here."""
        if context.operator or receivers(own, context):
            return []
        return [
            f"{in_section(context.stack, NAME, 'receivers')}: none is declared, so alerts are shown in Alertmanager and"
            " Grafana and sent to nobody: declare one (slack, pagerduty, email, webhook…)"
        ]

    def secrets(self, own: Settings, context: Planning) -> tuple[Secret, ...]:
        """The secrets of all receivers."""
        named = {name: purpose for item in receivers(own, context) for name, purpose in item.secrets().items()}
        switch = own.dead_mans_switch
        if switch and switch.url_secret:
            named[switch.url_secret] = "the address of the dead man's switch"
        return tuple(Secret(name=name, purpose=purpose) for name, purpose in sorted(named.items()))

    def objects(self, own: Settings, context: Planned) -> tuple[Declared, ...]:
        """What an operator's Alertmanager is told in the place of alertmanager.yml."""
        if context.operator is None:
            return ()
        named = tuple(secret.name for secret in self.secrets(own, context))
        return (alertmanager_config(NAME, context.stack, context.operator, config(own, context), named),)

    def workloads(self, own: Settings, context: Planned) -> tuple[Workload, ...]:
        """One Alertmanager; silences and the notification log live on a volume. None where an operator runs one."""
        if context.operator:
            return ()
        return (
            Workload(
                name=NAME,
                image="alertmanager",
                limits=limits(own, memory=128),
                args=(
                    f"--config.file={CONFIG_DIR}/alertmanager.yml",
                    f"--storage.path={DATA_DIR}",
                    f"--data.retention={seconds(own.retention) / 3600:.12g}h",  # it knows no years
                    "--enable-feature=receiver-name-in-metrics",
                    f"--web.external-url={context.settings.base_url}/alertmanager/",
                    "--web.route-prefix=/alertmanager/",
                    *gossip(context, own.replicas),
                ),
                config=ConfigDir(
                    path=CONFIG_DIR,
                    files={"alertmanager.yml": dump(config(own, context)), FILE: document()},
                    validate=("/bin/amtool", "check-config", "{dir}/alertmanager.yml"),
                    reload=Reload(
                        port=PORT,
                        path="/alertmanager/-/reload",
                        metrics_path="/alertmanager/metrics",
                        success_metric="alertmanager_config_last_reload_successful",
                    ),
                ),
                secrets=tuple(
                    SecretFile(path=secret_file(secret.name), secret=secret.name, reread=True)
                    for secret in self.secrets(own, context)
                ),
                ports=(
                    published(context, NAME, PORT, default=9093),
                    *((Port(number=GOSSIP_PORT, name="gossip", udp=True),) if own.replicas > 1 else ()),
                ),
                replicas=own.replicas,
                egress="anywhere",
                volumes=(DataVolume(name="alertmanager-data", path=DATA_DIR, retain=context.settings.retain_data),),
                probe=HttpProbe(path="/alertmanager/-/healthy", port=PORT),
            ),
        )
