"""What Prometheus scrapes, before and after: services with their addresses, and jobs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cli.changes.values import (
    CHANGED,
    GONE,
    NEW,
    TARGETS,
    Change,
    Documents,
    compare_values,
    list_changed,
    parse_document,
)

FOLDER, SCRAPE = "prometheus/targets/", "prometheus/prometheus.yml"
_PLAIN = {"__scrape_interval__": "interval", "__scrape_timeout__": "timeout", "__metrics_path__": "path"}
"""Words for labels that decide how a target is scraped."""


def compare_targets(before: Documents, after: Documents) -> Iterator[Change]:
    """Services that are new, gone or scraped otherwise, then jobs that are."""
    old, new = _list_services(before), _list_services(after)
    for name in sorted(old.keys() | new.keys()):
        yield from _compare_named(name, old.get(name), new.get(name))
    old, new = _list_jobs(before), _list_jobs(after)
    for name in sorted(old.keys() | new.keys()):
        yield from _compare_named(f"job {name}", old.get(name), new.get(name))


def _compare_named(name: str, old: Any, new: Any) -> Iterator[Change]:
    if old != new:
        verb = NEW if old is None else GONE if new is None else CHANGED
        yield Change(TARGETS, verb, name, tuple(compare_values(old or {}, new or {})))


def _list_services(documents: Documents) -> dict[str, dict[str, Any]]:
    """What is scraped of each service, by address: labels of the target, in plain words."""
    made: dict[str, dict[str, Any]] = {}
    for path in list_changed(documents, {}, FOLDER):
        job = path.removeprefix(FOLDER).partition("/")[0]
        for entry in parse_document(documents[path]) or []:
            labels = {_PLAIN.get(key, key): value for key, value in (entry.get("labels") or {}).items()}
            name = str(labels.get("service") or labels.get("job") or job)
            part = made.setdefault(name if job == "services" else f"{name} ({job})", {})
            part |= {str(address): labels for address in entry.get("targets") or []}
    return made


def _list_jobs(documents: Documents) -> dict[str, Any]:
    jobs = (parse_document(documents.get(SCRAPE, "")) or {}).get("scrape_configs") or []
    return {str(job["job_name"]): job for job in jobs}
