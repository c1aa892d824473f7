"""A dashboard viewer of a test's own, which shows dashboards that nobody deployed beside the metrics of a stack."""

from __future__ import annotations

import json
import os
import subprocess
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.alerting import free_port
from tests.support.waiting import eventually
from tests.support.yaml_files import write_yaml
from toolchain.context import build_default_context
from toolchain.recipes import DASHBOARD_VIEWER

OTHERS = ("loki", "alertmanager")
"""Sources that dashboards name and that nobody asks here."""
PASSWORD = "viewer-5d1c"


@contextmanager
def serving_viewer(
    folder: Path, boards: Sequence[Mapping[str, Any]], prometheus: str, login: tuple[str, str]
) -> Iterator[str]:
    """The address of a viewer that shows dashboards' models and asks a Prometheus that wants a login; see PASSWORD."""
    for name in ("provisioning/datasources", "provisioning/dashboards", "boards", "data"):
        (folder / name).mkdir(parents=True)
    for board in boards:
        (folder / f"boards/{board['uid']}.json").write_text(json.dumps(board))
    source = {
        "name": "Prometheus", "uid": "prometheus", "type": "prometheus", "access": "proxy", "isDefault": True,
        "url": prometheus.rstrip("/"), "basicAuth": True, "basicAuthUser": login[0],
        "secureJsonData": {"basicAuthPassword": login[1]}, "jsonData": {"timeInterval": "15s", "httpMethod": "POST"},
    }  # fmt: skip
    others = [
        {**source, "name": kind, "uid": kind, "type": kind, "isDefault": False} for kind in ("loki", "alertmanager")
    ]
    provider = {"name": "odd", "folder": "Odd", "type": "file", "options": {"path": str(folder / "boards")}}
    documents = {
        "datasources/all.yaml": {"apiVersion": 1, "datasources": [source, *others]},
        "dashboards/all.yaml": {"apiVersion": 1, "providers": [provider]},
    }
    for name, document in documents.items():
        (folder / "provisioning" / name).write_text(write_yaml(document))
    (folder / "password").write_text(PASSWORD)
    port = free_port()
    env = {
        "GF_PATHS_PROVISIONING": str(folder / "provisioning"), "GF_PATHS_DATA": str(folder / "data"),
        "GF_SECURITY_ADMIN_PASSWORD__FILE": str(folder / "password"),
        "GF_SERVER_HTTP_ADDR": "127.0.0.1", "GF_SERVER_HTTP_PORT": str(port),
    }  # fmt: skip
    program = DASHBOARD_VIEWER.ensure(build_default_context()) / "bin" / DASHBOARD_VIEWER.program
    with (folder / "log").open("w") as log:
        process = subprocess.Popen([program], env={**os.environ, **env}, stdout=log, stderr=log)
    try:
        address = f"http://127.0.0.1:{port}"

        def is_up() -> bool:
            with urllib.request.urlopen(f"{address}/api/health", timeout=5) as answer:  # noqa: S310 - loopback
                return bool(answer.status == 200)

        eventually(is_up, timeout=20, what=(folder / "log").read_text())
        yield address
    finally:
        process.terminate()
        process.wait()
