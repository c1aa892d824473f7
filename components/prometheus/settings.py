"""Settings of Prometheus, and of an operator in its place."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from model.base import QUERY_LOG, Duration, QueryTime, Size, parse_size
from model.errors import Inconsistent, Problem
from model.operator import Operator
from model.settings import ComponentSettings

NAME, PORT = "prometheus", 9090
CONFIG_DIR, DATA_DIR = "/etc/prometheus", "/prometheus"
INSTANCE = "INSTANCE"
LEAST_STORED = "128MiB"
"""A segment of the write-ahead log: https://prometheus.io/docs/prometheus/latest/storage/. With less no block stays."""


def _check_segment(value: str) -> str:
    if parse_size(value) < parse_size(LEAST_STORED):
        raise ValueError(f"must be {LEAST_STORED} at least: a segment of the write-ahead log takes that alone")
    return value


StoredSize = Annotated[Size, AfterValidator(_check_segment)]


class Settings(ComponentSettings):
    """Prometheus."""

    SHORT = {"operator": {"mode": "operator"}}  # noqa: RUF012 - a class variable, as declared by its base
    mode: Literal["own", "operator"] = "own"
    """Whether the stack runs a Prometheus of its own, or writes objects for an operator that is there already."""
    operator: Operator = Field(default_factory=Operator)
    """That operator. `prometheus: operator` in the place of the section takes all of its defaults."""
    retention: Duration = "15d"
    """How long samples are kept."""
    retention_size: StoredSize = "8GiB"
    """Disk space after which the oldest samples are dropped, whatever their age."""
    evaluation_interval: Duration = "15s"
    """How often rules are evaluated."""
    sample_limit: Annotated[int, Field(ge=1)] = 50_000
    """Samples after which a scrape is refused, unless a job says otherwise."""
    query_timeout: QueryTime = "2m"
    """How long a query may run."""
    query_log_file: Annotated[str, Field(pattern=QUERY_LOG, examples=["/prometheus/queries.log"])] | None = None
    """File of the data directory, /prometheus, that every query is logged to; none by default."""
    replicas: Annotated[int, Field(ge=1, le=4)] = 1
    """Instances that all scrape and evaluate everything; more than one on Kubernetes only."""
    lookback_delta: Duration = "5m"
    """How old a sample may be to count as current."""

    @model_validator(mode="after")
    def _check_mode(self) -> Settings:
        if self.mode == "own" and "operator" in self.model_fields_set:
            raise Inconsistent([Problem("operator", "means something with mode: operator only; add that")])
        return self

    @property
    def instances(self) -> int:
        """Instances of Prometheus."""
        return self.replicas

    @property
    def existing(self) -> Operator | None:
        """The operator, where one runs Prometheus."""
        return self.operator if self.mode == "operator" else None
