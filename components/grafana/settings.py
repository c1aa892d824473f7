"""Settings of Grafana."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from model.addresses import HttpUrl
from model.base import Duration, QueryTime, Strict
from model.database import Database
from model.errors import Inconsistent, Problem
from model.oauth import OAuth
from model.settings import ComponentSettings
from model.telemetry import (
    TracingKind,
)

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

    image: Literal["grafana", "dashboard-viewer"] = "grafana"
    """Which image of configs/images.yaml runs; the dashboard viewer is for machines that cannot pull Grafana's own."""
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
    def _check_shared_database(self) -> Settings:
        if self.replicas > 1 and self.database is None:
            message = (
                f"{self.replicas} instances need a database that they share: name one in grafana.database, or use 1"
            )
            raise Inconsistent([Problem("replicas", message)])
        return self
