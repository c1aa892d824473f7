"""Alertmanager: groups alerts and routes them to receivers."""

from __future__ import annotations

from urllib.parse import urlsplit

from components.alertmanager import mixin as pack
from components.alertmanager.documents import build_config, list_receivers
from components.alertmanager.notifications import FILE, render_document
from components.alertmanager.operator import build_alertmanager_config
from components.alertmanager.receivers import build_secret_path
from components.alertmanager.settings import CONFIG_DIR, DATA_DIR, GOSSIP_PORT, NAME, PORT, Settings
from components.base import build_limits, publish_port
from components.discovery import build_instance_discovery
from components.documents import render_yaml
from model import openings, routing
from model.backups import BackupSource
from model.base import HOUR, parse_duration
from model.checks.times import check_notifications
from model.component import Component, Planned, Planning
from model.errors import Problem
from model.extra_objects import ExtraObject
from model.places import locate_in_section
from model.route import Route
from model.scope import list_own_only
from model.secret import Secret
from model.stores import AlertReceiver
from model.telemetry import BACKUPS, NOTIFICATION, Datasource, RuleGroup, ScrapeJob, SeriesCount, StackRow, Telemetry
from model.workload import ConfigDir, DataVolume, HttpProbe, Port, Reload, SecretFile, Workload


def list_gossip_arguments(context: Planning, replicas: int) -> tuple[str, ...]:
    """How instances find each other, to agree on what was sent; a single one has nobody to gossip with.

    Source: https://prometheus.io/docs/alerting/latest/high_availability/
    """
    if replicas == 1:
        return ("--cluster.listen-address=",)
    peers = context.list_instances(NAME, GOSSIP_PORT)
    return (f"--cluster.listen-address=0.0.0.0:{GOSSIP_PORT}", *(f"--cluster.peer={peer}" for peer in peers))


def build_volume(context: Planning) -> DataVolume:
    """Where silences and the notification log are kept."""
    return DataVolume(name="alertmanager-data", path=DATA_DIR, retain=context.settings.retain_data)


def list_snapshot_arguments(context: Planned) -> tuple[str, ...]:
    """Where backups are made, the files of silences and notifications are written each minute: else each 15 of them.

    Source: https://github.com/prometheus/alertmanager/blob/v0.31.1/cmd/alertmanager/main.go
    """
    return ("--data.maintenance-interval=1m",) if BACKUPS in context.telemetry.offers else ()


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
        discovery = build_instance_discovery(context, NAME, PORT, own.replicas)
        switch = own.dead_mans_switch.interval if own.dead_mans_switch else "1m"
        rules = pack.alerts(
            context.system.tune, replicas=context.count_instances(NAME), switch=switch, own=operator is None
        )
        route = Route(
            name=NAME,
            prefix="/alertmanager",
            url=f"http://{address}",
            open=openings.ALERTMANAGER,
            page="/alertmanager/",
        )
        takes = AlertReceiver(targets=tuple(context.list_instances(NAME, PORT)), path_prefix="/alertmanager")
        return Telemetry(
            offers=(NOTIFICATION,),
            rows=(StackRow(title="Alertmanager", panels=pack.panels(), position=20),),
            scrape=(
                ScrapeJob(name=NAME, series=SeriesCount(target=490), path=f"{urlsplit(url).path}/metrics", **discovery),
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
            alert_receivers=() if operator else (takes,),
            routes=() if operator else (route,),
            backups=()
            if operator
            else (BackupSource(workload=NAME, volume=build_volume(context), instances=own.replicas),),
        )

    def problems(self, own: Settings, context: Planned) -> list[Problem]:
        """Times that contradict each other, labels that no alert has, and what an operator's objects cannot say."""
        where = locate_in_section(context.stack, NAME, "")
        problems = check_notifications(context, NAME, own)
        problems += routing.check_routing(where.rstrip("."), own.routes, own.group_by, context.telemetry, context.stack)
        if context.operator:
            message = "has no field in an AlertmanagerConfig, which the operator reads; leave it out"
            problems += [Problem(f"{where}{path}", message) for path in list_own_only(own, NAME)]
        return problems

    def warnings(self, own: Settings, context: Planned) -> list[str]:
        """A missing receiver; the receivers of an operator's own Alertmanager are not known here."""
        if context.operator or list_receivers(own, context):
            return []
        return [
            f"{locate_in_section(context.stack, NAME, 'receivers')}: none is declared, so alerts are shown in"
            " Alertmanager and Grafana and sent to nobody: declare one (slack, pagerduty, email, webhook…)"
        ]

    def secrets(self, own: Settings, context: Planning) -> tuple[Secret, ...]:
        """The secrets of all receivers."""
        named = {
            name: purpose for item in list_receivers(own, context) for name, purpose in item.list_secrets().items()
        }
        switch = own.dead_mans_switch
        if switch and switch.url_secret:
            named[switch.url_secret] = "the address of the dead man's switch"
        return tuple(Secret(name=name, purpose=purpose) for name, purpose in sorted(named.items()))

    def objects(self, own: Settings, context: Planned) -> tuple[ExtraObject, ...]:
        """What an operator's Alertmanager is told in the place of alertmanager.yml."""
        if context.operator is None:
            return ()
        named = tuple(secret.name for secret in self.secrets(own, context))
        return (build_alertmanager_config(NAME, context.stack, context.operator, build_config(own, context), named),)

    def workloads(self, own: Settings, context: Planned) -> tuple[Workload, ...]:
        """One Alertmanager; silences and the notification log live on a volume. None where an operator runs one."""
        if context.operator:
            return ()
        return (
            Workload(
                name=NAME,
                image="alertmanager",
                limits=build_limits(own, memory=128),
                args=(
                    f"--config.file={CONFIG_DIR}/alertmanager.yml",
                    f"--storage.path={DATA_DIR}",
                    f"--data.retention={parse_duration(own.retention) / HOUR:.12g}h",  # it knows no years
                    "--enable-feature=receiver-name-in-metrics",
                    f"--web.external-url={context.settings.base_url}/alertmanager/",
                    "--web.route-prefix=/alertmanager/",
                    *list_snapshot_arguments(context),
                    *list_gossip_arguments(context, own.replicas),
                ),
                config=ConfigDir(
                    path=CONFIG_DIR,
                    files={"alertmanager.yml": render_yaml(build_config(own, context)), FILE: render_document()},
                    validate=("/bin/amtool", "check-config", "{dir}/alertmanager.yml"),
                    reload=Reload(
                        port=PORT,
                        path="/alertmanager/-/reload",
                        metrics_path="/alertmanager/metrics",
                        success_metric="alertmanager_config_last_reload_successful",
                    ),
                ),
                secrets=tuple(
                    SecretFile(path=build_secret_path(secret.name), secret=secret.name, reread=True)
                    for secret in self.secrets(own, context)
                ),
                ports=(
                    publish_port(context, NAME, PORT, default=9093),
                    *((Port(number=GOSSIP_PORT, name="gossip", udp=True),) if own.replicas > 1 else ()),
                ),
                replicas=own.replicas,
                egress="anywhere",
                volumes=(build_volume(context),),
                probe=HttpProbe(path="/alertmanager/-/healthy", port=PORT),
            ),
        )
