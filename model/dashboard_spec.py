"""Dashboards as a system's file describes them: rows of packs, panels, queries and thresholds."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from model.base import ServiceKey, Strict
from model.errors import Inconsistent, Problem

LONGEST_UID = 40
"""Grafana's limit: https://grafana.com/docs/grafana/latest/developers/http_api/dashboard/#identifier-id-vs-unique-identifier-uid."""


def build_uid(name: str, end: str) -> str:
    """A uid of a name and an end such as `-slo`, of which the end is always whole."""
    return f"{name[: LONGEST_UID - len(end)]}{end}"


class Threshold(Strict):
    """A value from which a panel changes colour."""

    value: float
    """In the panel's unit."""
    colour: Literal["green", "yellow", "orange", "red", "blue"]
    """Colour from that value upwards."""


class Query(Strict):
    """One query of a panel."""

    expr: str
    """PromQL, or LogQL on a logs panel."""
    legend: str = ""
    """Legend template such as {{service}}."""


class Panel(Strict):
    """One panel."""

    title: str
    """Heading."""
    kind: Literal["timeseries", "stat", "gauge", "table", "bargauge", "logs", "heatmap", "dashboards"] = "timeseries"
    """Visualisation; "dashboards" lists those with the tag `tag`."""
    language: Literal["promql", "logql"] | None = None
    """What its queries are written in: those of kind logs are LogQL, others PromQL when absent."""
    tag: str = ""
    """For kind dashboards: which ones are listed."""
    description: str = ""
    """What it shows and when to worry."""
    unit: str = "short"
    """Grafana unit id such as s, ms, reqps, percentunit, bytes."""
    queries: tuple[Query, ...] = ()
    """What is drawn."""
    thresholds: tuple[Threshold, ...] = ()
    """Colours by value."""
    width: Annotated[int, Field(ge=1, le=24)] = 12
    """Of the 24 columns of Grafana's grid."""
    height: Annotated[int, Field(ge=2, le=30)] = 8
    """In rows of Grafana's grid."""
    exemplars: bool = False
    """For kind timeseries with PromQL: whether single measurements that have a trace are drawn as dots that lead to
    it."""

    @model_validator(mode="after")
    def _check_content(self) -> Panel:
        lists = self.kind == "dashboards"
        if not lists and not self.queries:
            raise Inconsistent([Problem("queries", "must have at least 1 entry")])
        if lists != bool(self.tag):
            need = "is required for kind dashboards" if lists else "belongs to kind dashboards only"
            raise Inconsistent([Problem("tag", f"{need}: which dashboards are listed")])
        if self.language and self.kind in ("logs", "dashboards"):
            raise Inconsistent([Problem("language", f"has no effect for kind {self.kind}; leave it out")])
        if self.exemplars and (self.kind != "timeseries" or self.language == "logql"):
            raise Inconsistent(
                [Problem("exemplars", "has an effect for kind timeseries with PromQL only; leave it out")]
            )
        return self

    @property
    def asks_loki(self) -> bool:
        """Whether its queries are LogQL."""
        return self.kind == "logs" or self.language == "logql"


class Row(Strict):
    """Panels under one heading: those of a pack, or ones of its own."""

    title: str = ""
    """Heading; that of the pack when absent."""
    pack: str | None = None
    """The pack whose panels these are."""
    panels: tuple[Panel, ...] = ()
    """From left to right, wrapped; after those of the pack."""
    collapsed: bool = False
    """Whether the row starts folded."""

    @model_validator(mode="after")
    def _check_content(self) -> Row:
        if not self.pack and not self.panels:
            raise Inconsistent([Problem("panels", "must have at least 1 entry, or pack must name a pack")])
        if not self.pack and not self.title:
            raise Inconsistent([Problem("title", "is required for a row of its own panels")])
        return self


class DashboardSpec(Strict):
    """A dashboard of the system."""

    uid: Annotated[str, Field(pattern=rf"^[a-zA-Z0-9_-]{{1,{LONGEST_UID}}}$")]
    """Stable identifier: part of the URL."""
    title: str
    """Heading."""
    description: str = ""
    """What questions it answers."""
    services: tuple[ServiceKey, ...] = ()
    """The services it is about; all of the system when absent."""
    refresh: Literal["10s", "30s", "1m", "5m"] = "30s"
    """How often it redraws."""
    rows: Annotated[tuple[Row, ...], Field(min_length=1)]
    """From top to bottom."""
