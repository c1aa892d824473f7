"""The targets by name: what can be said of each without an engine, a cluster or a provider."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from model.plan import Platform
from model.settings import Settings
from model.workload import Workload
from targets import kubernetes_check


def _docker_address(stack: str, settings: Settings) -> Callable[[str, int], str]:
    # its provider's package is loaded only where it is used
    from targets.docker import address, shared_home  # noqa: PLC0415

    home = shared_home(stack, settings.docker)
    return lambda name, port: address(name, port, home)


def _docker_check(workloads: Sequence[Workload]) -> list[str]:
    from targets.docker import check  # noqa: PLC0415

    return check(workloads)


def _kubernetes_address(stack: str, settings: Settings) -> Callable[[str, int], str]:
    return lambda name, port: kubernetes_check.address(stack, settings.kubernetes, name, port)


PLATFORMS = {
    "docker": Platform(address=_docker_address, check=_docker_check),
    "kubernetes": Platform(address=_kubernetes_address, check=kubernetes_check.check),
}
"""By the setting `target`."""
