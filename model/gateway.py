"""The engine's own host as seen from a container: its name, and who needs it.

Source: https://docs.docker.com/reference/cli/docker/container/run/#add-host (host-gateway).
"""

from __future__ import annotations

import re
from dataclasses import replace

from model.workload import Exemption, Workload

HOST = "host.docker.internal"
"""Name by which containers reach the host that they run on."""
GATEWAY = Exemption(rule="host-gateway", reason="reaches processes of the host")
_ADDRESS = re.compile(rf"(?<![\w.-]){re.escape(HOST)}(?![\w.-])")


def asks_host(*texts: str) -> bool:
    """Whether one of the texts names the host, as http://host.docker.internal:8080/health does."""
    return any(_ADDRESS.search(text) for text in texts)


def reaching(workload: Workload) -> Workload:
    """The workload with the exemption that it needs where anything that it is given names the host.

    Each component that connects to what people name would else have to think of that by itself.
    """
    documents = workload.config.files.values() if workload.config else ()
    if workload.exempt(GATEWAY.rule) or not asks_host(*workload.args, *workload.env.values(), *documents):
        return workload
    return replace(workload, exemptions=(*workload.exemptions, GATEWAY))
