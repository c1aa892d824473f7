"""The targets by name: what can be said of each without an engine, a cluster or a provider."""

from __future__ import annotations

from collections.abc import Callable

from model.plan import Platform
from model.settings import Settings
from targets.docker import check as docker_check
from targets.docker import shared as docker
from targets.kubernetes import check as kubernetes_check


def _build_docker_address(stack: str, settings: Settings) -> Callable[[str, int], str]:
    suffix = docker.find_network_suffix(stack, settings.docker)
    return lambda name, port: docker.build_address(name, port, suffix)


def _build_kubernetes_address(stack: str, settings: Settings) -> Callable[[str, int], str]:
    return lambda name, port: kubernetes_check.build_address(stack, settings.kubernetes, name, port)


PLATFORMS = {
    "docker": Platform(address=_build_docker_address, check=docker_check.check),
    "kubernetes": Platform(address=_build_kubernetes_address, check=kubernetes_check.check),
}
"""By the setting `target`."""
