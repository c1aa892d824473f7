"""Every target fulfils the protocol, so that components need not know which one they run on."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from targets.base import Deployment, Target
from targets.docker.register import DockerTarget
from targets.kubernetes.register import KubernetesTarget

TARGETS = (DockerTarget, KubernetesTarget)


@pytest.mark.parametrize("kind", TARGETS)
@pytest.mark.parametrize("method", ["build_address", "check", "deploy"])
def test_a_target_has_the_protocols_methods(kind: type, method: str) -> None:
    """Names, order and kinds of parameters are those of the protocol."""
    expected = inspect.signature(getattr(Target, method)).parameters
    actual = inspect.signature(getattr(kind, method)).parameters
    assert [(p.name, p.kind) for p in actual.values()] == [(p.name, p.kind) for p in expected.values()]


def test_a_deployment_has_no_ports_unless_said() -> None:
    """What is not published is not listed."""
    ready: Any = object()  # an output needs an event loop, which other tests may have closed
    deployment = Deployment(name="x", ready=ready, address="x:1")
    assert deployment.ports == {}
    assert deployment.resources == ()
