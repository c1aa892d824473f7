"""The targets by name: what can be said of each without an engine, a cluster or a provider."""

from __future__ import annotations

from collections.abc import Callable

from model.plan import Platform
from model.settings import Settings
from targets.docker import check as docker_check
from targets.docker import shared as docker
from targets.kubernetes import check as kubernetes_check


def _docker_address(stack: str, settings: Settings) -> Callable[[str, int], str]:
    home = docker.network_suffix(stack, settings.docker)
    return lambda name, port: docker.address(name, port, home)


def _kubernetes_address(stack: str, settings: Settings) -> Callable[[str, int], str]:
    return lambda name, port: kubernetes_check.address(stack, settings.kubernetes, name, port)


PLATFORMS = {
    "docker": Platform(address=_docker_address, check=docker_check.check),
    "kubernetes": Platform(address=_kubernetes_address, check=kubernetes_check.check),
}
"""By the setting `target`."""
