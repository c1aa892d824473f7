"""What the exporters of databases share: one exporter for each database of a kind, told apart by a label."""

from __future__ import annotations

from model.component import Planning
from model.gateway import HOST
from model.naming import build_identity_labels
from model.service import Database
from model.telemetry import ScrapeJob, ScrapeTarget, SeriesCount


def find_databases(context: Planning, kind: str) -> dict[str, Database]:
    """The system's databases of a kind, by key."""
    return {key: item for key, item in context.system.databases.items() if item.kind == kind}


def name_workload(context: Planning, name: str, kind: str, key: str) -> str:
    """Name of the exporter of the database `key`; the only one of its kind is called like the component, `name`."""
    return name if len(find_databases(context, kind)) == 1 else f"{name}-{key}"


def find_address(context: Planning, key: str, database: Database) -> str:
    """host:port of a database; in a demo its stand-in's, wherever the database itself lives."""
    if context.settings.demo:
        return context.address(database.derive_stand_in_name(key), database.listens)
    return database.address or f"{HOST}:{database.listens}"


def build_scrape_job(context: Planning, name: str, kind: str, port: int, *, series: int) -> ScrapeJob:
    """The scrape job of a component: all its exporters, each with the label `database` and so many series."""
    workloads = {key: name_workload(context, name, kind, key) for key in find_databases(context, kind)}
    targets = tuple(
        ScrapeTarget(
            address=context.address(workload, port),
            labels={**build_identity_labels(context, workload), "database": key},
        )
        for key, workload in workloads.items()
    )
    return ScrapeJob(name=name, targets=targets, series=SeriesCount(target=series))
