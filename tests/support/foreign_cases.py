"""The table of inputs of systems that others run: what is written, and what must come of it."""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cli.render import render_documents
from model.plan import Plan
from stack.assemble import assemble_plan
from targets.platforms import PLATFORMS
from tests.support.relabelling import relabel
from tests.support.systems import configuration, project
from tests.support.yaml_files import read_yaml, read_yaml_documents

FOLDER = Path(__file__).parent / "foreign_inputs"
NAME = "foreign"
DOCKER, POD = "__meta_docker_container_", "__meta_kubernetes_pod_"
LINE = "line of "
"""A fact is of what a line of a container or pod is labelled: `in: line of label_app=api`."""


@dataclass(frozen=True)
class ForeignCase:
    """An input: a system's file and settings, and the facts that decide, or every problem in full."""

    kind: str
    name: str
    system: Mapping[str, Any]
    target: str = "docker"
    settings: Mapping[str, Any] = field(default_factory=dict)
    facts: Sequence[Mapping[str, Any]] = ()
    refused: Sequence[str] = ()


def _load_cases() -> tuple[ForeignCase, ...]:
    files = sorted(FOLDER.glob("*.yaml"))
    return tuple(ForeignCase(kind=file.stem, **each) for file in files for each in read_yaml(file.read_text("utf-8")))


CASES = _load_cases()


def plan_case(case: ForeignCase, folder: Path) -> Plan:
    """The plan of an input.

    Raises:
        ConfigError: it is refused.
    """
    system = {"name": NAME, "title": "Foreign", **case.system}
    given = {"system": NAME, "target": case.target, **case.settings}
    texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in given.items()}
    root = project(folder, system, name=NAME)
    return assemble_plan("dev", configuration(texts), platforms=PLATFORMS, root=root, need_secrets=False)


def find_documents(plan: Plan) -> Mapping[str, Any]:
    """All documents and all inputs of the target, parsed, by name; and each entry of scrape_configs by job."""
    made: dict[str, Any] = {}
    for name, text in render_documents(plan).items():
        several = name.startswith("kubernetes/")
        made[name] = read_yaml_documents(text) if several else read_yaml(text) if name.endswith("ml") else text
    configs = made.get("prometheus/prometheus.yml", {}).get("scrape_configs", [])
    pools = {Path(name).stem: Path(name).parent.name for name in made if name.startswith("prometheus/targets/")}
    for entry in configs:
        pools.setdefault(entry["job_name"], entry["job_name"])
    by_pool = {entry["job_name"]: entry for entry in configs}
    return {**made, **{f"scrape {job}": by_pool[pool] for job, pool in pools.items()}}


def find_value(documents: Mapping[str, Any], name: str, path: Sequence[Any]) -> Any:
    """What stands at a path: keys, numbers, and mappings for the entry of a list that has these values.

    The name may hold `*`, where one document alone fits.
    """
    if name.startswith(LINE):
        return _label_line(documents, name.removeprefix(LINE))
    names = fnmatch.filter(documents, name)
    assert len(names) == 1, f"{name}: {names or sorted(documents)}"
    value = documents[names[0]]
    for step in path:
        value = next(item for item in value if has(item, step)) if isinstance(step, Mapping) else value[step]
    return value


def has(value: Any, wanted: Any) -> bool:
    """Whether a text holds a part, a list an entry, or a mapping these values."""
    if isinstance(wanted, Mapping) and isinstance(value, Mapping):
        return all(
            key in value and (value[key] == item or _is_within(value[key], item)) for key, item in wanted.items()
        )
    if isinstance(value, list):
        return any(item == wanted or (isinstance(wanted, Mapping) and has(item, wanted)) for item in value)
    return isinstance(value, str) and isinstance(wanted, str) and wanted in value


def _is_within(value: Any, wanted: Any) -> bool:
    """As `has`, of what is no text: `{name: a}` is not in `{name: ab}`."""
    return (isinstance(value, list) or not isinstance(wanted, str)) and has(value, wanted)


def _label_line(documents: Mapping[str, Any], labels: str) -> str:
    """Whose a line is, of a container or pod with these labels of discovery."""
    job = documents["promtail/promtail.yml"]["scrape_configs"][0]
    pairs = dict(item.split("=") for item in labels.split())
    space = pairs.pop("namespace", "")
    prefix = POD if "kubernetes_sd_configs" in job else DOCKER
    meta = {prefix + key: value for key, value in pairs.items()} | {"__meta_kubernetes_namespace": space}
    made = relabel(job["relabel_configs"], meta)
    assert made is not None
    return made["service"]
