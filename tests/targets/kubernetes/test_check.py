"""Addresses on a cluster, and what it cannot express."""

from __future__ import annotations

from dataclasses import replace

import pytest

from model.settings import KubernetesSettings
from model.workload import ConfigDir, Exemption, HostMount, Port, SecretFile, SharedVolume, Workload
from targets.kubernetes.check import build_address, check
from tests.support.workloads import PLAIN, SERVER

MOUNT = HostMount(source="/var/log", path="/host", reason="reads logs")


def test_addresses_are_names_of_services() -> None:
    """They hold from any namespace of the cluster."""
    assert build_address("dev", KubernetesSettings(), "loki", 3100) == "loki.monitoring-dev.svc:3100"
    assert build_address("dev", KubernetesSettings(namespace="obs"), "loki", 3100) == "loki.obs.svc:3100"


def test_usual_workloads_are_fine() -> None:
    """Nothing is said of what can be expressed."""
    server = replace(SERVER, ports=tuple(replace(port, publish=None) for port in SERVER.ports))
    assert check([server, PLAIN, replace(PLAIN, placement="node-agent", host_mounts=(MOUNT,))]) == []
    assert check([replace(PLAIN, placement="node-agent", shared_volumes=(SharedVolume(name="a", path="/a"),))]) == []
    assert check([replace(PLAIN, beside="other", shared_volumes=(SharedVolume(name="a", path="/a"),))]) == []


@pytest.mark.parametrize(
    ("workload", "words"),
    [
        (replace(PLAIN, name="configure"), "the name is taken by the container that delivers documents"),
        (replace(PLAIN, restart_with=("server",)), "is started anew with another workload"),
        (replace(PLAIN, secrets=(SecretFile(path="/etc/x", secret="s"),)), "must lie in /run/secrets"),
        (replace(PLAIN, config=ConfigDir(path="/etc/x", files={"a__b": ""})), "must not have '__' in its path"),
        (replace(PLAIN, host_mounts=(MOUNT,)), "only node-level agents see files of the host"),
        (replace(PLAIN, exemptions=(Exemption(rule="root-user", reason="r"),)), "may run as root"),
        (replace(PLAIN, exemptions=(Exemption(rule="docker-socket", reason="r"),)), "there is no Docker socket"),
        (replace(PLAIN, exemptions=(Exemption(rule="host-gateway", reason="r"),)), "give their address instead"),
        (replace(PLAIN, shared_volumes=(SharedVolume(name="logs", path="/l"),)), "borrows the volumes logs"),
        (replace(PLAIN, ports=(Port(number=1), Port(number=2))), "two ports have one name"),
        (replace(PLAIN, ports=(Port(number=1, publish=2),)), "port 1 cannot be published on a host here"),
    ],
)  # fmt: skip
def test_what_cannot_be_expressed_is_refused(workload: Workload, words: str) -> None:
    """One sentence for each, naming the workload."""
    (found,) = check([workload])
    assert words in found and repr(workload.name) in found
