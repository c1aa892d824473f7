"""The engine's own host as seen from a container: its name, and who needs it.

Source: https://docs.docker.com/reference/cli/docker/container/run/#add-host (host-gateway).
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from model.workload import Exemption, Workload

if TYPE_CHECKING:
    from model.service import Service

HOST = "host.docker.internal"
"""Name by which containers reach the host that they run on."""
GATEWAY = Exemption(rule="host-gateway", reason="reaches processes of the host")
_ADDRESS = re.compile(rf"(?<![\w.-]){re.escape(HOST)}(?![\w.-])")


def mentions_host(*texts: str) -> bool:
    """Whether one of the texts names the host, as http://host.docker.internal:8080/health does."""
    return any(HOST in text and _ADDRESS.search(text) for text in texts)


def list_addresses(host: str, service: Service) -> dict[str, str]:
    """host:port of each instance of a service, by the key that says it: `{"address": "api.internal:80"}`.

    `host` is where it is that says none.
    """
    if service.on_host:
        return {"port": f"{HOST}:{service.port}"}
    if service.addresses:
        return {f"addresses[{number}]": each for number, each in enumerate(service.addresses)}
    return {"address": service.address} if service.address else {"port": f"{host}:{service.port}"}


def add_host_exemption(workload: Workload) -> Workload:
    """The workload with the exemption that it needs where anything that it is given names the host.

    Each component that connects to what people name would else have to think of that by itself.
    """
    documents = workload.config.files.values() if workload.config else ()
    if workload.is_exempt(GATEWAY.rule) or not mentions_host(*workload.args, *workload.env.values(), *documents):
        return workload
    return replace(workload, exemptions=(*workload.exemptions, GATEWAY))
