"""Grafana: draws everyone's dashboards from everyone's data sources, all of them provisioned from files.

Formats: https://grafana.com/docs/grafana/latest/administration/provisioning/ and, for the environment,
.../setup-grafana/configure-grafana/.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from components.base import limits, published
from components.datasources import datasources
from components.documents import dump as dump_yaml
from model.addresses import HttpUrl
from model.base import Duration, QueryTime, Strict, seconds
from model.checks.times import drawing
from model.component import Component, Planned, Planning
from model.dashboard import build, dump
from model.database import Database
from model.errors import Inconsistent, Problem
from model.naming import scraped
from model.oauth import OAuth
from model.packs import grafana as pack
from model.secret import Secret
from model.settings import ComponentSettings
from model.stack_dashboard import INDEX, index, stack_dashboard
from model.telemetry import (
    DRAWING,
    TRACES,
    Dashboard,
    Datasource,
    Route,
    RuleGroup,
    ScrapeJob,
    SeriesCount,
    StackRow,
    Telemetry,
    TracingKind,
)
from model.workload import ConfigDir, DataVolume, HttpProbe, Reload, SecretFile, Workload

NAME = "grafana"
PORT = 3000
CONFIG_DIR = "/etc/grafana/provisioning"
DATA_DIR = "/var/lib/grafana"
PASSWORD = "grafana-admin-password"  # noqa: S105 - its name
SECRETS = {"GF_SECURITY_ADMIN_PASSWORD": PASSWORD, "GF_SECURITY_SECRET_KEY": "grafana-secret-key"}
"""Variables that name a file of /run/secrets, and the secret in it."""
START = f"""\
grafana cli --homepath "$GF_PATHS_HOME" --config "$GF_PATHS_CONFIG" \\
  admin reset-admin-password --password-from-stdin </run/secrets/{PASSWORD}
exec /run.sh
"""
"""How the container starts: Grafana reads the administrator's password only when its database is new, and keeps it
there, so its own command writes it at each start. /run.sh is what Grafana's image starts with."""
DATABASE_PASSWORD = "grafana-database-password"  # noqa: S105 - its name
DATABASE_CA = "database/ca.pem"


class Tracing(Strict):
    """A tracing backend that is there already."""

    kind: TracingKind
    """Which one."""
    url: Annotated[HttpUrl, Field(examples=["http://jaeger:16686"])]
    """Where Grafana reaches its query API."""


class Settings(ComponentSettings):
    """Grafana."""

    image: Literal["grafana", "grafana-standin"] = "grafana"
    """Which image of configs/images.yaml runs; the stand-in is for machines that cannot pull Grafana's own."""
    min_refresh: Duration = "10s"
    """The shortest interval at which a dashboard may redraw itself."""
    query_timeout: QueryTime = "60s"
    """How long a data source may take to answer."""
    database: Database | None = None
    """A database that keeps users, preferences and stars; a file on a volume when absent."""
    replicas: Annotated[int, Field(ge=1, le=5)] = 1
    """Instances; more than one on Kubernetes only, and only with a database that they share."""
    oauth: OAuth | None = None
    """Where people sign in beside Grafana's own form."""
    tracing: Tracing | None = None
    """A tracing backend: its traces open from log lines that have a trace_id, and log lines from its traces.

    Named, it stands for the tracing backend of the stack itself, where there is one."""

    @property
    def instances(self) -> int:
        """Instances of Grafana."""
        return self.replicas

    @model_validator(mode="after")
    def _instances_share(self) -> Settings:
        if self.replicas > 1 and self.database is None:
            message = (
                f"{self.replicas} instances need a database that they share: name one in grafana.database, or use 1"
            )
            raise Inconsistent([Problem("replicas", message)])
        return self


# -- documents -------------------------------------------------------------------------------------------------------


def documents(own: Settings, context: Planned) -> dict[str, str]:
    """Every file of the provisioning directory, by its relative path."""
    boards = context.telemetry.dashboards
    files = {
        "datasources/datasources.yaml": dump_yaml(datasources(sources(own, context))),
        "dashboards/dashboards.yaml": dump_yaml(providers(boards)),
    }
    database = own.database
    if database and database.ca_certificate:
        files[DATABASE_CA] = database.ca_certificate
    return files | {f"boards/{slug(board.folder)}/{board.uid}.json": dump(board.model) for board in boards}


def sources(own: Settings, context: Planned) -> tuple[Datasource, ...]:
    """Everyone's data sources; a tracing backend that the settings name takes the place of the stack's own."""
    named = tracing(own)
    replaced = {source.uid for source in named}
    return (*(source for source in context.telemetry.datasources if source.uid not in replaced), *named)


def tracing(own: Settings) -> tuple[Datasource, ...]:
    """The data source of the tracing backend that the settings name."""
    if own.tracing is None:
        return ()
    return (Datasource(uid=TRACES, name="Traces", kind=own.tracing.kind, url=own.tracing.url),)


def providers(boards: tuple[Dashboard, ...]) -> dict[str, Any]:
    """One provider for each folder, as a provider without sub-folders takes exactly one title."""
    folders = sorted({board.folder for board in boards})
    return {"apiVersion": 1, "providers": [_provider(folder) for folder in folders]}


def _provider(folder: str) -> dict[str, Any]:
    return {
        "name": slug(folder),
        "folder": folder,
        "type": "file",
        "disableDeletion": False,
        "allowUiUpdates": False,
        "updateIntervalSeconds": 30,
        "options": {"path": f"{CONFIG_DIR}/boards/{slug(folder)}"},
    }


def slug(title: str) -> str:
    """A title as the name of a directory: `RAG & API` gives `rag-api`."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-") or "general"


def environment(own: Settings, context: Planning) -> dict[str, str]:
    """Grafana's settings; each variable is GF_<section>_<key>."""
    base = context.settings.base_url
    https = str(base.startswith("https://")).lower()
    return {
        "GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES": "false",
        "GF_ANALYTICS_CHECK_FOR_UPDATES": "false",
        "GF_ANALYTICS_FEEDBACK_LINKS_ENABLED": "false",
        "GF_ANALYTICS_REPORTING_ENABLED": "false",
        "GF_AUTH_ANONYMOUS_ENABLED": "false",
        "GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH": f"{CONFIG_DIR}/boards/monitoring/{INDEX}.json",
        "GF_DASHBOARDS_MIN_REFRESH_INTERVAL": own.min_refresh,
        "GF_DATAPROXY_DIAL_TIMEOUT": "10",
        "GF_DATAPROXY_TIMEOUT": f"{seconds(own.query_timeout):g}",
        "GF_LOG_MODE": "console",
        "GF_LOG_CONSOLE_FORMAT": "json",
        "GF_METRICS_ENABLED": "true",
        "GF_NEWS_NEWS_FEED_ENABLED": "false",
        "GF_PATHS_DATA": DATA_DIR,
        "GF_PATHS_PROVISIONING": CONFIG_DIR,
        "GF_PLUGINS_PREINSTALL_DISABLED": "true",  # nothing is downloaded at start
        "GF_SECURITY_ADMIN_USER": "admin",
        "GF_SECURITY_COOKIE_SAMESITE": "lax",
        "GF_SECURITY_COOKIE_SECURE": https,
        "GF_SECURITY_DISABLE_GRAVATAR": "true",
        "GF_SECURITY_STRICT_TRANSPORT_SECURITY": https,
        "GF_SERVER_ROOT_URL": f"{base}/",
        "GF_SNAPSHOTS_EXTERNAL_ENABLED": "false",
        "GF_UNIFIED_ALERTING_ENABLED": "false",  # alerts are Prometheus' and Alertmanager's work
        "GF_USERS_ALLOW_ORG_CREATE": "false",
        "GF_USERS_ALLOW_SIGN_UP": "false",
        "GF_USERS_VIEWERS_CAN_EDIT": "false",
        **(own.database.environment(f"{CONFIG_DIR}/{DATABASE_CA}") if own.database else {}),
        **(own.oauth.environment() if own.oauth else {}),
        # Grafana reads the files itself; with NAME__FILE its image would put what is in them into the environment
        **{variable: f"$__file{{/run/secrets/{name}}}" for variable, name in secret_variables(own).items()},
    }


def secret_variables(own: Settings) -> dict[str, str]:
    """The secrets that these settings call for, by variable, as in SECRETS."""
    oauth = {"GF_AUTH_GENERIC_OAUTH_CLIENT_SECRET": own.oauth.client_secret} if own.oauth else {}
    return SECRETS | oauth | ({"GF_DATABASE_PASSWORD": DATABASE_PASSWORD} if own.database else {})


# -- workload --------------------------------------------------------------------------------------------------------


def kept(own: Settings, context: Planning) -> dict[str, Any]:
    """Where data is kept, as arguments of `Workload`: a volume, or memory where all that must last is elsewhere."""
    if own.database:
        return {"tmpfs": ("/tmp", DATA_DIR)}  # noqa: S108 - inside the container
    return {"volumes": (DataVolume(name="grafana-data", path=DATA_DIR, retain=context.settings.retain_data),)}


# -- component -------------------------------------------------------------------------------------------------------


class Grafana(Component[Settings]):
    """Grafana, which draws dashboards."""

    name = NAME
    settings = Settings

    def telemetry(self, own: Settings, context: Planning) -> Telemetry:
        """Grafana is scraped, is reached at the root, and draws dashboards."""
        address, replicas = context.address(NAME, PORT), own.replicas
        return Telemetry(
            offers=(DRAWING,),
            rows=(StackRow(title="Grafana", panels=pack.panels(), position=60),),
            scrape=(
                ScrapeJob(name=NAME, series=SeriesCount(target=150), **scraped(context, NAME, PORT, replicas=replicas)),
            ),
            rules=(RuleGroup(name=NAME, alerts=pack.alerts(context.system.tune)),),
            routes=(Route(name=NAME, prefix="/", url=f"http://{address}", login=False),),  # it has a login of its own
        )

    def derived(self, own: Settings, context: Planning, collected: Telemetry) -> Telemetry:
        """The dashboards of the stack itself, and the list of all."""
        specs = (stack_dashboard(collected.rows), index(context))
        where = "dashboard {}".format
        boards = (build(s, folder="Monitoring", tags=["monitoring"], where=where(s.uid)) for s in specs)
        return Telemetry(dashboards=tuple(boards))

    def problems(self, own: Settings, context: Planned) -> list[Problem]:
        """Times that contradict each other, or that Grafana does not take."""
        return drawing(context, NAME, refresh=own.min_refresh, timeout=own.query_timeout)

    def secrets(self, own: Settings, context: Planning) -> tuple[Secret, ...]:
        """The administrator's password, and the key that Grafana's database is encrypted with: its default is public.

        The password of a database is somebody else's to make.
        """
        database, oauth = own.database, own.oauth
        client = f"the secret of Grafana's client {oauth.client_id} at {oauth.auth_url}" if oauth else ""
        given = f"the password of Grafana's user {database.user} at {database.host}" if database else ""
        return (
            *((Secret(name=DATABASE_PASSWORD, purpose=given),) if given else ()),
            *((Secret(name=oauth.client_secret, purpose=client),) if oauth else ()),
            Secret(name=PASSWORD, purpose="the password of Grafana's user admin", generate=True),
            Secret(
                name=SECRETS["GF_SECURITY_SECRET_KEY"],
                purpose="the key that Grafana encrypts its database with",
                generate=True,
                permanent="with another key Grafana cannot read what it has encrypted; only an empty database takes"
                " one: `make down`, remove Grafana's data, `pulumi config rm grafana-secret-key`, `make up`",
            ),
        )

    def workloads(self, own: Settings, context: Planned) -> tuple[Workload, ...]:
        """One Grafana with its database on a volume, or as many as are wanted that share one elsewhere."""
        files = documents(own, context)
        reload = Reload(
            port=PORT,
            path="/api/admin/provisioning/dashboards/reload",
            basic_auth=("admin", f"/run/secrets/{PASSWORD}"),
        )
        return (
            Workload(
                name=NAME,
                image=own.image,
                limits=limits(own, memory=256),
                entrypoint=("/bin/sh", "-ec", START),
                env=environment(own, context),
                config=ConfigDir(
                    path=CONFIG_DIR,
                    files=files,
                    reload=reload,
                    restart_on=frozenset({"datasources/datasources.yaml", DATABASE_CA} & files.keys()),
                ),
                secrets=tuple(
                    SecretFile(path=f"/run/secrets/{name}", secret=name) for name in secret_variables(own).values()
                ),
                ports=(published(context, NAME, PORT, default=3000),),
                replicas=own.replicas,
                egress="anywhere" if own.database or own.tracing or own.oauth else "stack",
                **kept(own, context),
                probe=HttpProbe(path="/api/health", port=PORT, start_period=90),  # the first start creates the database
            ),
        )
