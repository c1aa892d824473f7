"""What the very Promtail that is deployed makes of files, by a job that it is given."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Timer
from typing import Any

from tests.support.yaml_files import write_yaml
from toolchain import validators
from toolchain.context import build_default_context

SHOWN = re.compile(r"\{(?P<labels>\w+=\"[^}]*)\}\s*(?P<line>.*)$")
DISCOVERIES = ("docker_sd_configs", "kubernetes_sd_configs", "static_configs")
SECONDS = 60


def read_files(
    folder: Path, job: Mapping[str, Any], targets: Sequence[Mapping[str, str]], lines: int
) -> dict[str, dict[str, str]]:
    """The labels of each of so many lines, of targets with these labels, in the place of those that are discovered.

    Each target has its `__path__`, unless the job says it.
    """
    given = {key: value for key, value in job.items() if key not in DISCOVERIES}
    static = [{"targets": ["localhost"], "labels": dict(labels)} for labels in targets]
    config = {
        "server": {"disable": True},
        "positions": {"filename": str(folder / "positions.yaml")},
        "clients": [{"url": "http://127.0.0.1:1/"}],
        "scrape_configs": [{**given, "static_configs": static}],
    }
    file = folder / "promtail.yml"
    file.write_text(write_yaml(json.loads(json.dumps(config))), encoding="utf-8")
    return _collect_lines(file, lines)


def _collect_lines(file: Path, lines: int) -> dict[str, dict[str, str]]:
    program = validators.ensure_validator(build_default_context(), "promtail", pinned=True)
    process = subprocess.Popen(
        [program, f"-config.file={file}", "-dry-run"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert process.stdout is not None
    late = Timer(SECONDS, process.kill)  # ends the loop below, so that what is missing is said
    late.start()
    made: dict[str, dict[str, str]] = {}
    said = []
    try:
        for shown in process.stdout:
            said.append(shown)
            if match := SHOWN.search(shown.rstrip("\n")):
                made[match["line"]] = dict(re.findall(r'(\w+)="([^"]*)"', match["labels"]))
            if len(made) == lines:
                return made
    finally:
        late.cancel()
        process.kill()
        process.wait()
    raise AssertionError(f"{len(made)} of {lines} lines were shown: {''.join(said)}")
